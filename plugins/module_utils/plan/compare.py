# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted minus found. Pure: resources in, changes out, in the order in which a run would make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..stack.database_rules import begins, version_met
from .model import LATER, Change, Difference, Kind, Resource, Unknown, Version

MISSING = None  # a field that one side does not have
GUARDDUTY = "GuardDutyManaged"  # its tag on endpoints and groups (Amazon GuardDuty User Guide, "How Runtime Monitoring works")
WINDOW = "in the maintenance window"

Identity = tuple[str, str]


class DuplicateError(Exception):
    """Two resources of one side claim the same kind and key; the message names both."""


class MissingError(Exception):
    """Something that the stack borrows does not stand, and is not made; the message names it."""


def compare(wanted: Iterable[Resource], found: Iterable[Resource], kinds: Mapping[str, Kind], *, removing: bool = False) -> list[Change]:
    """Everything that would change, is foreign or waits for its window; `removing`, what is not wanted goes, as destroy does it.

    What stands in a wanted place a run takes up, whose ever it is.
    Raises DuplicateError when two resources of one side have the same kind and key, MissingError when a borrowed one is not there.
    """
    want, standing_all = by_identity(wanted), list(found)
    have = by_identity(item for item in standing_all if not item.foreign or (item.kind, item.key) in want)
    foreign = [item for item in standing_all if item.foreign and (item.kind, item.key) not in want]
    if missing := [f"{item.kind} {item.title}" for identity, item in want.items() if item.borrowed and identity not in have]:
        raise MissingError(f"There is no {', no '.join(missing)} to borrow")
    order = {name: number for number, name in enumerate(kinds)}
    changes = [
        *(Change("create", item, created(item)) for identity, item in want.items() if identity not in have),
        *(change for identity in want.keys() & have.keys() for change in standing(want[identity], have[identity], kinds)),
        *(
            left(item, kinds[item.kind], removing=removing)
            for identity, item in have.items()
            if identity not in want and not (item.borrowed or item.by_name)
        ),
        *(stranger(item, kinds[item.kind]) for item in foreign),
    ]
    changes.sort(key=lambda change: (order[change.resource.kind], change.resource.key, change.action))
    return [followed(change, want.values()) for change in changes]


def by_identity(resources: Iterable[Resource]) -> dict[Identity, Resource]:
    """Resources by kind and key."""
    result: dict[Identity, Resource] = {}
    for item in resources:
        other = result.setdefault((item.kind, item.key), item)
        if other is not item:
            raise DuplicateError(
                f"two resources of kind {item.kind} are called {item.key}: {other.id or other.title}, {item.id or item.title}"
            )
    return result


def standing(want: Resource, have: Resource, kinds: Mapping[str, Kind]) -> Iterator[Change]:
    """What is wanted and found: its differing fields in one change, and those that wait for their window in another."""
    kind = kinds[want.kind]
    differences = tuple(differing(want, have, kind))
    waiting = tuple(
        item
        for item in differences
        if item.field in want.window and item.field in have.pending and same(item.new, have.pending[item.field])
    )
    now = tuple(item for item in differences if item not in waiting)
    if any(item.forces for item in now):
        yield Change("replace", have, now, "a run refuses it, since it is borrowed" if want.borrowed else kind.replaced)
    elif now:
        yield Change("update", have, now, "; ".join(dict.fromkeys(done(item, want, kind) for item in now if item.field in kind.effects)))
    if waiting:
        yield Change("pending", have, waiting, "; ".join(dict.fromkeys(kind.waits.get(item.field, WINDOW) for item in waiting)))


def done(difference: Difference, want: Resource, kind: Kind) -> str:
    """What the change of a field does to the service."""
    effect = kind.effects[difference.field]
    return f"{effect}, {WINDOW}" if difference.field in want.window else effect


def differing(want: Resource, have: Resource, kind: Kind) -> Iterator[Difference]:
    """The fields that differ, or will when what waits has come. A field that is not wanted is AWS's, or a scaler's, and not compared."""
    for name, new in want.fields.items():
        old = have.fields.get(name, MISSING)
        if not same(new, old):
            yield Difference(name, old, new, name in kind.forces or unreached(name, new, old, kind))
        elif name in have.pending and not asked_for(new, have.pending[name]):
            yield Difference(name, have.pending[name], new)  # it is taken back


def asked_for(new: Any, coming: Any) -> bool:
    """Whether what waits is what is wanted. Later versions that meet a wanted one come without being asked for, and do not wait."""
    return begins(new.text, str(coming)) if isinstance(new, Version) else same(new, coming)


def same(new: Any, old: Any) -> bool:
    """Whether a wanted value is met. What is known only after the run, or not told yet by AWS, is taken as met."""
    if isinstance(new, Unknown) or isinstance(old, Unknown):
        return old is not MISSING
    if isinstance(new, Version):
        return version_met(new.text, str(old), new.majors)
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return new.keys() == old.keys() and all(same(new[key], old[key]) for key in new)
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(map(same, new, old))
    return bool(new == old)


def unreached(name: str, new: Any, old: Any, kind: Kind) -> bool:
    """Whether AWS cannot change a field from what is found to what is wanted, though it can change it to other values."""
    told = name in kind.reached and not isinstance(new, Unknown) and not isinstance(old, Unknown)
    return told and not kind.reached[name](new, old)


def created(item: Resource) -> tuple[Difference, ...]:
    return tuple(Difference(name, MISSING, value) for name, value in item.fields.items() if value is not MISSING)


def existing(item: Resource) -> tuple[Difference, ...]:
    return tuple(Difference(name, value, MISSING) for name, value in item.fields.items())


def left(item: Resource, kind: Kind, *, removing: bool) -> Change:
    """The stack's own that the inventory does not have: a run takes it away, or leaves it to destroy."""
    if removing or kind.pruned:
        return Change("delete", item, existing(item))
    return Change("foreign", item, existing(item), "no longer in the inventory; a run leaves it, destroy removes it", opens=kind.opens)


def stranger(item: Resource, kind: Kind) -> Change:
    """Somebody else's. What GuardDuty puts into a VPC to watch its machines is AWS's and opens nothing of the stack."""
    if (item.fields.get("tags") or {}).get(GUARDDUTY) == "true":
        return Change("foreign", item, existing(item), "GuardDuty's")
    effect = "opens or grants something that the inventory does not" if kind.opens else "not the stack's"
    return Change("foreign", item, existing(item), effect, opens=kind.opens)


def followed(change: Change, wanted: Iterable[Resource]) -> Change:
    """A replaced resource with the names of those that refer to it by its id."""
    if change.action != "replace" or not change.resource.id:
        return change
    names = [f"{item.kind} {item.title}" for item in wanted if mentions(item.fields, change.resource.id)]
    return replace(change, follows=tuple(names))


def mentions(value: Any, text: str) -> bool:
    """Whether a text is somewhere in a value."""
    if isinstance(value, Mapping):
        return any(mentions(item, text) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(mentions(item, text) for item in value)
    return isinstance(value, str) and text in value


def shown(value: Any) -> Any:
    """A value for people and for JSON: what is known later says so, secrets stay secret."""
    if isinstance(value, Mapping):
        return {shown(key): shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return LATER.sub(lambda match: f"(known after apply: {match[3]} of {match[1]} {match[2]})", value)
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)
