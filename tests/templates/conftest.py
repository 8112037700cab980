"""Render a role's template as Ansible would, without any machine: role defaults, role vars, the test's own variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).parents[2] / "roles"
FACTS = {"distribution": "Debian", "distribution_major_version": "12", "os_family": "Debian", "user_id": "admin"}

Render = Callable[..., str]


@pytest.fixture
def render() -> Render:
    """render("nginx", "etc/nginx/nginx.conf", nginx_user="www-data") -> the file's text."""

    def rendered(role: str, path: str, **variables: Any) -> str:
        loader = DataLoader()
        known: dict[str, Any] = {"ansible_managed": "Ansible managed", "ansible_facts": FACTS}
        for part in ("defaults", "vars"):
            file = ROLES / role / part / "main.yml"
            if file.exists():
                known |= loader.load_from_file(str(file), trusted_as_template=True) or {}
        template = trust_as_template((ROLES / role / "templates" / f"{path}.j2").read_text())
        templar = Templar(loader, variables=known | variables)
        text: str = templar.template(template, overrides={"trim_blocks": True, "keep_trailing_newline": True})
        return text

    return rendered


@pytest.fixture
def sections() -> Callable[[str], dict[str, dict[str, list[str]]]]:
    """Read a unit file: section -> key -> values, in order."""

    def read(text: str) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        section: dict[str, list[str]] = {}
        for line in text.splitlines():
            if line.startswith("["):
                section = found.setdefault(line.strip("[]"), {})
            elif line and not line.startswith("#"):
                key, equals, value = line.partition("=")
                assert equals, f"not a unit's line: {line!r}"
                section.setdefault(key, []).append(value)
        return found

    return read
