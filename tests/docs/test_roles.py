"""Each role says what it takes, in one truth: argument_specs, defaults and README agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import role_docs
import tree
import yaml

ROLES = tree.names("roles", "*")
HOST_ROLES = [
    "app_migrate", "app_release", "base", "boot_environment", "cloudwatch_agent", "gunicorn", "image_cleanup", "nginx", "node",
    "release_pull",
]  # fmt: skip


def role_path(role: str) -> Path:
    return tree.PROJECT / "roles" / role


@pytest.mark.parametrize("role", ROLES)
def test_role_has_argument_specs(role: str) -> None:
    for spec in role_docs.specs(role_path(role)).values():
        assert spec["short_description"]
        undescribed = [n for n, option in role_docs.flattened(spec.get("options", {})) if not option.get("description")]
        assert undescribed == []


PAGES = list(role_docs.pages())


@pytest.mark.parametrize(("page", "name", "content"), PAGES, ids=[str(page.relative_to(tree.PROJECT)) for page, _name, _content in PAGES])
def test_generated_table_is_fresh(page: Path, name: str, content: str) -> None:
    assert role_docs.rendered(page, name, content) == page.read_text(), "run `make docs`"


@pytest.mark.parametrize("role", ROLES)
def test_arguments_carry_the_roles_prefix(role: str) -> None:
    arguments = role_docs.options(role_path(role))
    assert [name for name in arguments if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_agree(role: str) -> None:
    defaults = tree.load(role_path(role) / "defaults" / "main.yml") or {}
    public = {name: value for name, value in defaults.items() if not name.startswith("__")}
    specified = {name: option["default"] for name, option in role_docs.options(role_path(role)).items() if "default" in option}
    assert public == specified


@pytest.mark.parametrize("role", ROLES)
def test_required_arguments_have_no_default(role: str) -> None:
    both = [name for name, option in role_docs.options(role_path(role)).items() if option.get("required") and "default" in option]
    assert both == []


@pytest.mark.parametrize("role", ROLES)
def test_constants_are_private(role: str) -> None:
    constants: set[str] = set()
    for path in (role_path(role) / "vars").glob("*.yml"):
        constants |= set(tree.load(path) or {})
    assert [name for name in constants if not name.startswith((f"__{role}_", f"{role}_"))] == []


@pytest.mark.parametrize("role", ROLES)
def test_readme_example_is_valid(role: str) -> None:
    """Every argument of the example exists, and no required one is missing."""
    examples = re.findall(r"```yaml\n(.*?)```", (role_path(role) / "README.md").read_text(), re.DOTALL)
    tasks = [task for example in examples for task in yaml.safe_load(example)]
    calls = [(task[module], task.get("vars", {})) for task in tasks for module in task if module.endswith("_role")]
    assert calls
    for call, arguments in calls:
        assert call["name"] == role
        options = role_docs.specs(role_path(role))[call.get("tasks_from", "main")].get("options", {})
        required = {name for name, option in options.items() if option.get("required")}
        assert required <= set(arguments) <= set(options)


@pytest.mark.parametrize("role", HOST_ROLES)
def test_host_role_has_a_molecule_scenario(role: str) -> None:
    assert (tree.PROJECT / "molecule" / role / "molecule.yml").exists()


@pytest.mark.parametrize("role", sorted(set(ROLES) - set(HOST_ROLES)))
def test_other_roles_are_used_by_a_playbook(role: str) -> None:
    assert any(f"name: {role}\n" in path.read_text() for path in tree.files("playbooks/*.yml"))
