# SPDX-License-Identifier: GPL-3.0-or-later
"""A placed picture as DOT, the language of Graphviz, for `neato -n2`, which draws what has its places. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise

import graphviz

from .model import Arrow, Box, Drawing, Text

INK, PALE = "#1f2937", "#6b7280"
FONT = "Helvetica,Arial,sans-serif"
ACTIONS = {"create": "#15803d", "update": "#b45309", "replace": "#dc2626", "delete": "#dc2626", "foreign": "#a21caf", "pending": "#0369a1"}
CENTRED = ("outside", "gateway", "well", "ill", "unit", "legend")
LOOKS: Mapping[str, tuple[str, str, str]] = {  # fill, edge, style
    "text": ("none", "none", ""),
    "legend": ("#ffffff", INK, "filled,rounded"),
    "vpc": ("#f8fafc", "#475569", "filled,rounded"),
    "zone": ("#f1f5f9", "#94a3b8", "filled,rounded,dashed"),
    "subnet": ("#ffffff", "#cbd5e1", "filled,rounded"),
    "stranger": ("#fdf4ff", "#a21caf", "filled,rounded,dashed"),
    "outside": ("#ffffff", INK, "filled,rounded"),
    "gateway": ("#e0e7ff", "#4338ca", "filled,rounded"),
    "load_balancer": ("#ede9fe", "#7c3aed", "filled,rounded"),
    "nat_gateway": ("#e0e7ff", "#4338ca", "filled,rounded"),
    "bastion": ("#ffedd5", "#c2410c", "filled,rounded"),
    "instance": ("#fae8ff", "#a21caf", "filled,rounded,dashed"),
    "fleet": ("#fff7ed", "#c2410c", "filled,rounded"),
    "service": ("#fff7ed", "#c2410c", "filled,rounded"),
    "database": ("#dbeafe", "#1d4ed8", "filled,rounded"),
    "endpoint": ("#ccfbf1", "#0f766e", "filled,rounded"),
    "well": ("#dcfce7", "#15803d", "filled,rounded"),
    "ill": ("#fee2e2", "#dc2626", "filled,rounded"),
    "unit": ("#ffffff", "#9ca3af", "filled,rounded"),
}


def source(drawing: Drawing) -> str:
    """The DOT source: the same picture is the same text."""
    graph = graphviz.Digraph("stack", engine="neato")
    graph.attr(
        bb=f"0,0,{drawing.width:g},{drawing.height:g}", splines="line", outputorder="nodesfirst", bgcolor="white", pad="0", dpi="72",
        fontname=FONT,
    )  # fmt: skip
    graph.attr("node", shape="box", fixedsize="true", fontname=FONT, fontcolor=INK, label="", margin="0")
    graph.attr("edge", fontname=FONT, color=INK, fontcolor=INK, arrowsize="0.7", penwidth="1.3")
    corners = ((0, 0), (drawing.width, drawing.height))
    for number, (x, y) in enumerate(corners):  # Graphviz reckons the size of the picture from what is in it
        graph.node(f"corner/{number}", pos=f"{x:g},{y:g}", shape="point", style="invis", width="0.01", height="0.01")
    for box in drawing.boxes:
        _draw(graph, box, drawing.height)
    for arrow in drawing.arrows:
        _lead(graph, arrow, drawing.height)
    return str(graph.source)


def _draw(graph: graphviz.Digraph, box: Box, height: float) -> None:
    fill, edge, style = LOOKS[box.look]
    if box.dashed and "dashed" not in style:
        style += ",dashed"
    plain = box.look == "text"
    graph.node(
        f"box/{box.key}".replace(":", "_"),  # a colon would begin a port
        pos=f"{box.x + box.width / 2:.1f},{height - box.y - box.height / 2:.1f}",
        width=f"{box.width / 72:.3f}",
        height=f"{box.height / 72:.3f}",
        label=_label(box),
        fillcolor=fill,
        color=ACTIONS[box.action] if box.action else edge,
        penwidth="2.6" if box.action else "1",
        **({"style": style} if not plain else {"shape": "plain", "fixedsize": "false"}),
    )


def _label(box: Box) -> str:
    """The box's text as one of Graphviz's HTML-like tables, as large as the box where text stands in its upper left corner."""
    if not box.texts:
        return ""
    rows = [(_text(text), text.height) for text in box.texts]
    align, width = "CENTER", ""
    if box.look not in CENTRED:
        plain, used = box.look == "text", sum(height for _, height in rows)
        align, width = "LEFT", f' WIDTH="{box.width - (0 if plain else 16):.0f}"'
        rows += [] if plain else [("", box.height - 10 - used)]
    cells = "".join(f'<TR><TD ALIGN="{align}" HEIGHT="{height:.0f}">{words}</TD></TR>' for words, height in rows if height >= 1)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"{width}>{cells}</TABLE>>'


def _text(text: Text) -> str:
    words = escape(text.words, quote=False)
    words = f"<B>{words}</B>" if text.bold else words
    colour = ACTIONS[text.action] if text.action else (INK if text.bold else "#4b5563")
    return f'<FONT POINT-SIZE="{text.size:g}" COLOR="{colour}">{words}</FONT>'


def _lead(graph: graphviz.Digraph, arrow: Arrow, height: float) -> None:
    """An arrow, as the cubic curves that Graphviz draws: each straight piece is one."""
    points = [(x, height - y) for x, y in arrow.points]
    tip = _short(points[-2], points[-1], 8)
    curve = list(_curves([*points[:-1], tip]))
    label = arrow.label
    (text,) = label.texts
    colour = ACTIONS[arrow.action] if arrow.action else INK
    graph.edge(
        f"box/{arrow.source}".replace(":", "_"),
        f"box/{arrow.target}".replace(":", "_"),
        pos=f"e,{points[-1][0]:.1f},{points[-1][1]:.1f} " + " ".join(f"{x:.1f},{y:.1f}" for x, y in curve),
        label=(
            f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" BGCOLOR="white"><TR><TD>{_text(text)}</TD></TR></TABLE>>'
        ),
        lp=f"{label.x + label.width / 2:.1f},{height - label.y - label.height / 2:.1f}",
        color=colour,
        penwidth="2.2" if arrow.action else "1.3",
    )


def _short(start: tuple[float, float], end: tuple[float, float], by: float) -> tuple[float, float]:
    """The end of a level or upright line, drawn back: there the arrow's head begins."""
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    share = max(0.0, 1 - by / length) if length else 0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _curves(points: list[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    yield points[0]
    for start, end in pairwise(points):
        yield from (start, end, end)
