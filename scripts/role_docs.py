"""Keep what the pages say of roles equal to roles/*/meta/argument_specs.yml, and what docs/stacks.md says of stacks to the inventories.

Each role's README has a table of its arguments, the project's README one of the roles, docs/stacks.md those of stack_docs.py, all between
markers.
Usage: role_docs.py [--write]. Without --write it only names the pages that differ, with status 1.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import stack_docs
import yaml

PROJECT = Path(__file__).resolve().parent.parent
ROLES = PROJECT / "roles"
LONGEST_DEFAULT = 60

Options = dict[str, dict[str, Any]]


def roles() -> list[Path]:
    return sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml"))


def specs(role: Path) -> dict[str, dict[str, Any]]:
    """The role's entry points, `main` first, each with its specification."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return {name: found[name] for name in sorted(found, key=lambda name: name != "main")}


def options(role: Path) -> Options:
    """The arguments of all entry points together."""
    return {name: option for spec in specs(role).values() for name, option in spec.get("options", {}).items()}


def flattened(spec: Options, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option in the order of the file, the fields of a dictionary after it as `parent.field`."""
    for name, option in spec.items():
        yield prefix + name, option
        nested = option.get("options", {})
        yield from flattened(nested, f"{prefix}{name}{'[]' if option['type'] == 'list' else ''}.")


def argument_table(role: Path) -> str:
    """The tables of a role's entry points; those besides `main` under a heading that says how to call them."""
    parts = []
    for name, spec in specs(role).items():
        if name != "main":
            parts.append(f"### `tasks_from: {name}`\n\n{spec['short_description']}.")
        rows = [(f"`{key}`", kind(o), default(o), description(o)) for key, o in flattened(spec.get("options", {}))]
        parts.append(table(("argument", "type", "default", "meaning"), rows) if rows else "It takes no argument.")
    return "\n\n".join(parts)


def role_table() -> str:
    rows = [(f"[{role.name}](roles/{role.name})", escaped(specs(role)["main"]["short_description"])) for role in roles()]
    return table(("role", "what it makes"), rows)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ("---",) * len(head), *rows])


def kind(option: dict[str, Any]) -> str:
    return f"list of {option['elements']}" if "elements" in option else str(option["type"])


def default(option: dict[str, Any]) -> str:
    if "default" not in option:
        return "**required**" if option.get("required") else ""
    value = option["default"]
    text = escaped(value if isinstance(value, str) and value else json.dumps(value))
    return f"`{text}`" if len(text) <= LONGEST_DEFAULT else "see `defaults/main.yml`"


def description(option: dict[str, Any]) -> str:
    found = option.get("description", "")
    text = " ".join(found) if isinstance(found, list) else str(found)
    if "choices" in option:
        text += f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}."
    text = re.sub(r"\b[CIO]\(([^)]*)\)", r"`\1`", text)  # Ansible's own markup
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def pages() -> Iterator[tuple[Path, str, str]]:
    """Every page with a generated table: its path, the markers' name, the table."""
    yield PROJECT / "README.md", "roles", role_table()
    for role in roles():
        yield role / "README.md", "arguments", argument_table(role)
    yield PROJECT / "docs" / "stacks.md", "stacks", stack_docs.tables()


def rendered(page: Path, name: str, content: str) -> str:
    """The page with `content` between its markers. ValueError says which marker is missing."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    text = page.read_text() if page.exists() else ""
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{page.relative_to(PROJECT)} needs the lines {begin} and {end}, each once")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"


def main(arguments: list[str]) -> int:
    status = 0
    for page, name, content in pages():
        try:
            fresh = rendered(page, name, content)
        except ValueError as problem:
            print(problem)
            status = 1
            continue
        if fresh == page.read_text():
            continue
        if "--write" in arguments:
            page.write_text(fresh)
            print(f"wrote {page.relative_to(PROJECT)}")
        else:
            print(f"{page.relative_to(PROJECT)} is not what the project's files say now: run `make docs`")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
