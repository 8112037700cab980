"""A recipe changes with what goes into an image, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils.stack.recipe import recipe


@pytest.fixture
def role(tmp_path: Path) -> Path:
    folder = tmp_path / "nginx"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks/main.yml").write_text("- name: Install\n")
    (folder / "README.md").write_text("words\n")
    return folder


def test_the_same_goes_in_the_same_comes_out(role: Path) -> None:
    assert recipe([role], {"a": 1, "b": [2]}) == recipe([role], {"b": [2], "a": 1})
    assert len(recipe([role], {})) == 12


def test_a_changed_task_changes_it(role: Path) -> None:
    before = recipe([role], {})
    (role / "tasks/main.yml").write_text("- name: Install it\n")
    assert recipe([role], {}) != before


def test_a_renamed_file_changes_it(role: Path) -> None:
    before = recipe([role], {})
    (role / "tasks/main.yml").rename(role / "tasks/other.yml")
    assert recipe([role], {}) != before


def test_a_changed_ingredient_changes_it(role: Path) -> None:
    assert recipe([role], {"source_image": "ami-1"}) != recipe([role], {"source_image": "ami-2"})


def test_documentation_and_leftovers_do_not(role: Path) -> None:
    before = recipe([role], {})
    (role / "README.md").write_text("other words\n")
    (role / "__pycache__").mkdir()
    (role / "__pycache__/a.pyc").write_bytes(b"\0")
    (role / ".main.yml.swp").write_text("x")
    assert recipe([role], {}) == before


def test_the_place_of_the_roles_does_not(role: Path, tmp_path: Path) -> None:
    before = recipe([role], {})
    (tmp_path / "elsewhere").mkdir()
    assert recipe([role.rename(tmp_path / "elsewhere/nginx")], {}) == before
