"""Rules that hold for every file of the project."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest
import tree

FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(^|[^\w.])/(work|farm|root|tmp/w)/"),
    "a package registry's host": re.compile(r"(pypi|pythonhosted|npmjs)\.(org|com)"),
    "an unfinished note": re.compile(r"\b(TODO|FIXME|XXX)\b"),
    "a secret-looking AWS key": re.compile(r"\bA(KIA|SIA)(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_forbidden_text(what: str) -> None:
    own = Path(__file__)
    found = []
    for path in tree.files():
        if path == own or path.suffix in {".png", ".gz", ".svg"}:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(tree.PROJECT)}:{number}: {line.strip()[:120]}")
    assert found == []


def test_no_link_is_committed() -> None:
    """A checkout may be copied without links, and then what they led to is missing."""
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=tree.PROJECT, check=True, capture_output=True, text=True).stdout
    assert [line for line in listed.splitlines() if line.startswith("120000")] == []


def test_yaml_files_end_in_yml() -> None:
    wrong = [path.name for path in tree.files("*.yaml") if path.name != ".pre-commit-config.yaml"]
    assert wrong == []


@pytest.mark.parametrize("path", tree.files("plugins/*.py"), ids=lambda path: str(path.relative_to(tree.PROJECT)))
def test_plugins_carry_their_licence(path: Path) -> None:
    assert "# SPDX-License-Identifier: GPL-3.0-or-later" in path.read_text().splitlines()[:5]


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in tree.read(name).splitlines() if line and not line.lstrip().startswith("#")]
        assert [line for line in lines if not re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==\S+( ;.*)?", line)] == []


PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", re.MULTILINE)
ASKED = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?(?:==(\S+))?$", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return {package.lower(): version for package, version in PIN.findall(tree.read(name))}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_requirements_cover_what_is_asked(name: str) -> None:
    pinned = pins(f"{name}.txt")
    asked = {package.lower(): version for package, version in ASKED.findall(tree.read(f"{name}.in"))}
    assert {package: version or pinned.get(package) for package, version in asked.items()} == {
        package: pinned.get(package, "not pinned") for package in asked
    }


def test_development_pins_are_the_runtime_pins() -> None:
    development = pins("requirements-dev.txt")
    runtime = pins("requirements.txt")
    assert {package: development.get(package) for package in runtime} == runtime


def collections() -> list[tuple[str, str]]:
    wanted = tree.load(tree.PROJECT / "collections" / "requirements.yml")["collections"]
    return [(entry["name"], entry["version"]) for entry in wanted]


@pytest.mark.parametrize(("name", "version"), collections())
def test_collections_are_those_of_the_ansible_package(name: str, version: str) -> None:
    spec = importlib.util.find_spec("ansible_collections")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    manifest = Path(spec.submodule_search_locations[0], *name.split("."), "MANIFEST.json")
    assert json.loads(manifest.read_text())["collection_info"]["version"] == version


def test_every_used_collection_is_required() -> None:
    used = set()
    for path in tree.files("roles/*.yml", "playbooks/*.yml", "molecule/*.yml", ".config/*.yml", "inventories/*.yml"):
        used |= set(re.findall(r"^\s+(?:plugin: )?([a-z]+\.[a-z]+)\.[a-z_0-9]+:?$", path.read_text(), re.MULTILINE))
    assert used - {"ansible.builtin"} <= {name for name, _ in collections()}


def test_actions_are_pinned_by_hash() -> None:
    uses = re.findall(r"uses: (\S+)", tree.read(".github/workflows/test.yml"))
    assert uses
    assert [action for action in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []
