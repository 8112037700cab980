"""A machine bundle holds what a machine needs, and is another one only when that is different."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from ansible.module_utils.stack.bundle import Content, archive, content, identity


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A playbook, a role and an artifact."""
    for name, text in {
        "machine.yml": "- hosts: localhost\n",
        "nginx/tasks/main.yml": "- name: Install\n",
        "nginx/README.md": "words\n",
        "app.tar.gz": "release one",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def found(house: Path, **variables: object) -> Content:
    return content([house / "machine.yml"], [house / "nginx"], variables, {"artifact.tar.gz": house / "app.tar.gz"})


def made(house: Path, python: str = "3.11", **variables: object) -> str:
    return identity(found(house, **variables), {"python_version": python})


def test_a_bundle_lies_as_ansible_looks_for_it(house: Path) -> None:
    whole = archive(found(house, nginx_workers=2))
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        assert tar.getnames() == ["files/artifact.tar.gz", "machine.yml", "roles/nginx/tasks/main.yml", "variables.json"]
        variables = tar.extractfile("variables.json")
        assert variables
        assert json.load(variables) == {"nginx_workers": 2}


def test_equal_content_gives_equal_bytes_wherever_and_whenever(house: Path, tmp_path: Path) -> None:
    first, elsewhere = archive(found(house, a=1, b=2)), tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("app.tar.gz", "nginx", "machine.yml"):
        (house / name).rename(elsewhere / name)
    (elsewhere / "machine.yml").touch()
    assert archive(found(elsewhere, b=2, a=1)) == first


def test_the_same_goes_in_the_same_comes_out(house: Path) -> None:
    assert made(house, a=1, b=2) == made(house, b=2, a=1)
    assert len(made(house)) == 12


@pytest.mark.parametrize("name", ["machine.yml", "nginx/tasks/main.yml", "app.tar.gz"])
def test_a_changed_playbook_role_or_artifact_changes_it(house: Path, name: str) -> None:
    before = made(house)
    (house / name).write_text("other")
    assert made(house) != before


def test_a_changed_variable_or_python_changes_it(house: Path) -> None:
    assert len({made(house), made(house, nginx_workers=2), made(house, nginx_workers=3), made(house, "3.13")}) == 4


def test_a_renamed_file_changes_it(house: Path) -> None:
    before = made(house)
    (house / "nginx/tasks/main.yml").rename(house / "nginx/tasks/install.yml")
    assert made(house) != before


def test_documentation_and_leftovers_do_not(house: Path) -> None:
    before = made(house)
    (house / "nginx/README.md").write_text("other words\n")
    (house / "nginx/.main.yml.swp").write_text("x")
    assert made(house) == before
