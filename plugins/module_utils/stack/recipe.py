# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe of an image: one hash over everything that goes into it. Pure but for reading the roles' files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

IGNORED = ("README.md", "*.pyc", "__pycache__", ".*", "*~")


def recipe(roles: Iterable[Path], ingredients: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that change when a role's file or an ingredient does."""
    content = {
        "roles": {role.name: {name: digest(path) for name, path in files(role)} for role in sorted(roles)},
        "ingredients": ingredients,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def files(role: Path) -> list[tuple[str, Path]]:
    """The files of a role that can change an image, by their names inside the role; documentation is none."""
    return sorted(
        (str(path.relative_to(role)), path)
        for path in role.rglob("*")
        if path.is_file() and not any(Path(part).match(pattern) for part in path.relative_to(role).parts for pattern in IGNORED)
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
