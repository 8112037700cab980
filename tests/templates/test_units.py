"""The units of an application, and that they belong together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Render = Callable[..., str]
Sections = Callable[[str], dict[str, dict[str, list[str]]]]

GUNICORN = {
    "gunicorn_name": "uda",
    "gunicorn_application": "uda.wsgi:application",
    "gunicorn_environment_files": ["/etc/uda/app.env", "-/run/uda/secrets.env"],
    "gunicorn_requires": ["uda-environment.service", "uda-migrate.service"],
}
MIGRATE = {
    "app_migrate_name": "uda",
    "app_migrate_command": "/opt/uda/current/venv/bin/python manage.py migrate_once",
    "app_migrate_requires": ["uda-environment.service"],
}
NODE = {"node_name": "uda", "node_requires": ["uda-environment.service", "uda-migrate.service"]}
UNITS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "service": ("gunicorn", "etc/systemd/system/app.service", GUNICORN),
    "node": ("node", "etc/systemd/system/app.service", NODE),
    "migrate": ("app_migrate", "etc/systemd/system/migrate.service", MIGRATE),
    "release": ("release_pull", "etc/systemd/system/release.service", {"release_pull_name": "uda"}),
    "environment": ("boot_environment", "etc/systemd/system/environment.service", {"boot_environment_name": "uda"}),
}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "line",
    [
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
    ],
)
def test_each_is_sandboxed(render: Render, unit: str, line: str) -> None:
    role, path, variables = UNITS[unit]
    assert line in render(role, path, **variables).splitlines()


@pytest.mark.parametrize("unit", UNITS)
def test_each_is_wanted_by_the_target(render: Render, sections: Sections, unit: str) -> None:
    role, path, variables = UNITS[unit]
    assert sections(render(role, path, **variables))["Install"]["WantedBy"] == ["uda.target"]


def test_environment_then_migrations_then_application(render: Render, sections: Sections) -> None:
    service = sections(render(*UNITS["service"][:2], **GUNICORN))["Unit"]
    migrate = sections(render(*UNITS["migrate"][:2], **MIGRATE))["Unit"]
    assert service["Requires"] == ["uda.socket uda-environment.service uda-migrate.service"]
    assert service["After"] == ["network.target uda.socket uda-environment.service uda-migrate.service"]
    assert migrate["Requires"] == ["uda-environment.service"]
    assert migrate["After"] == ["network-online.target uda-environment.service"]


def test_what_requires_nothing_names_nothing(render: Render, sections: Sections) -> None:
    variables = {**MIGRATE, "app_migrate_requires": []}
    unit = sections(render(*UNITS["migrate"][:2], **variables))["Unit"]
    assert "Requires" not in unit
    assert unit["After"] == ["network-online.target"]


def test_the_application(render: Render, sections: Sections) -> None:
    service = sections(render(*UNITS["service"][:2], **GUNICORN))["Service"]
    assert service["User"] == ["uda"]
    assert service["EnvironmentFile"] == ["/etc/uda/app.env", "-/run/uda/secrets.env"]
    command = "/opt/uda/current/venv/bin/gunicorn --config /etc/uda/gunicorn.conf.py uda.wsgi:application"
    assert service["ExecStart"] == [command]
    assert "ReadWritePaths" not in service
    assert "RuntimeDirectory" not in service, "systemd would remove the socket's folder when the service stops"


def test_the_socket(render: Render, sections: Sections) -> None:
    socket = sections(render("gunicorn", "etc/systemd/system/app.socket", **GUNICORN))["Socket"]
    assert socket["ListenStream"] == ["/run/uda/gunicorn.sock"]
    assert socket["SocketMode"] == ["0660"]
    assert socket["SocketGroup"] == ["www-data"]


def test_gunicorns_configuration_is_python(render: Render) -> None:
    text = render("gunicorn", "etc/app/gunicorn.conf.py", gunicorn_workers=5, **GUNICORN)
    settings: dict[str, object] = {}
    exec(text, settings)  # noqa: S102 as gunicorn does with it
    assert settings["workers"] == 5
    assert settings["max_requests_jitter"] == 1000


def test_the_secrets_stay_in_memory(render: Render, sections: Sections) -> None:
    service = sections(render(*UNITS["environment"][:2], boot_environment_name="uda"))["Service"]
    assert "--output /run/uda/secrets.env" in service["ExecStart"][0]
    assert service["UMask"] == ["0077"]
    assert service["RuntimeDirectoryPreserve"] == ["yes"]
    assert service["StandardError"] == ["journal+console"]


def test_only_what_writes_machine_code_may_and_guards_it_with_the_processors_keys(render: Render, sections: Sections) -> None:
    def may(unit: str, **more: Any) -> tuple[bool, bool]:
        role, path, variables = UNITS[unit]
        service = sections(render(role, path, **variables | more))["Service"]
        return "MemoryDenyWriteExecute" not in service, "@pkey" in service["SystemCallFilter"]

    assert {unit: may(unit) for unit in UNITS} == {unit: (unit == "node",) * 2 for unit in UNITS}
    assert may("migrate", app_migrate_jit=True) == (True, True)


def test_nodes_socket_waits_for_no_unit_that_waits_for_it(render: Render, sections: Sections) -> None:
    """A release is fetched after the basic system stands, and before the socket: by default the socket would come before both."""
    unit = sections(render("node", "etc/systemd/system/app.socket", node_name="uda", node_listen="3000"))["Unit"]
    assert unit["DefaultDependencies"] == ["no"]
    assert unit["After"] == ["sysinit.target"]


def test_node_listens_where_it_is_told(render: Render, sections: Sections) -> None:
    def socket(listen: str) -> dict[str, list[str]]:
        return sections(render("node", "etc/systemd/system/app.socket", node_name="uda", node_listen=listen))["Socket"]

    assert socket("127.0.0.1:3000") == {"ListenStream": ["127.0.0.1:3000"], "Backlog": ["2048"]}
    assert socket("/run/uda/node.sock")["SocketGroup"] == ["www-data"]


def test_the_node_service(render: Render, sections: Sections) -> None:
    service = sections(render("node", "etc/systemd/system/app.service", **NODE, node_environment={"NODE_ENV": "production", "TZ": "a b"}))
    assert service["Service"]["ExecStart"] == ["/usr/bin/node server.js"]
    assert service["Service"]["Environment"] == ['"NODE_ENV=production"', '"TZ=a b"']
    assert service["Unit"]["Requires"] == ["uda.socket uda-environment.service uda-migrate.service"]
