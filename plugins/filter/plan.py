# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over a plan: what may be done about what it has found (playbooks/adopt.yml)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ansible.module_utils
import yaml
from ansible import constants
from ansible.errors import AnsibleFilterError

# The project's own module_utils, which modules find by themselves and plugins do not.
ansible.module_utils.__path__ = [*ansible.module_utils.__path__, *constants.DEFAULT_MODULE_UTILS_PATH]
from ansible.module_utils.plan import choices

Choice = Mapping[str, Any]


def plan_choices(plan: Mapping[str, Any], stack: Mapping[str, Any], inventory: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The choices that a plan leaves (module_utils/plan/choices.py), by the facts of stack_info and the inventory's variables."""
    found: list[dict[str, Any]] = choices.choices(plan["changes"], stack, inventory)
    return found


def plan_chosen(offered: Sequence[dict[str, Any]], names: str | Sequence[str], done: str) -> list[dict[str, Any]]:
    """The choices of these names or ids. `done` is adopt or remove; fails for one that is not there, or of which that cannot be done."""
    found = []
    for name in [names] if isinstance(names, str) else names:
        choice = choices.chosen(offered, name)
        if choice is None:
            raise AnsibleFilterError(
                f"{done} is {name!r}: not, or not alone, among what there is. Choose by name:\n{plan_choices_text(offered)}"
            )
        if choice[done]["not"]:
            raise AnsibleFilterError(f"{done} is {name!r}, which is not possible: {choice[done]['not']}")
        found.append(choice)
    return found


def plan_choices_text(offered: Sequence[Choice]) -> str:
    """What there is and what each choice would do."""
    lines = [line for choice in offered for line in _told(choice)]
    return "\n".join(lines or ["Nothing: the plan has found nothing that the inventory does not have."])


def _told(choice: Choice) -> Iterator[str]:
    adopt, remove = choice["adopt"], choice["remove"]
    yield f"{choice['name']}" + (f" ({choice['id']})" if choice["id"] else "")
    yield f"    {choice['what']}"
    if adopt["not"]:
        yield f"    adopt: not possible: {adopt['not']}"
    else:
        yield "    adopt: " + ("tags it as the stack's and " if adopt["tags"] else "") + f"prints lines for {', '.join(adopt['lines'])}"
    yield f"    remove: not here: {remove['not']}" if remove["not"] else f"    remove: {remove['says']}"


def plan_lines(chosen: Sequence[Choice]) -> str:
    """The inventory's lines of adopted choices, as YAML."""
    merged: dict[str, Any] = {}
    for choice in chosen:
        _merge(merged, choice["adopt"]["lines"])
    return yaml.safe_dump(_plain(merged), sort_keys=False, allow_unicode=True)


def _merge(into: dict[str, Any], lines: Mapping[str, Any]) -> None:
    for key, value in lines.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        elif isinstance(value, list):
            into[key] = [*into.get(key, []), *value]
        else:
            into[key] = value


def _plain(value: Any) -> Any:
    """Without Ansible's own kinds of strings, which YAML has no form for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "plan_choices": plan_choices,
            "plan_choices_text": plan_choices_text,
            "plan_chosen": plan_chosen,
            "plan_lines": plan_lines,
            "plan_routes_without": choices.routes_without,
        }
