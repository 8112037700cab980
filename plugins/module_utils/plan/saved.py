# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that somebody has saved, read and approved, against the one of now: whether a run would still do that and nothing else. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

TOLD = 20  # differences that are told by name; of more, their number
Plan = Mapping[str, Any]


class SavedError(Exception):
    """A file that holds no plan; the message says what it holds."""


def loaded(text: str) -> dict[str, Any]:
    """A plan from what `plan.yml -e plan_file=` or `-e plan_format=json` has written. Raises SavedError for anything else."""
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise SavedError(f"it is no JSON: {error}") from error
    if not isinstance(plan, dict) or not {"changes", "digest", "wanted"} <= plan.keys():
        raise SavedError("it has no changes, wanted and digest")
    return plan


def refusal(path: str, text: str, now: Plan) -> str:
    """Why a run must not follow the plan saved as `text` in the file `path`: the sentence for the user; empty when it may."""
    try:
        saved = loaded(text)
    except SavedError as error:
        return f"{path} is no saved plan: {error}. Save one with plan.yml -e plan_file={path}"
    differences = list(moved(saved, now))
    if not differences:
        return ""
    more = len(differences) - TOLD
    told = [f"- {one}" for one in differences[:TOLD]] + ([f"- and {more} more"] if more > 0 else [])
    return "\n".join(
        [
            f"A run would not do what {path} says: since then the stack or its inventory has changed. Nothing was changed by this run.",
            *told,
            f"Look at what would be done now, save it with plan.yml -e plan_file={path}, and run again",
        ]
    )


def moved(saved: Plan, now: Plan) -> Iterator[str]:
    """What differs between two plans in the words of render.as_json, one line for each resource, in no more words than are needed.

    What is wanted is compared too: where inventory and world have moved by the same, the changes are the same and still not those that
    were read.
    """
    before, after = (_by_resource(plan["changes"]) for plan in (saved, now))
    wanted_before, wanted_after = ({(one["kind"], one["key"]): one for one in plan["wanted"]} for plan in (saved, now))
    for identity in dict.fromkeys([*before, *after, *wanted_before, *wanted_after]):
        was, is_now = before.get(identity, []), after.get(identity, [])
        name = f"{identity[0]} {_title(identity, before, after, wanted_before, wanted_after)}"
        if was != is_now:
            yield f"{name}: {_done(was)} was planned, now {_done(is_now)}{_fields(was, is_now)}"
        elif wanted_before.get(identity) != wanted_after.get(identity):
            yield f"{name}: the inventory wants something else"


def _by_resource(changes: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The changes of each resource: what waits for the maintenance window is a change beside the others."""
    result = defaultdict(list)
    for change in changes:
        result[change["kind"], change["key"]].append(change)
    return dict(result)


def _title(identity: tuple[str, str], *sides: Mapping[tuple[str, str], Any]) -> str:
    found: Any = next(side[identity] for side in sides if identity in side)
    return str((found[0] if isinstance(found, list) else found)["name"])


def _done(changes: list[dict[str, Any]]) -> str:
    return " and ".join(change["action"] for change in changes) or "nothing"


def _fields(was: list[dict[str, Any]], is_now: list[dict[str, Any]]) -> str:
    """The names of the fields that are told otherwise, where the same is done to them."""
    if [one["action"] for one in was] != [one["action"] for one in is_now]:
        return ""
    before, after = ({field["field"]: field for one in changes for field in one["fields"]} for changes in (was, is_now))
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return f" with another {', '.join(names)}" if names else " of another one, or with another effect"
