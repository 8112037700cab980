"""What the inventories set, side by side: one table for each file of group_vars/stack/, a row for each variable or entry of a map.

role_docs.py writes it into docs/stacks.md (`make docs`), and a test keeps it current. An inventory that is added brings its column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
FIRST = "uda"  # the default stack; the others follow by name
NOT_A_STACK = "template"


class Loader(yaml.SafeLoader):
    """Reads inventories: an encrypted value is told as such, other tags are passed over."""


def tagged(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if suffix == "vault":
        return "(encrypted)"
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_undefined(node)


Loader.add_multi_constructor("!", tagged)


def stacks(inventories: Path = PROJECT / "inventories") -> list[Path]:
    """The inventories of stacks, the default one first."""
    found = [path for path in inventories.iterdir() if (path / "group_vars/stack").is_dir() and path.name != NOT_A_STACK]
    return sorted(found, key=lambda path: (path.name != FIRST, path.name))


def tables(inventories: Path = PROJECT / "inventories") -> str:
    """Markdown: a heading and a table for each file name that some inventory has."""
    chosen = stacks(inventories)
    files = sorted(
        {file.name for stack in chosen for file in (stack / "group_vars/stack").glob("*.yml")}, key=lambda name: (name != "stack.yml", name)
    )
    parts = []
    for file in files:
        columns = [dict(rows(read(stack / "group_vars/stack" / file))) for stack in chosen]
        names = list(dict.fromkeys(name for column in columns for name in column))
        head = ["set in `" + file + "`", *(stack.name for stack in chosen)]
        lines = [head, ["---"] * len(head), *([f"`{name}`", *(column.get(name, "") for column in columns)] for name in names)]
        parts.append(
            f"## {file.removesuffix('.yml').replace('_', ' ').capitalize()}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)
        )
    return "\n\n".join(parts)


def read(file: Path) -> Mapping[str, Any]:
    return (yaml.load(file.read_text(), Loader) or {}) if file.exists() else {}  # noqa: S506 a safe loader with a few tags more


def rows(variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Variable, or entry of a map of maps as `variable.key`, with its value in one line."""
    for name, value in variables.items():
        if isinstance(value, dict) and value and all(isinstance(entry, dict) for entry in value.values()):
            yield from ((f"{name}.{key}", cell(entry)) for key, entry in value.items())
        else:
            yield name, cell(value)


def cell(value: Any) -> str:
    """A value as YAML in one line, as code."""
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6).strip()
    text = text.removesuffix("...").strip().replace("\n", " ").replace("|", "\\|")
    return f"`{text}`" if text else "(empty)"
