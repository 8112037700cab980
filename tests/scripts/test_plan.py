"""scripts/plan: how it is called, and how it ends. A playbook of our own tells what it was given and saves a plan."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
PLAY = """#!/bin/bash
printf '%s\\n' "$@" >{told}
last=${{*: -1}}
cp {plan} "${{last#plan_file=}}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the script, Python, and a plan that is not empty."""
    (tmp_path / "scripts").mkdir()
    for name in ("plan", "lib.sh"):
        shutil.copy(SCRIPTS / name, tmp_path / "scripts" / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    play = tmp_path / "scripts/play"
    play.write_text(PLAY.format(told=tmp_path / "told", plan=tmp_path / "plan.json"))
    play.chmod(0o755)
    saves(tmp_path, empty=False)
    return tmp_path


def saves(project: Path, *, empty: bool) -> None:
    (project / "plan.json").write_text(json.dumps({"empty": empty}))


def plan(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(project / "scripts/plan"), *arguments], cwd=project, capture_output=True, text=True, check=False)


def told(project: Path) -> list[str]:
    """What the playbook was called with, but for the file."""
    return (project / "told").read_text().splitlines()[:-1]


@pytest.mark.parametrize(("empty", "status"), [(True, 0), (False, 2)])
def test_it_ends_0_for_nothing_to_do_and_2_for_something(project: Path, *, empty: bool, status: int) -> None:
    saves(project, empty=empty)
    assert plan(project, "uda").returncode == status


def test_what_begins_with_a_hyphen_is_for_ansible_and_no_file(project: Path) -> None:
    plan(project, "uda", "-e", "want=absent")
    assert told(project) == ["playbooks/plan.yml", "uda", "-e", "want=absent", "--extra-vars"]


def test_a_file_comes_before_them_and_has_the_plan_afterwards(project: Path) -> None:
    plan(project, "uda", "kept.json", "-e", "want=absent")
    assert told(project) == ["playbooks/plan.yml", "uda", "-e", "want=absent", "--extra-vars"]
    assert json.loads((project / "kept.json").read_text()) == {"empty": False}


def test_without_a_stack_it_says_how_it_is_called(project: Path) -> None:
    done = plan(project)
    assert (done.returncode, "Usage: scripts/plan <stack>" in done.stderr) == (1, True)


def test_a_playbook_that_fails_is_an_error_whatever_it_ends_with(project: Path) -> None:
    (project / "scripts/play").write_text("#!/bin/bash\nexit 2\n")
    assert plan(project, "uda").returncode == 1
