"""What the project has is named in its pages, and what the pages name exists."""

from __future__ import annotations

import re

import pytest
import tree


@pytest.mark.parametrize("playbook", tree.names("playbooks", "*.yml"))
def test_playbook_is_named(playbook: str) -> None:
    assert f"playbooks/{playbook}" in tree.read("README.md")
    assert re.search(rf"^## `playbooks/{re.escape(playbook)}`$", tree.read("docs/playbooks.md"), re.MULTILINE), "a heading of its own"


@pytest.mark.parametrize("role", tree.names("roles", "*"))
def test_role_is_named(role: str) -> None:
    assert f"(roles/{role})" in tree.read("README.md")


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{name}" for name in tree.names("docs", "*.md"))])
def test_named_files_exist(page: str) -> None:
    named = re.findall(r"`((?:playbooks|roles|inventories|scripts|examples|benchmarks|lab|plugins)/[\w./-]+)`", tree.read(page))
    assert [name for name in named if not (tree.PROJECT / name).exists()] == []


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{name}" for name in tree.names("docs", "*.md"))])
def test_named_make_targets_exist(page: str) -> None:
    named = set(re.findall(r"(?:`|^|\n|&& )make ([a-z]+)", tree.read(page)))
    assert named <= set(targets())


def targets() -> dict[str, str]:
    """Target -> help, empty when it has none."""
    found = re.findall(r"^([a-z]+):(?!=)(?:.*?## (.*))?", tree.read("Makefile"), re.MULTILINE)
    return dict(found)


def test_make_targets_have_help() -> None:
    assert [target for target, text in targets().items() if not text] == []


def test_make_targets_are_one_command() -> None:
    recipes = re.findall(r"^([a-z]+):(?!=).*\n((?:\t.*\n)+)", tree.read("Makefile"), re.MULTILINE)
    assert [target for target, lines in recipes if lines.count("\n") != 1] == []
