# SPDX-License-Identifier: GPL-3.0-or-later
"""The measuring of the plan: what a phase counts, and what the table says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import plan_report

PROJECT = Path(__file__).resolve().parents[2]
HELPER = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {HELPER!r}], start_new_session=True); blob = bytearray(64 << 20)"
MEASURE = f"""
import json, os, sys
from pathlib import Path
from benchmarks import phase
phase.adopt()
took = phase.run([sys.executable, "-c", {PARENT + "; import time; time.sleep(0.4)"!r}], Path("."), os.environ)
print(json.dumps([took.status, took.cpu, took.memory]))
"""
ROW = {"wall": [4.0, 5.0, 9.0], "cpu": [2.0, 2.0, 2.0], "requests": [42, 42, 42], "memory": [2**28] * 3, "load": [0.1, 0.2, 0.3]}
OTHER = {"wall": [9.0, 10.0, 11.0], "cpu": [5.0, 5.0, 5.0], "requests": [126, 126, 126], "memory": [2**29] * 3, "load": [0.1, 0.2, 0.3]}
COMPLETE = "plan, complete account"


def result(phases: dict[str, dict[str, list[float]]], version: str | None) -> dict[str, object]:
    return {"host": {"cores": "2"}, "runs": 3, "Terraform": version, "latency": {"0": phases}}


def test_a_helper_that_outlives_its_command_counts_with_its_cpu_time_and_the_memory_of_both_is_seen() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=PROJECT, capture_output=True, text=True, check=True)
    status, cpu, memory = json.loads(done.stdout)
    assert status == 0
    assert cpu >= 0.5
    assert memory >= 64 << 20


def test_the_ratio_is_of_medians_and_says_how_many_times_as_much_the_other_takes() -> None:
    phases = {f"hastack: {COMPLETE}": ROW, f"Terraform: {COMPLETE}": OTHER}
    assert list(plan_report.ratios(phases)) == [(COMPLETE, {"wall": 2.0, "cpu": 2.5, "requests": 3.0, "memory": 2.0})]
    told = plan_report.table(result(phases, "1.11.4"))
    assert f"| hastack: {COMPLETE} | 4.00 / 5.00 / 9.00 | 2.00 / 2.00 / 2.00 | 42 / 42 / 42 | 256 / 256 / 256 |" in told
    assert f"| {COMPLETE} | 2.00 | 2.50 | 3.00 | 2.00 |" in told
    assert "busy" not in told


def test_without_terraform_nothing_is_compared_and_that_is_said() -> None:
    told = plan_report.table(result({f"hastack: {COMPLETE}": ROW}, None))
    assert plan_report.ABSENT in told
    assert "How many times" not in told


def test_a_busy_machine_is_told() -> None:
    assert "busy machine" in plan_report.table(result({f"hastack: {COMPLETE}": ROW | {"load": [8.0, 9.0, 9.5]}}, None))
