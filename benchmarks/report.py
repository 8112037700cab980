"""The table of a run, and its files."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
MIB = 2**20


def host() -> dict[str, str]:
    """The machine that was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": str(os.cpu_count()), "memory": f"{memory / 2**30:.0f} GiB", "kernel": platform.release()}


def rows(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is measured and its figure, as text."""
    for title, seconds in result["first up"].items():
        yield f"first `make up`: {title}", f"{seconds:.1f} s"
    yield "first `make up` in all", f"{result['first up in all']:.1f} s"
    yield "second `make up`", f"{result['second up']:.1f} s"
    run = result["unchanged site.yml"]
    asked = f"{run['requests']:.0f} requests, {run['mutating requests']:.0f} mutating"
    yield "`site.yml` with nothing to change", f"{run['seconds']:.1f} s ({asked})"
    yield "machine, from launch to its first healthy answer", f"{result['boot']['first healthy answer']:.1f} s"
    yield "machine, from launch to healthy at the load balancer", f"{result['boot']['healthy target']:.1f} s"
    yield "CreateImage until available", f"{result['image']:.1f} s"
    for name, size in result["memory"].items():
        yield f"memory: {name}", f"{size / MIB:.0f} MiB"
    yield "memory in all", f"{sum(result['memory'].values()) / MIB:.0f} MiB"
    for name, share in result["idle"].items():
        yield f"idle CPU: {name}", f"{share:.1%} of a core"


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    machine = ", ".join(f"{name} {value}" for name, value in result["host"].items())
    lines = [f"| {what} | {figure} |" for what, figure in rows(result)]
    return "\n".join([f"Host: {machine}. One run.", "", "| what | figure |", "| --- | ---: |", *lines, ""])


def write(result: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "uda.json").write_text(json.dumps(result, indent=2) + "\n")
    (RESULTS / "uda.md").write_text("# The stack `uda` on the lab\n\n" + table(result))
