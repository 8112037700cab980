"""The table of a run of benchmarks/plan.py, and its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import median
from typing import Any

from .report import MIB, RESULTS, host

__all__ = ["host", "ratios", "table", "write"]

PAIRS = (
    ("plan, empty account", "plan, empty account"),
    ("plan, complete account", "plan, complete account"),
    ("site.yml, no change", "apply, no change"),
)
ABSENT = "Terraform was not on this computer: nothing here compares with it. Put it on the PATH, or set TERRAFORM, and run this again."
BUSY = 1.5  # load average per core from which on other work was measured, too


def ratios(phases: dict[str, dict[str, list[float]]]) -> Iterator[tuple[str, dict[str, float]]]:
    """For each pair of phases how many times as much Terraform took, by medians: wall clock, CPU, requests, memory."""
    for ours, theirs in PAIRS:
        mine, other = phases.get(f"hastack: {ours}"), phases.get(f"Terraform: {theirs}")
        if mine and other:
            yield ours, {name: median(other[name]) / median(mine[name]) for name in ("wall", "cpu", "requests", "memory")}


def spread(values: list[float], form: str, unit: float = 1) -> str:
    """min / median / max."""
    return " / ".join(format(value / unit, form) for value in (min(values), median(values), max(values)))


def table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    machine = ", ".join(f"{name} {value}" for name, value in result["host"].items())
    load = [value for phases in result["latency"].values() for row in phases.values() for value in row["load"]]
    lines = [f"Host: {machine}; load average {spread(load, '.1f')}. {result['runs']} runs of each phase: min / median / max.", ""]
    if median(load) > BUSY * float(result["host"]["cores"]):
        lines += ["**Taken on a busy machine**: other work ran beside it. Wall clock means little here; look at CPU and requests.", ""]
    lines += [f"Terraform {result['Terraform']}." if result["Terraform"] else ABSENT, ""]
    for latency, phases in result["latency"].items():
        lines += [
            f"## Answers {latency} ms late",
            "",
            "| phase | wall s | CPU s | requests | peak memory MiB |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for name, row in phases.items():
            columns = (
                spread(row["wall"], ".2f"),
                spread(row["cpu"], ".2f"),
                spread(row["requests"], ".0f"),
                spread(row["memory"], ".0f", MIB),
            )
            lines.append(f"| {name} | {' | '.join(columns)} |")
        compared = list(ratios(phases))
        if compared:
            lines += ["", "How many times as much Terraform takes, by medians (below 1: less):", ""]
            lines += ["| | wall | CPU | requests | memory |", "| --- | ---: | ---: | ---: | ---: |"]
            lines += [f"| {name} | {' | '.join(f'{value:.2f}' for value in of.values())} |" for name, of in compared]
        lines.append("")
    return "\n".join(lines)


def write(result: dict[str, Any]) -> None:
    """benchmarks/results/plan.json and plan.md."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "plan.json").write_text(json.dumps(result, indent=2) + "\n")
    (RESULTS / "plan.md").write_text("# The plan of `uda` beside Terraform's\n\n" + table(result))
