"""The set-up scripts, on made-up machines: a PATH of our own decides what a machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "dirname", "id", "ls", "tr", "sha256sum", "grep", "cat", "uname", "env", "sort", "sed", "ln")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that is the whole PATH of a machine: a shell, a few tools, and what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    return folder


def command(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def run(machine: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine), "HOME": str(machine.parent), "LANG": "C.UTF-8"}
    return subprocess.run(
        [str(machine / "bash"), str(PROJECT / "scripts" / script), *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def real_python() -> str:
    return os.path.realpath(sys.executable)


def test_a_shim_that_fails_is_passed_over(machine: Path) -> None:
    command(machine, "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    (machine / "python3.13").symlink_to(real_python())
    done = run(machine, "find-python")
    assert (done.stdout.strip(), done.returncode) == (real_python(), 0)


def test_pyenvs_versions_are_found(machine: Path) -> None:
    command(machine, "python3.12", "exit 127")
    folder = machine.parent / ".pyenv" / "versions" / "3.12.1" / "bin"
    folder.mkdir(parents=True)
    (folder / "python3.12").symlink_to(real_python())
    assert run(machine, "find-python").stdout.strip() == real_python()


def test_no_python_says_how_to_get_one(machine: Path) -> None:
    done = run(machine, "find-python")
    assert done.returncode == 1
    assert "no Python 3.12 or newer was found on PATH, in pyenv or in uv" in done.stderr
    assert "sudo apt-get install python3-venv" in done.stderr
    assert "uv python install 3.12" in done.stderr


def test_a_python_without_venv_is_no_use(machine: Path) -> None:
    command(machine, "python3", "echo \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1")
    assert run(machine, "find-python").returncode == 1


APT_CACHE = "echo '  Candidate: {version}'"
DPKG = '[ "$2" = 3.13.5-1 ]'  # --compare-versions VERSION ge 3.12


def test_apt_gives_a_new_enough_python(machine: Path) -> None:
    command(machine, "apt-cache", APT_CACHE.format(version="3.13.5-1"))
    command(machine, "dpkg", DPKG)
    command(machine, "apt-get", f"ln -s {real_python()} {machine}/python3")
    done = run(machine, "find-python")
    assert (done.stdout.strip(), done.returncode) == (real_python(), 0)
    assert "installing: python3-venv" in done.stderr


def test_uv_fetches_one_where_apt_has_none(machine: Path) -> None:
    command(machine, "apt-cache", APT_CACHE.format(version="3.11.2-1"))
    command(machine, "dpkg", DPKG)
    command(machine, "apt-get", "exit 9")
    fetched = machine.parent / "fetched"
    command(
        machine,
        "uv",
        f'case "$2" in install) ln -s {real_python()} {fetched} ;; find) [ -e {fetched} ] && echo {fetched} ;; esac',
    )
    done = run(machine, "find-python")
    assert (done.stdout.strip(), done.returncode) == (real_python(), 0)


def test_missing_packages_are_named(machine: Path) -> None:
    command(machine, "apt-get", "exit 0")
    done = run(machine, "system-packages", "--check")
    assert done.returncode == 1
    assert "podman" in done.stdout


def test_another_package_manager_gets_a_command_to_type(machine: Path) -> None:
    command(machine, "dnf", "exit 0")
    done = run(machine, "system-packages")
    assert done.returncode == 1
    assert "This script installs with apt only" in done.stderr
    assert "sudo dnf install podman" in done.stderr


def test_an_unknown_system_is_told_what_is_missing(machine: Path) -> None:
    done = run(machine, "system-packages")
    assert done.returncode == 1
    assert "missing: podman" in done.stderr


def test_another_kernel_is_refused(machine: Path) -> None:
    (machine / "uname").unlink()
    command(machine, "uname", "echo Darwin")
    done = run(machine, "setup")
    assert done.returncode == 1
    assert "this needs Linux" in done.stderr


def test_a_user_without_sudo_is_told(machine: Path) -> None:
    command(machine, "apt-get", "exit 0")
    (machine / "id").unlink()
    command(machine, "id", "echo 1000")
    done = run(machine, "system-packages")
    assert done.returncode == 1
    assert "this needs root: env DEBIAN_FRONTEND=noninteractive apt-get update" in done.stderr
