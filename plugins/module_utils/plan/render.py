# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for machines, for people and for pull requests. Pure: changes in, values and text out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from . import cost
from .compare import shown
from .model import Change, Kind, Resource

SIGNS = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "foreign": "?", "pending": "..."}
COLOURS = {"create": 32, "update": 33, "replace": 31, "delete": 31, "foreign": 35, "pending": 36}
DONE_BY_A_RUN = ("create", "update", "replace", "delete")


def as_json(
    changes: Sequence[Change], wanted: Sequence[Resource], kinds: Mapping[str, Kind], underway: Mapping[tuple[str, str], str] | None = None
) -> dict[str, Any]:
    """`{changes: [...], counts: {action: n}, unchanged: n, underway: [...], layers: [...], settled: [...], empty: bool, digest, wanted}`.

    `underway` by kind and key is what AWS still works on. `layers` are those that a run has to go through, to do something or to wait for
    that; `settled` the others. `empty` says that a run has nothing to do and that nobody has opened anything. `digest` is the same for the
    same changes. Secrets and what is not known yet are told by words.
    """
    counts = Counter(change.action for change in changes)
    touched = {(change.resource.kind, change.resource.key) for change in changes if change.action not in ("foreign", "delete")}
    opened = any(change.opens for change in changes)
    made_by = {(one.kind, one.key): one.layer for one in wanted if one.layer}
    order = list(dict.fromkeys([*made_by.values(), *(kind.layer for kind in kinds.values())]))
    entries = [
        entry(change, made_by.get((change.resource.kind, change.resource.key), kinds[change.resource.kind].layer)) for change in changes
    ]
    entries.sort(key=lambda one: order.index(one["layer"]))
    following = {name for change in changes for name in change.follows}
    changed = {one["layer"] for one in entries if one["action"] in DONE_BY_A_RUN}
    waiting = [one for one in wanted if (one.kind, one.key) in (underway or {})]
    referring = [one for one in wanted if f"{one.kind} {one.title}" in following]
    concerned = changed | {one.layer or kinds[one.kind].layer for one in [*waiting, *referring]}
    return {
        "changes": entries,
        "counts": dict(counts),
        "unchanged": len(wanted) - len(touched),
        "underway": [{"kind": one.kind, "name": one.title, "state": (underway or {})[one.kind, one.key]} for one in waiting],
        "layers": [layer for layer in order if layer in concerned],
        "settled": [layer for layer in order if layer not in concerned],
        "empty": not changed and not opened,
        "wanted": [
            {"layer": one.layer or kinds[one.kind].layer, "kind": one.kind, "key": one.key, "name": one.title, "fields": shown(one.fields)}
            for one in wanted
        ],
        "digest": hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest(),
    }


def entry(change: Change, layer: str) -> dict[str, Any]:
    """One change as plain values."""
    resource = change.resource
    return {
        "action": change.action,
        "layer": layer,
        "kind": resource.kind,
        "key": resource.key,
        "name": resource.title,
        "id": resource.id,
        "effect": change.effect,
        "follows": list(change.follows),
        "opens": change.opens,
        "fields": [
            {"field": one.field, "old": shown(one.old), "new": shown(one.new), "forces_replacement": one.forces}
            for one in change.differences
        ],
    }


def printed(plan: Mapping[str, Any], form: str, name: str, *, reach: bool = False) -> str:
    """A plan in the form that is asked for, with `reach` also all of its reachability. Raises ValueError for a form that is not known."""
    forms: dict[str, Callable[[], str]] = {
        "text": lambda: "\n".join([as_text(plan, colour=True), *reach_lines(plan, whole=reach)]),
        "markdown": lambda: "\n".join([as_markdown(plan, name), "", *reach_lines(plan, whole=reach)]).rstrip("\n"),
        "json": lambda: json.dumps(plan, indent=2),
        "summary": lambda: summary(plan),
        "none": lambda: "",
    }
    if form not in forms:
        raise ValueError(f"plan_format is {form!r}. Choose one of {', '.join(forms)}")
    return forms[form]()


def as_text(plan: Mapping[str, Any], colour: bool = False) -> str:
    """The plan for people: by layer, what does not change only counted."""
    lines = []
    layer = ""
    for change in plan["changes"]:
        if change["layer"] != layer:
            layer = change["layer"]
            lines += ["", layer]
        lines += told(change, colour)
    estimate = ["", *cost.as_text(plan["cost"])] if "cost" in plan else []
    return "\n".join([*lines, "", counted(plan), *estimate]).strip("\n")


def told(change: Mapping[str, Any], colour: bool) -> Iterator[str]:
    """One change in lines."""
    title = f"{SIGNS[change['action']]} {change['action']} {change['kind']} {change['name']}" + (
        f" ({change['id']})" if change["id"] else ""
    )
    yield f"  \x1b[{COLOURS[change['action']]}m{title}\x1b[0m" if colour else f"  {title}"
    for field in change["fields"]:
        for words in field_lines(field, change["action"]):
            yield f"      {words}"
    if change["effect"]:
        yield f"      => {change['effect']}"
    if change["follows"]:
        yield f"      what refers to it: {', '.join(change['follows'])}"


def field_lines(field: Mapping[str, Any], action: str) -> Iterator[str]:
    """`field: old -> new`; of maps and lists only what differs."""
    name, old, new = field["field"], field["old"], field["new"]
    forces = "  (forces replacement)" if field["forces_replacement"] else ""
    if action == "create":
        yield f"{name}: {plain(new)}"
    elif action in ("delete", "foreign"):
        yield f"{name}: {plain(old)}"
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(key for key in {*old, *new} if old.get(key) != new.get(key)):
            yield f"{name}.{key}: {plain(old.get(key))} -> {plain(new.get(key))}{forces}"
    elif isinstance(old, list) and isinstance(new, list):
        signed = [f"-{plain(item)}" for item in old if item not in new] + [f"+{plain(item)}" for item in new if item not in old]
        yield f"{name}: {', '.join(signed) or 'another order'}{forces}"
    else:
        yield f"{name}: {plain(old)} -> {plain(new)}{forces}"


def plain(value: Any) -> str:
    """A value in a line."""
    if value is None:
        return "(none)"
    return value if isinstance(value, str) and value else json.dumps(value, sort_keys=True)


def summary(plan: Mapping[str, Any]) -> str:
    """The plan in one line, and its cost in another."""
    return "\n".join([counted(plan), *([f"Cost by the month, estimated: {cost.short(plan['cost'])}."] if "cost" in plan else [])])


def counted(plan: Mapping[str, Any]) -> str:
    """The plan in one line, and in another what AWS still works on."""
    waits = "".join(f"\nUnder way: {one['kind']} {one['name']} ({one['state']})." for one in plan.get("underway", []))
    counts = [f"{plan['counts'][action]} to {action}" for action in ("create", "update", "replace", "delete") if plan["counts"].get(action)]
    counts += [f"{plan['counts'][action]} {action}" for action in ("foreign", "pending") if plan["counts"].get(action)]
    unchanged = f"{plan['unchanged']} unchanged"
    return (f"Plan: {', '.join([*counts, unchanged])}." if counts else f"Nothing to do: {unchanged}.") + waits


def as_markdown(plan: Mapping[str, Any], name: str) -> str:
    """The plan for a pull request."""
    lines = [f"### Plan of `{name}`", "", counted(plan)]
    if plan["changes"]:
        lines += ["", "| | resource | fields |", "| --- | --- | --- |"]
    for change in plan["changes"]:
        fields = "<br>".join(words.replace("|", "\\|") for field in change["fields"] for words in field_lines(field, change["action"]))
        lines.append(f"| {change['action']} | {change['kind']} `{change['name']}` | {fields} |")
    if "cost" in plan:
        lines += ["", cost.line(plan["cost"])]
    return "\n".join(lines)


def reach_lines(plan: Mapping[str, Any], *, whole: bool) -> list[str]:
    """Reachability in one line and what is broken of it, or `whole`, all of it; tables that a terminal and Markdown both show."""
    told = plan.get("reachability") or {"answers": [], "broken": [], "expectations": 0}
    broken, count = told["broken"], told["expectations"]
    lines = [f"Reachability: {len(broken)} of {count} expectations broken." if broken else f"Reachability: {count} expectations hold."]
    rows = told["answers"] if whole else broken
    if rows:
        lines += ["", "| side | from | to | port | reachable | why |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        does = "partly" if row["partly"] else "yes" if row["reachable"] else "no"
        lines.append(f"| {row['side']} | {row['from']} | {row['to']} | {row['port']} | {does} | {row['reason']} |")
    return lines if count or rows else []
