# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the picture. Plain values; lengths are points (1/72 inch), y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# How far letters lead on, in parts of their size, where that is not what most small letters or capitals do.
ADVANCE = dict.fromkeys("ijl|'", 0.29) | dict.fromkeys(" ,.:;/()[]-!", 0.37) | dict.fromkeys("frt", 0.42) | dict.fromkeys("csvxyz_", 0.6)
ADVANCE |= dict.fromkeys("mMwW@", 0.98)

Family = Literal["load_balancer", "nat_gateway", "bastion", "instance", "fleet", "service", "database", "endpoint"]


@dataclass(frozen=True)
class Mark:
    """What a plan says about something in the picture: the action, and in words what it would do."""

    action: str
    text: str


@dataclass(frozen=True)
class Subnet:
    """A subnet; `lines` are what is said below its name."""

    key: str
    name: str
    zone: str
    tier: str
    lines: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    borrowed: bool = False


@dataclass(frozen=True)
class Unit:
    """A machine, a task or a server of a part. `subnet` is the key of its own, or empty for one that has not been chosen."""

    title: str
    line: str
    subnet: str = ""
    zone: str = ""
    well: bool | None = None


@dataclass(frozen=True)
class Part:
    """Something that stands in subnets: a load balancer, a fleet, a database, ...

    `groups` are the keys of its security groups.
    """

    key: str
    family: Family
    title: str
    lines: tuple[str, ...]
    subnets: tuple[str, ...]
    groups: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    marks: tuple[Mark, ...] = ()
    borrowed: bool = False


@dataclass(frozen=True)
class Outside:
    """Where clients come from that are not in the VPC."""

    key: str
    title: str
    line: str


@dataclass(frozen=True)
class Reach:
    """Who may reach whom at which ports, by the keys of parts and of what is outside. `action` is a rule's that a plan would change."""

    source: str
    target: str
    ports: str
    action: str = ""


@dataclass(frozen=True)
class Picture:
    """Everything that is to be seen, without places."""

    title: str
    subtitle: str
    vpc: str
    subnets: tuple[Subnet, ...]
    parts: tuple[Part, ...]
    outside: tuple[Outside, ...]
    reach: tuple[Reach, ...]
    gateway: str = ""
    marks: tuple[Mark, ...] = ()
    gateway_marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """A line of text, in the colour of an action when it has one."""

    words: str
    size: float = 9
    bold: bool = False
    action: str = ""

    @property
    def width(self) -> float:
        """An upper estimate, by the widths of DejaVu Sans, the widest of the fonts that may draw it."""
        return sum(ADVANCE.get(letter, 0.7 if letter.isupper() else 0.64) + 0.07 * self.bold for letter in self.words) * self.size

    @property
    def height(self) -> float:
        return self.size * 1.4


@dataclass(frozen=True)
class Box:
    """A placed box with its text. `look` says how it is drawn (dot.LOOKS)."""

    key: str
    look: str
    x: float
    y: float
    width: float
    height: float
    texts: tuple[Text, ...] = ()
    action: str = ""
    dashed: bool = False

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Box, gap: float = 0) -> bool:
        """Whether they have a point in common, or come nearer than `gap`."""
        return self.x < other.right + gap and other.x < self.right + gap and self.y < other.bottom + gap and other.y < self.bottom + gap

    def holds(self, other: Box) -> bool:
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom


@dataclass(frozen=True)
class Arrow:
    """A line with its corners, from its source to its target, and the box of its label."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]
    label: Box
    action: str = ""


@dataclass(frozen=True)
class Drawing:
    """A picture with every place."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...] = field(default=())
