# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the plan: kinds, resources, changes. Plain values; nothing here reads or writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fields = Mapping[str, Any]
Action = Literal["create", "update", "replace", "delete", "foreign", "pending"]

LATER = re.compile(r"<([a-z_]+)/([^<>#]+)#([a-z_]+)>")


def later(kind: str, name: str, attribute: str = "id") -> str:
    """What stands for a value that AWS will tell when the resource is there: `<subnet/public_1#id>`.

    Playbooks' expressions carry it along, also as a part of a longer text.
    """
    return f"<{kind}/{name}#{attribute}>"


@dataclass(frozen=True)
class Unknown:
    """A wanted value that cannot be known before the run; `why` says where it comes from."""

    why: str

    def __str__(self) -> str:
        return f"(known after apply: {self.why})"


@dataclass(frozen=True)
class Version:
    """A wanted version, and how many of its numbers are the major one; database_rules.version_met says what meets it."""

    text: str
    majors: int = 1

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Secret:
    """A value that is never shown: two are equal when their digests are."""

    digest: str

    def __str__(self) -> str:
        return "(secret)"


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    `layer` is the playbook that makes it. `forces` are the fields that AWS cannot change on what stands: another value is another
    resource. `effects` says by field what a change does to the service; what is not in it does nothing to it. `pruned` says whether the
    layer takes away what the inventory no longer has. `opens` says whether a foreign one opens or grants something, which is drift.
    `reached` says, of the fields that AWS can change in one direction alone, whether it can (wanted, found); else another value is another
    resource, too. `waits` says, of a field that is pending, what it waits for where that is not the maintenance window. `replaced` says
    what a replacement does.
    """

    name: str
    layer: str
    forces: frozenset[str] = frozenset()
    effects: Mapping[str, str] = field(default_factory=dict)
    pruned: bool = False
    opens: bool = False
    reached: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict)
    waits: Mapping[str, str] = field(default_factory=dict)
    replaced: str = "replacement"


@dataclass(frozen=True)
class Resource:
    """One resource, wanted or found.

    `key` tells resources of a kind apart and is the same on both sides: the key in the inventory's map, or the name. `name` is for people.
    `id` is AWS's, empty for what is wanted. `fields` are normalised: the same meaning is the same value. `foreign` is found in or on what
    is the stack's without being its own; `borrowed` is used and never changed beyond what the stack adds. `pending` holds fields that
    AWS has accepted and will change in the maintenance window, with their coming values; `window`, of what is wanted, are the fields whose
    change the run leaves to it, so that what waits there is not brought about at once. `by_name` is found by its name alone, without the
    stack's tag: it counts only where one of that name is wanted. `layer` is the playbook that makes it, empty for its kind's.
    """

    kind: str
    key: str
    fields: Fields
    name: str = ""
    id: str = ""
    foreign: bool = False
    borrowed: bool = False
    pending: Fields = field(default_factory=dict)
    window: frozenset[str] = frozenset()
    by_name: bool = False
    layer: str = ""

    @property
    def title(self) -> str:
        return self.name or self.key


@dataclass(frozen=True)
class Difference:
    """One field: what is found and what is wanted. `forces` marks one that makes the resource be replaced."""

    field: str
    old: Any
    new: Any
    forces: bool = False


@dataclass(frozen=True)
class Change:
    """What would happen to one resource, and what that does to the service.

    `follows` names what refers to it and changes with it. `opens` says of a foreign one that it opens or grants something, which is drift.
    """

    action: Action
    resource: Resource
    differences: tuple[Difference, ...] = ()
    effect: str = ""
    follows: tuple[str, ...] = ()
    opens: bool = False
