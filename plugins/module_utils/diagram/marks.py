# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan says about what is in the picture, and about what is not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..plan.model import Change
from .model import Mark

SIGNS = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "foreign": "?", "pending": "..."}
WORST = ("replace", "delete", "foreign", "update", "create", "pending")  # of several, the first is the one that is shown
SHOWN = {"wanted": ("create", "update", "replace", "pending"), "found": ("update", "replace", "delete", "foreign", "pending")}
SETS = ("tags", "tags_of_instances")  # said after the fields that do something

Identity = tuple[str, str]


class Marks:
    """The changes of a plan by what they are about; which of them the picture has shown is remembered."""

    def __init__(self, changes: Iterable[Change], side: str) -> None:
        self.changes: dict[Identity, list[Change]] = {}
        self.side = side
        self._shown: set[Identity] = set()
        for change in changes:
            self.changes.setdefault((change.resource.kind, change.resource.key), []).append(change)

    def of(self, *identities: Identity) -> tuple[Mark, ...]:
        """The marks of one thing in the picture, which may be several resources, the worst first."""
        found = []
        for number, identity in enumerate(identities):
            for change in self.changes.get(identity, []):
                if change.action in SHOWN[self.side]:
                    self._shown.add(identity)
                    found.append(Mark(change.action, said(change, own=number == 0)))
        return tuple(sorted(found, key=lambda mark: WORST.index(mark.action)))

    def rest(self) -> Iterator[str]:
        """What the plan says besides, by action: how many of which kind."""
        left = [change for identity, changes in self.changes.items() for change in changes if not self._told(identity, change)]
        for action in WORST:
            kinds = Counter(change.resource.kind.replace("_", " ") for change in left if change.action == action)
            if kinds:
                counts = ", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in sorted(kinds.items()))
                yield f"{SIGNS[action]} {action}, not in the picture: {counts}"

    def _told(self, identity: Identity, change: Change) -> bool:
        return identity in self._shown and change.action in SHOWN[self.side]


def said(change: Change, *, own: bool) -> str:
    """`~ update: ingress, egress`; of what belongs to the thing in the picture, also what it is."""
    fields = sorted((one.field for one in change.differences), key=lambda name: (name in SETS, name))
    what = "" if own else f" {change.resource.kind.replace('_', ' ')}"
    detail = listed(fields, 3) if change.action in ("update", "replace", "pending") else ""
    return f"{SIGNS[change.action]} {change.action}{what}" + (f": {detail}" if detail else "")


def listed(words: Sequence[str], most: int) -> str:
    """The first of them, and how many there are besides."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def worst(marks: Iterable[Mark]) -> str:
    """The action by which something is coloured, or nothing."""
    return min((mark.action for mark in marks), key=WORST.index, default="")


def rule_action(changes: Mapping[Identity, list[Change]], side: str, group: str, rule: str) -> str:
    """Whether a rule of a security group is a change: one that a run adds, or one that it would take away."""
    for change in changes.get(("security_group", group), []):
        if change.action == "foreign":
            return "foreign" if side == "found" else ""
        if change.action != "update":
            continue
        for one in change.differences:
            old, new = one.old or {}, one.new or {}
            if one.field == "ingress" and side == "wanted" and rule in new and rule not in old:
                return "create"
            if one.field == "ingress" and side == "found" and rule in old and rule not in new:
                return "foreign"
    return ""
