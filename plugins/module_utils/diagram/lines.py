# SPDX-License-Identifier: GPL-3.0-or-later
"""The arrows of a picture: who may reach whom, round whatever stands between. Pure.

An arrow goes straight down where there is room. Where there is none it goes by the side of the VPC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .model import Arrow, Box, Drawing, Picture, Reach, Text

STEP = 6  # between the places that are tried for an arrow
APART = 16  # between two arrows
FRAMES = ("vpc", "zone", "subnet", "stranger", "text", "legend")  # boxes that an arrow may cross; not their texts
BESIDE_EDGE = 6
CLEAR = 8  # between an arrow and what it passes
SLOT = 12  # between an arrow's label and the next by the side of the VPC
Point = tuple[float, float]


def room(drawing: Drawing) -> tuple[float, float]:
    """How wide what the arrows by the left and the right side of the zones take is."""
    zones = [box for box in drawing.boxes if box.look == "zone"]
    widths = {side: sum(arrow.label.width + SLOT for arrow in drawing.arrows if _side(arrow, zones) == side) for side in (-1, 1)}
    return widths[-1], widths[1]


def is_free(one: Reach, source: Box, target: Box, boxes: Sequence[Box]) -> bool:
    """Whether an arrow from the middle of what is outside finds a way straight down."""
    x = source.x + source.width / 2
    points = ((x, source.bottom), (x, target.y))
    return (
        target.x + 14 <= x <= target.right - 14
        and not _crosses(points, source, target, boxes, ())
        and _label(one, points, boxes, ()) is not None
    )


def label_size(one: Reach) -> tuple[float, float]:
    text = Text(one.ports, 9, bold=True)
    return text.width + 8, text.height + 3


def arrows(picture: Picture, boxes: Sequence[Box]) -> Iterator[Arrow]:
    """An arrow for each pair; those that have the least choice first, so that they find their place."""
    by_key = {box.key: box for box in boxes}
    done: list[Arrow] = []
    for one in picture.reach:
        source, target = by_key[one.source], by_key[one.target]
        upwards = source.y > target.y
        arrow = None if upwards else _straight(one, source, target, boxes, done)
        arrow = arrow or _round(one, source, target, boxes, done)
        done.append(arrow)
    yield from done


def _straight(one: Reach, source: Box, target: Box, boxes: Sequence[Box], done: Sequence[Arrow]) -> Arrow | None:
    """Straight down, as near to the middle of what both have in common as there is room."""
    left, right = max(source.x, target.x) + 14, min(source.right, target.right) - 14
    middle = source.x + source.width / 2 if source.look == "outside" else (left + right) / 2
    tried = [middle + sign * number * STEP for number in range(int(max(0.0, right - left) / STEP) + 1) for sign in (1, -1)]
    for x in [x for x in tried if left <= x <= right]:
        points = ((x, source.bottom), (x, target.y))
        label = _label(one, points, boxes, done)
        if label and not _crosses(points, source, target, boxes, done):
            return Arrow(source.key, target.key, points, label, one.action)
    return None


def _round(one: Reach, source: Box, target: Box, boxes: Sequence[Box], done: Sequence[Arrow]) -> Arrow:
    """By the side of the VPC, where arrows stand beside each other, the label on the way down."""
    vpc = next(box for box in boxes if box.look == "vpc")
    zones = [box for box in boxes if box.look == "zone"]
    width, height = label_size(one)
    sides = []
    for side in (-1, 1):
        used = sum(arrow.label.width + SLOT for arrow in done if _side(arrow, zones) == side)
        edge = min(box.x for box in zones) if side < 0 else max(box.right for box in zones)
        x = edge + side * (used + 8 + width / 2)
        y = target.y + 14 + 12 * sum(1 for arrow in done if arrow.target == target.key and _side(arrow, zones) == side)
        end = (target.x if side < 0 else target.right, y)
        points = (*_leaving(source, vpc, x, side, done), (x, y), end)
        others = [box for box in obstacles(boxes) if box.key not in (source.key, target.key)]
        blocked = sum(_meets(first, second, box) for first, second in pairwise(points) for box in others)
        sides.append((blocked, round(abs(end[0] - x)), points))
    points = min(sides, key=lambda entry: entry[:2])[2]
    corner = next(number for number in range(len(points) - 1) if abs(points[number][0] - points[number + 1][0]) < 0.1 and number > 0)
    x, y = points[corner][0], (max(points[corner][1], min(vpc.y + 30, points[corner + 1][1] - 20)) + points[corner + 1][1]) / 2
    label = Box("label", "label", x - width / 2, y - height / 2, width, height, (Text(one.ports, 9, bold=True, action=one.action),))
    return Arrow(source.key, target.key, points, label, one.action)


def _leaving(source: Box, vpc: Box, x: float, side: int, done: Sequence[Arrow]) -> tuple[Point, ...]:
    """The first corners of an arrow that goes round: out of the bottom of what is outside, out of the side of what is in the VPC."""
    if source.look == "outside":
        from_here = sum(1 for arrow in done if arrow.source == source.key)
        start = source.x + source.width / 2 + side * (24 + 14 * from_here)
        level = vpc.y - 20 - 6 * from_here
        return (start, source.bottom), (start, level), (x, level)
    y = source.y + source.height / 2 + 8
    return (source.x if side < 0 else source.right, y), (x, y)


def _side(arrow: Arrow, zones: Sequence[Box]) -> int:
    """-1 and 1 for an arrow that goes left or right of all zones, 0 for one that does not."""
    x = arrow.label.x + arrow.label.width / 2
    return -1 if x < min(box.x for box in zones) else int(x > max(box.right for box in zones))


def _label(one: Reach, points: tuple[Point, Point], boxes: Sequence[Box], done: Sequence[Arrow]) -> Box | None:
    """The label's place on a straight arrow: the lowest where it covers nothing, or none."""
    width, height = label_size(one)
    (x, top), (_, bottom) = points
    y = bottom - height - 12
    while y >= top + 3:
        label = Box("label", "label", x - width / 2, y, width, height, (Text(one.ports, 9, bold=True, action=one.action),))
        taken = [box for box in obstacles(boxes) if box.overlaps(label, 2)]
        taken += [arrow.label for arrow in done if arrow.label.overlaps(label, 4)]
        if not taken and not any(_edge(box, label) for box in boxes if box.look in FRAMES):
            return label
        y -= STEP / 2
    return None


def _edge(frame: Box, label: Box) -> bool:
    """Whether a label stands on the upper or lower edge of a frame."""
    over = frame.x < label.right and label.x < frame.right
    return over and any(label.y - 1 < edge < label.bottom + 1 for edge in (frame.y, frame.bottom))


def obstacles(boxes: Sequence[Box]) -> Iterator[Box]:
    """What nothing may cover: boxes, and the texts of frames."""
    for box in boxes:
        if box.look not in FRAMES:
            yield box
        elif box.texts:
            yield text_box(box)


def text_box(box: Box) -> Box:
    """The place of a frame's text, in its upper left corner."""
    return Box(box.key, "text", box.x, box.y, max(text.width for text in box.texts) + 12, sum(text.height for text in box.texts) + 8)


def _crosses(points: Sequence[Point], source: Box, target: Box, boxes: Sequence[Box], done: Sequence[Arrow]) -> bool:
    """Whether a straight arrow runs through something, or along another arrow."""
    start, end = points
    if any(_meets(start, end, box) for box in obstacles(boxes) if box.key not in (source.key, target.key)):
        return True
    if any(_along(start, end, box) for box in boxes if box.look in FRAMES):
        return True
    for arrow in done:
        for first, second in pairwise(arrow.points):
            if abs(first[0] - second[0]) < 0.1 and abs(first[0] - start[0]) < APART and _meet(start[1], end[1], first[1], second[1]):
                return True
        if arrow.label.x - 4 < start[0] < arrow.label.right + 4 and _meet(start[1], end[1], arrow.label.y, arrow.label.bottom):
            return True
    return False


def _meets(start: Point, end: Point, box: Box) -> bool:
    """Whether a level or upright line runs through a box, or touches it."""
    xs, ys = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return xs[0] < box.right + CLEAR and box.x - CLEAR < xs[1] and ys[0] < box.bottom and box.y < ys[1]


def _along(start: Point, end: Point, frame: Box) -> bool:
    """Whether an upright line runs beside one of a frame's edges, where it would be taken for it."""
    beside = any(abs(start[0] - edge) < BESIDE_EDGE for edge in (frame.x, frame.right))
    return beside and _meet(start[1], end[1], frame.y, frame.bottom)


def _meet(one: float, two: float, three: float, four: float) -> bool:
    return max(min(one, two), min(three, four)) < min(max(one, two), max(three, four))
