"""What differs between the distributions is data, and every distribution has all of it.

No machine is started here. The roles of a Django image are rendered with each system's facts, and their packages compared with
published_packages.yml, which says for each system where its names were seen: an index for Debian alone. What the other roles want of a
system is read from their meta. Debian 12 is the one that the lab runs.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.stack import check_machine
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from tests.templates.conftest import ROLES, Render

HOST_ROLES = ("app_migrate", "app_release", "base", "boot_environment", "gunicorn", "image_cleanup", "nginx")
PUBLISHED = yaml.safe_load(Path(__file__).with_name("published_packages.yml").read_text())
FACTS = {
    "debian12": {"distribution": "Debian", "distribution_major_version": "12", "os_family": "Debian"},
    "debian13": {"distribution": "Debian", "distribution_major_version": "13", "os_family": "Debian"},
    "ubuntu2204": {"distribution": "Ubuntu", "distribution_major_version": "22", "os_family": "Debian"},
    "ubuntu2404": {"distribution": "Ubuntu", "distribution_major_version": "24", "os_family": "Debian"},
    "al2023": {"distribution": "Amazon", "distribution_major_version": "2023", "os_family": "RedHat"},
}
NAMED = {
    "app_migrate_name": "uda",
    "app_migrate_command": "/bin/true",
    "app_release_name": "uda",
    "app_release_id": "1",
    "gunicorn_name": "uda",
    "gunicorn_application": "uda",
    "boot_environment_name": "uda",
}
MACHINE = ROLES.parent / "group_vars/all/machine.yml"
MACHINES = yaml.safe_load(MACHINE.read_text())["__stack_oses"]
MACHINE_ROLES = yaml.safe_load(MACHINE.read_text())["__stack_machine_roles"]
PLATFORMS = {
    "debian12": ("Debian", "bookworm"),
    "debian13": ("Debian", "trixie"),
    "ubuntu2204": ("Ubuntu", "jammy"),
    "ubuntu2404": ("Ubuntu", "noble"),
    "al2023": ("Amazon Linux", "2023"),
}
SYSTEMS = sorted(MACHINES)
TEMPLATES = [
    (role, str(path.relative_to(ROLES / role / "templates"))[: -len(".j2")])
    for role in HOST_ROLES
    for path in sorted((ROLES / role / "templates").rglob("*.j2"))
]


def variables(role: str, system: str) -> Templar:
    """A role's defaults and constants as they are on an operating system."""
    loader = DataLoader()
    known: dict[str, Any] = {"ansible_facts": {**FACTS[system], "user_id": "admin"}, **NAMED}
    for part in ("defaults", "vars"):
        file = ROLES / role / part / "main.yml"
        if file.exists():
            known |= loader.load_from_file(str(file), trusted_as_template=True) or {}
    return Templar(loader, variables=known)


def packages(system: str) -> set[str]:
    """All that the roles install on an operating system."""
    found = set(MACHINES[system]["database_client"])
    for role in HOST_ROLES:
        templar = variables(role, system)
        for name in templar.available_variables:
            if re.fullmatch(rf"(__)?{role}_packages", name):
                value = templar.template(templar.available_variables[name])
                found |= set(value if isinstance(value, list) else [])
    return found


def test_every_system_that_may_be_chosen_is_known_everywhere() -> None:
    assert set(SYSTEMS) == set(FACTS) == set(PUBLISHED) == set(PLATFORMS)
    assert all(set(known) == {"image", "user", "root_device", "python", "database_client"} for known in MACHINES.values())


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_value_of_every_role_is_there(system: str) -> None:
    for role in HOST_ROLES:
        templar = variables(role, system)
        for name, value in templar.available_variables.items():
            if name.startswith((role, f"__{role}")) and "register" not in name:
                templar.template(value)


@pytest.mark.parametrize("system", SYSTEMS)
def test_packages_are_those_that_were_seen_where_the_list_says(system: str) -> None:
    assert packages(system) - set(PUBLISHED[system]["names"]) == set()
    assert "nginx" in " ".join(packages(system))


@pytest.mark.parametrize(("system", "template"), list(itertools.product(SYSTEMS, TEMPLATES)), ids=str)
def test_every_template_renders(render: Render, system: str, template: tuple[str, str]) -> None:
    role, path = template
    facts = {"ansible_facts": {**FACTS[system], "user_id": "admin"}}
    site = {
        "item": {"key": "uda", "value": {}},
        "__nginx_site": variables("nginx", system).available_variables.get("__nginx_site_defaults", {}),
    }
    text = render(role, path, **facts, **NAMED, **{**site, "__nginx_site": {**site["__nginx_site"], "upstream": "unix:/s"}})
    assert "Ansible managed" in text


@pytest.mark.parametrize(
    ("system", "user", "ssh", "python"),
    [
        ("debian12", "www-data", "ssh.service", "/usr/bin/python3"),
        ("debian13", "www-data", "ssh.service", "/usr/bin/python3"),
        ("ubuntu2204", "www-data", "ssh.service", "/usr/bin/python3"),
        ("ubuntu2404", "www-data", "ssh.service", "/usr/bin/python3"),
        ("al2023", "nginx", "sshd.service", "/usr/bin/python3.12"),
    ],
)
def test_users_and_services_have_the_distributions_names(system: str, user: str, ssh: str, python: str) -> None:
    nginx, gunicorn, base, release = (variables(role, system) for role in ("nginx", "gunicorn", "base", "app_release"))
    assert nginx.template(nginx.available_variables["nginx_user"]) == user
    assert gunicorn.template(gunicorn.available_variables["gunicorn_socket_group"]) == user
    assert base.available_variables["__base_ssh_services"][FACTS[system]["os_family"]] == ssh
    assert release.template(release.available_variables["app_release_python"]) == python


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_role_base_takes_the_system(system: str) -> None:
    supported = yaml.safe_load((ROLES / "base/vars/main.yml").read_text())["__base_supported"]
    assert FACTS[system]["distribution_major_version"] in supported[FACTS[system]["distribution"]]


@pytest.mark.parametrize("system", SYSTEMS)
def test_images_bastion_and_machines_have_the_systems_root_device_and_bundles_its_python(system: str) -> None:
    loader = DataLoader()
    templar = Templar(loader, variables={**loader.load_from_file(str(MACHINE), trusted_as_template=True), "stack_os": system})
    for name in ("launch_template_root_device", "ami_root_device", "bastion_root_device"):
        assert templar.template(templar.available_variables[name]) == MACHINES[system]["root_device"]
    for name in ("artifact_python_version", "machine_bundle_python_version"):
        assert templar.template(templar.available_variables[name]) == MACHINES[system]["python"]


COMBINATIONS = [
    (system, delivery, runtime) for system in SYSTEMS for delivery, runtimes in MACHINE_ROLES.items() for runtime in runtimes
]  # fmt: skip


@pytest.mark.parametrize(("system", "delivery", "runtime"), COMBINATIONS, ids=str)
def test_a_combination_is_taken_if_its_roles_say_that_they_know_the_system(system: str, delivery: str, runtime: str) -> None:
    """A plain machine besides calls apt, and runs Ansible with its own Python."""
    name, version = PLATFORMS[system]
    platforms = [
        {platform["name"]: platform["versions"] for platform in yaml.safe_load(path.read_text())["galaxy_info"]["platforms"]}
        for path in (ROLES / role / "meta/main.yml" for role in MACHINE_ROLES[delivery][runtime] if role != "cloudwatch_agent")
    ]
    able = all(version in known.get(name, []) for known in platforms)
    if delivery == "plain":
        able &= name != "Amazon Linux" and tuple(map(int, MACHINES[system]["python"].split("."))) >= (3, 11)
    stack = {"stack_target": "aws", "stack_os": system, "stack_delivery": delivery, "stack_app": {"runtime": runtime}}
    assert (list(check_machine.check(stack)) == []) is able
