# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of a picture stands. Pure.

Zones are columns, tiers are rows, and what spans zones (load balancer, fleet, database) is one box across their subnets. Graphviz's own
layouts cannot do that, since boxes that hold others cannot cross in them; so the places are reckoned here and Graphviz draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from . import lines
from .marks import SIGNS, listed, worst
from .model import Box, Drawing, Mark, Part, Picture, Subnet, Text, Unit
from .sight import FOREIGN

MARGIN, PAD, GAP = 24, 12, 34  # GAP is between lanes: an arrow and its label stand in it
NARROWEST = 190
CHANNEL = 28  # between zones: arrows pass there, and it is wider for wide labels
SIDE = 26  # from the VPC to the column beside it, before the lines that pass there
TIERS = ("public", "private")  # those, then others by their names, and strangers
LANES = {"load_balancer": 0, "nat_gateway": 1, "bastion": 1, "instance": 1, "fleet": 2, "service": 2, "database": 3, "endpoint": 4}
BESIDE = 40  # between those outside
PASSES = 8
MOST_UNITS = 4  # of a part in one subnet
COLOURED = {
    "create": "is made",
    "update": "changes",
    "replace": "is replaced",
    "delete": "goes",
    "foreign": "not the stack's",
    "pending": "waits",
}

Column = tuple[str, int]  # a zone, and which of its subnets of a tier side by side


class Grid:
    """Columns with their widths and places, and rows of lanes."""

    def __init__(self, picture: Picture, left: float) -> None:
        self.picture = picture
        self.tiers = sorted({one.tier for one in picture.subnets}, key=_tier_order)
        self.column_of = _columns(picture.subnets, _zones(picture))
        self.columns = sorted(set(self.column_of.values()), key=lambda column: (_zones(picture).index(column[0]), column[1]))
        width = self._width()
        zones = _zones(picture)
        channel = max([CHANNEL, *(lines.label_size(one)[0] + 8 - PAD for one in picture.reach)])
        self.x = {column: left + number * (width + PAD) + zones.index(column[0]) * channel for number, column in enumerate(self.columns)}
        self.width = width

    @property
    def right(self) -> float:
        return max(self.x.values()) + self.width

    def span(self, subnets: Iterable[str]) -> tuple[int, int]:
        numbers = [self.columns.index(self.column_of[key]) for key in subnets]
        return min(numbers), max(numbers)

    def _width(self) -> float:
        """The same for all columns: wide enough for every text in it, and for what spans several."""
        widest: list[float] = [NARROWEST]
        widest += [text.width + 2 * PAD for one in self.picture.subnets for text in _subnet_texts(one)]
        for part in self.picture.parts:
            first, last = self.span(part.subnets)
            widest += [(text.width + 4 * PAD) / (last - first + 1) for text in part_texts(part)]
            widest += [text.width + 6 * PAD for unit in part.units for text in _unit_texts(unit)]
        heading = Text(self.picture.vpc, 11, bold=True).width + Text(self.picture.gateway, bold=True).width + 100
        widest.append(heading / len(self.columns) - PAD)
        return max(widest)

    def lanes(self, tier: str) -> list[list[Part]]:
        """The parts of a tier, those side by side that do not meet."""
        of_tier = {one.key for one in self.picture.subnets if one.tier == tier}
        parts = [part for part in self.picture.parts if part.subnets[0] in of_tier]
        lanes: list[list[Part]] = []
        for part in sorted(parts, key=lambda one: (LANES[one.family], self.span(one.subnets), one.key)):
            first, last = self.span(part.subnets)
            beside = lanes[-1] if lanes and LANES[lanes[-1][0].family] == LANES[part.family] else None
            if beside is not None and all(last < self.span(one.subnets)[0] or self.span(one.subnets)[1] < first for one in beside):
                beside.append(part)
            else:
                lanes.append([part])
        return lanes


def placed(picture: Picture) -> Drawing:
    """The picture with all its places. What room arrows take by the sides is known when they are drawn: then it is given to them."""
    room = (0.0, 0.0)
    for _ in range(PASSES):
        drawing = _drawing(picture, room)
        taken = lines.room(drawing)
        if taken[0] <= room[0] and taken[1] <= room[1]:
            break
        room = max(room[0], taken[0]), max(room[1], taken[1])  # never less again, or it could go back and forth
    return drawing


def _drawing(picture: Picture, room: tuple[float, float]) -> Drawing:
    grid = Grid(picture, MARGIN + SIDE + room[0])
    right = grid.right + SIDE + room[1]
    title = [Text(picture.title, 18, bold=True), Text(picture.subtitle, 11)]
    heading = Box(
        "title", "text", MARGIN, MARGIN, max(text.width for text in title) + PAD, sum(text.height for text in title), tuple(title)
    )
    top = heading.bottom + 14 + (46 + GAP + 8 if picture.outside else 0)
    boxes = list(_inside(picture, grid, top + 44))
    bottom = max(box.bottom for box in boxes) + 14
    name = [Text(picture.vpc, 11, bold=True), *_marked(picture.marks)]
    vpc = Box("vpc", "vpc", MARGIN, top, right - MARGIN, bottom - top, (), worst(picture.marks))
    left, wide, high = min(grid.x.values()) - 8, max(text.width for text in name), sum(text.height for text in name)
    inside = [heading, vpc, Box("vpc/name", "text", left, top + 8, wide + PAD, high, tuple(name)), *boxes, *_gateway(picture, vpc)]
    every = [*inside, *_outside(picture, inside, vpc, heading.bottom + 14), *_foot(picture, vpc)]
    width = max(box.right for box in every) + MARGIN
    height = max(box.bottom for box in every) + MARGIN
    return Drawing(width, height, tuple(every), tuple(lines.arrows(picture, every)))


def _inside(picture: Picture, grid: Grid, top: float) -> Iterator[Box]:
    """Zones with all that stands in them."""
    rows: list[Box] = []
    y = top + 26
    for tier in grid.tiers:
        row = list(_row(picture, grid, tier, y))
        y = max(box.bottom for box in row) + 16
        rows += row
    for zone in _zones(picture):
        columns = [column for column in grid.columns if column[0] == zone]
        x, right = grid.x[columns[0]] - 8, grid.x[columns[-1]] + grid.width + 8
        yield Box(f"zone/{zone}", "zone", x, top, right - x, y - top - 4, (Text(zone, 10, bold=True),))
    yield from sorted(rows, key=lambda box: box.look != "subnet")


def _row(picture: Picture, grid: Grid, tier: str, top: float) -> Iterator[Box]:
    subnets = [one for one in picture.subnets if one.tier == tier]
    head = max(sum(text.height for text in _subnet_texts(one)) for one in subnets) + 14
    y, boxes = top + head, list[Box]()
    lanes = grid.lanes(tier)
    for lane in lanes:
        made = [box for part in lane for box in _part(part, grid, y)]
        y = max(box.bottom for box in made) + GAP
        boxes += made
    bottom = y - GAP + PAD if lanes else y
    for one in subnets:
        texts = tuple(_subnet_texts(one))
        look = "stranger" if tier == FOREIGN else "subnet"
        x = grid.x[grid.column_of[one.key]]
        yield Box(f"subnet/{one.key}", look, x, top, grid.width, bottom - top, texts, worst(one.marks), one.borrowed)
    yield from boxes


def _part(part: Part, grid: Grid, top: float) -> Iterator[Box]:
    """A part's box, and those of its units in the columns in which they are."""
    first, last = grid.span(part.subnets)
    x = grid.x[grid.columns[first]] + PAD
    right = grid.x[grid.columns[last]] + grid.width - PAD
    texts = tuple(part_texts(part))
    y = top + sum(text.height for text in texts) + 12
    units = list(_units(part, grid, y))
    bottom = max((box.bottom + 8 for box in units), default=y)
    yield Box(part.key, part.family, x, top, right - x, bottom - top, texts, worst(part.marks), part.borrowed)
    yield from units


def _units(part: Part, grid: Grid, top: float) -> Iterator[Box]:
    by_column: dict[Column, list[Unit]] = {}
    for unit in part.units:
        by_column.setdefault(_column_of_unit(unit, part, grid), []).append(unit)
    for column, units in by_column.items():
        y = top
        shown = units if len(units) <= MOST_UNITS else [*units[: MOST_UNITS - 1], Unit(f"and {len(units) - MOST_UNITS + 1} more", "")]
        for number, unit in enumerate(shown):
            texts = tuple(_unit_texts(unit))
            height = sum(text.height for text in texts) + 8
            width = min(grid.width - 4 * PAD, max(110, *(text.width + 2 * PAD for text in texts)))
            look = {True: "well", False: "ill", None: "unit"}[unit.well]
            x = grid.x[column] + (grid.width - width) / 2
            yield Box(f"{part.key}/{column[0]}/{column[1]}/{number}", look, x, y, width, height, texts)
            y += height + 6


def _column_of_unit(unit: Unit, part: Part, grid: Grid) -> Column:
    """The column of its subnet, or the first of its zone; of one that is in neither, the part's first."""
    if unit.subnet in grid.column_of:
        return grid.column_of[unit.subnet]
    of_part = [grid.column_of[key] for key in part.subnets]
    return next((column for column in of_part if column[0] == unit.zone), of_part[0])


def _outside(picture: Picture, boxes: Sequence[Box], vpc: Box, top: float) -> Iterator[Box]:
    """Who comes from outside, side by side above the VPC, each where its first arrow finds a way straight down if there is such a place."""
    by_key, left = {box.key: box for box in boxes}, vpc.x
    told = [(one, (Text(one.title, 10, bold=True), Text(one.line))) for one in picture.outside]
    widths = [max(150.0, *(text.width + 2 * PAD for text in texts)) for _, texts in told]
    for number, ((one, texts), width) in enumerate(zip(told, widths, strict=True)):
        rest = sum(widths[number:]) + BESIDE * (len(widths) - number - 1)
        last = max(left, vpc.right - rest)
        reach = next(reach for reach in picture.reach if reach.source == one.key)
        target = by_key[reach.target]
        places = [left + step * 6 for step in range(int((last - left) / 6) + 1)]
        made = [Box(one.key, "outside", x, top, width, 46, texts) for x in places]
        middle = (target.x + target.right) / 2 - (rest - width) / 2
        best = min(made, key=lambda box: (not lines.is_free(reach, box, target, boxes), abs(box.x + width / 2 - middle)))
        yield best
        left = best.right + BESIDE


def _gateway(picture: Picture, vpc: Box) -> Iterator[Box]:
    """The internet gateway, on the VPC's edge."""
    if picture.gateway:
        texts = (Text(picture.gateway, bold=True), *_marked(picture.gateway_marks))
        width, height = max(text.width for text in texts) + 2 * PAD, sum(text.height for text in texts) + 12
        yield Box("gateway", "gateway", vpc.right - width - 24, vpc.y - height / 2, width, height, texts, worst(picture.gateway_marks))


def _foot(picture: Picture, vpc: Box) -> Iterator[Box]:
    """What the colours mean, as far as they are there, and what could not be drawn."""
    y = vpc.bottom + 12
    of_parts = [mark for part in picture.parts for mark in part.marks]
    of_subnets = [mark for subnet in picture.subnets for mark in subnet.marks]
    of_things = {mark.action for mark in (*of_parts, *of_subnets, *picture.marks, *picture.gateway_marks)}
    of_things |= {one.action for one in picture.reach if one.action}
    x = vpc.x
    for action in sorted(of_things, key=list(SIGNS).index):
        text = Text(f"{SIGNS[action]} {action}: {COLOURED[action]}", 9, bold=True, action=action)
        yield Box(f"legend/{action}", "legend", x, y, text.width + PAD, 20, (text,), action)
        x += text.width + PAD + 10
    y += 28 if of_things else 0
    words = ["An arrow leads from who may connect to where a security group lets it in; on it stand the ports, of TCP unless it says more."]
    for number, note in enumerate([*words, *picture.notes]):
        for line in _wrapped(note, vpc.width):
            text = Text(line)
            yield Box(f"note/{number}/{y:g}", "text", vpc.x, y, max(text.width, 10) + 8, text.height + 1, (text,))
            y += text.height + 2


def _wrapped(words: str, width: float) -> Iterator[str]:
    """A text in lines that fit."""
    line = ""
    for word in words.split(" "):
        longer = f"{line} {word}".strip()
        if line and Text(longer).width > width:
            yield line
            longer = word
        line = longer
    yield line


def part_texts(part: Part) -> Iterator[Text]:
    yield Text(part.title + (", borrowed" if part.borrowed else ""), 10, bold=True)
    yield from (Text(line) for line in part.lines)
    yield from _marked(part.marks)


def _subnet_texts(subnet: Subnet) -> Iterator[Text]:
    yield Text(subnet.name + (", borrowed" if subnet.borrowed else ""), 9, bold=True)
    yield from (Text(line) for line in subnet.lines)
    yield from _marked(subnet.marks)


def _unit_texts(unit: Unit) -> Iterator[Text]:
    yield Text(unit.title, 9, bold=True)
    if unit.line:
        yield Text(unit.line, 8)


def _marked(marks: Sequence[Mark]) -> Iterator[Text]:
    """Up to three marks in words."""
    yield from (Text(mark.text, 8.5, bold=True, action=mark.action) for mark in marks[:3])
    if len(marks) > 3:
        yield Text(f"and {listed([f'{mark.text}' for mark in marks[3:]], 1)}"[:60], 8.5, action=marks[3].action)


def _zones(picture: Picture) -> list[str]:
    """The zones in the order in which what spans several crosses the fewest others, by their names if there are several such orders."""
    zones = sorted({one.zone for one in picture.subnets})
    zone_of = {one.key: one.zone for one in picture.subnets}
    spans = [{zone_of[key] for key in part.subnets} for part in picture.parts]

    def crossed(order: tuple[str, ...]) -> int:
        places = [[order.index(zone) for zone in span] for span in spans]
        return sum(max(place) - min(place) + 1 - len(place) for place in places)

    orders: list[tuple[str, ...]] = list(permutations(zones)) if len(zones) <= 6 else [tuple(zones)]
    return list(min((crossed(order), order) for order in orders)[1])


def _columns(subnets: Iterable[Subnet], zones: Sequence[str]) -> dict[str, Column]:
    """Key of a subnet -> its column; several of one tier in one zone stand side by side."""
    taken: dict[tuple[str, str], int] = {}
    columns = {}
    for one in sorted(subnets, key=lambda one: (zones.index(one.zone), one.key)):
        number = taken.get((one.tier, one.zone), 0)
        taken[one.tier, one.zone] = number + 1
        columns[one.key] = (one.zone, number)
    return columns


def _tier_order(tier: str) -> tuple[int, str]:
    return (TIERS.index(tier) if tier in TIERS else len(TIERS) + (tier == FOREIGN), tier)
