"""Measure the stack `uda` on a lab of its own, from a fresh checkout. Usage: python -m benchmarks [--keep]."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from lab.settings import load

from . import checkout, report
from .stack import Stack

LAB_NAME = "bench"


def measure(fresh: checkout.Checkout) -> dict[str, Any]:
    """Every figure, in the order in which they come about."""
    result: dict[str, Any] = {"host": report.host()}
    _say("a first `make up`")
    result["first up in all"], output = fresh.run("make", "up")
    result["first up"] = checkout.steps(output)
    _say("a second one")
    result["second up"], _ = fresh.run("make", "up")
    stack = Stack(load(LAB_NAME), fresh)
    pid = json.loads(fresh.run("scripts/lab", "status", "--json")[1])["pid"]
    _say("site.yml with nothing to change")
    result["unchanged site.yml"] = stack.unchanged_run()
    _say("memory and idle CPU")
    result["memory"] = stack.memory(pid)
    result["idle"] = stack.idle(pid)
    _say("an image")
    result["image"] = stack.image()
    _say("a machine's boot")
    result["boot"] = stack.boot()
    return result


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="hastack-bench-", dir="/var/tmp"))
    fresh = checkout.make(folder, LAB_NAME)
    os.environ["LAB_HOME"] = str(fresh.lab_home)
    try:
        result = measure(fresh)
    finally:
        if "--keep" not in sys.argv:
            fresh.run("scripts/lab", "down", "--forget")
            shutil.rmtree(folder, ignore_errors=True)
    report.write(result)
    print(report.table(result))
    return 0


def _say(what: str) -> None:
    print(f"==> {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
