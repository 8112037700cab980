"""What a machine of the fleet is told at its first boot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.template import Templar

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
VARIABLES = {
    "ansible_managed": "Ansible managed",
    "stack_app": {"name": "inventory"},
    "stack_app_environment": {"DB_HOST": "inventory-db.example", "SECRET_DB_PASSWORD": "inventory-db/master#password"},
    "stack_region": "us-west-2",
    "stack_deploy_bucket": "inventory-app-deploy-123456789012",
    "stack_machine_bundle_key": f"machine/{SHA256}.tar.gz",
    "machine_bundle_sha256": SHA256,
}
UserData = Callable[[str], str]


@pytest.fixture(scope="module", autouse=True)
def _plugins() -> None:
    init_plugin_loader()


@pytest.fixture
def user_data() -> UserData:
    def rendered(delivery: str) -> str:
        variables: dict[str, Any] = VARIABLES | {"stack_delivery": delivery, "ansible_search_path": [str(PLAYBOOKS)]}
        loader = DataLoader()
        loader.set_basedir(str(PLAYBOOKS))
        (text,) = lookup_loader.get("template", loader, Templar(loader, variables)).run(["user_data.sh.j2"], variables)
        return str(text)

    return rendered


@pytest.fixture
def machine(tmp_path: Path, user_data: UserData) -> Callable[..., list[str]]:
    """Run the user data of a plain machine with stand-ins for every program that would touch the machine; what is said and called."""
    programs, root = tmp_path / "bin", tmp_path / "machine"
    programs.mkdir()
    text = user_data("plain").replace("/opt/machine", str(root)).replace("/etc/inventory", str(tmp_path / "etc"))
    script = text.replace("/usr/bin/python3", "python3").replace("venv/bin/", "venv-")

    def run(**failing: int) -> list[str]:
        for name in ("apt-get", "python3", "sha256sum", "tar", "rm", "venv-pip", "venv-ansible-playbook", "systemctl", "sleep"):
            program = programs / name
            program.write_text(f'#!/bin/sh\necho "called: {name} $*" >&2\nexit {failing.get(name.replace("-", "_"), 0)}\n')
            program.chmod(0o755)
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        done = subprocess.run(
            ["sh", "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return [*done.stdout.splitlines(), f"status {done.returncode}"]

    return run


@pytest.mark.parametrize("delivery", ["image", "plain"])
def test_it_is_a_script_that_ends_with_the_start(user_data: UserData, delivery: str) -> None:
    lines = user_data(delivery).splitlines()
    assert lines[0] == "#!/bin/sh"
    assert lines[-1] == "systemctl enable --now inventory.target"
    assert subprocess.run(["sh", "-n"], input="\n".join(lines), text=True, check=False).returncode == 0


def test_only_a_plain_machine_configures_itself(user_data: UserData) -> None:
    assert "ansible-playbook" in user_data("plain")
    assert "ansible-playbook" not in user_data("image")
    assert "s3" not in user_data("image")


def test_it_is_far_below_what_ec2_takes(user_data: UserData) -> None:
    assert len(user_data("plain").encode()) < 4096  # of 16 KB: the application's environment may grow


def test_a_machine_fetches_checks_configures_and_starts_in_this_order(machine: Callable[..., list[str]]) -> None:
    called = [line.split()[1] for line in machine() if line.startswith("called: ")]
    in_order = ["apt-get", "apt-get", "python3", "sha256sum", "tar", "rm", "python3", "venv-pip", "venv-ansible-playbook", "systemctl"]
    assert called == in_order


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("apt_get", "reading the package index"),
        ("python3", f"fetching s3://inventory-app-deploy-123456789012/machine/{SHA256}.tar.gz"),
        ("sha256sum", "checking the bundle's hash"),
        ("tar", "unpacking Ansible"),
        ("venv_pip", "unpacking Ansible"),
        ("venv_ansible_playbook", "configuring this machine"),
        ("systemctl", "starting inventory"),
    ],
)
def test_whatever_fails_is_told_and_nothing_is_started(machine: Callable[..., list[str]], broken: str, told: str) -> None:
    lines = machine(**{broken: 3})
    assert lines[-2:] == [f"user data: FAILED with status 3 while {told}; this machine will not serve", "status 3"]
    assert broken == "systemctl" or not any("systemctl" in line for line in lines)


@pytest.mark.parametrize("broken", ["apt_get", "python3"])
def test_the_network_is_tried_five_times(machine: Callable[..., list[str]], broken: str) -> None:
    lines = machine(**{broken: 1})
    assert sum(line.startswith("called: sleep") for line in lines) == 4
