"""The benchmark's pure parts: it reads the steps that the scripts really print, and its table holds every figure."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks import checkout, processes, report

PROJECT = Path(__file__).resolve().parents[2]
RESULT = {
    "host": {"cores": "2", "memory": "24 GiB", "kernel": "6.1"},
    "first up": {"System packages": 12.3, "Stack 'uda': site.yml": 200.0},
    "first up in all": 240.5,
    "second up": 3.0,
    "unchanged site.yml": {"seconds": 9.5, "requests": 41, "mutating requests": 0},
    "memory": {"lab": 200 * 2**20, "i-1": 90 * 2**20},
    "idle": {"lab": 0.031, "machines": 0.004},
    "image": 0.4,
    "boot": {"first healthy answer": 4.2, "healthy target": 22.0},
}


def test_steps_are_read_as_the_scripts_print_them() -> None:
    script = """
        source scripts/lib.sh
        step "First" true
        step "Second (with words)" bash -c 'echo "    some output"; sleep 0.2'
    """
    printed = subprocess.run(["bash", "-c", script], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    found = checkout.steps(printed)
    assert list(found) == ["First", "Second (with words)"]
    assert 0.2 <= found["Second (with words)"] < 2


def test_a_step_that_fails_ends_the_script_and_says_which() -> None:
    script = 'set -e; source scripts/lib.sh; step "Break" false; echo reached'
    done = subprocess.run(["bash", "-c", script], cwd=PROJECT, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "'Break' ended with status 1" in done.stderr
    assert "reached" not in done.stdout


def test_the_copy_holds_what_would_be_committed(tmp_path: Path) -> None:
    fresh = checkout.make(tmp_path, "bench")
    assert (fresh.folder / "Makefile").read_text() == (PROJECT / "Makefile").read_text()
    assert (fresh.folder / "scripts" / "up").stat().st_mode & 0o111
    assert not (fresh.folder / ".venv").exists()


def test_the_table_holds_every_figure() -> None:
    table = report.table(RESULT)
    for text in (
        "12.3 s",
        "240.5 s",
        "41 requests, 0 mutating",
        "200 MiB",
        "290 MiB",
        "3.1% of a core",
        "4.2 s",
        "22.0 s",
    ):
        assert text in table


def test_memory_and_cpu_of_a_process() -> None:
    hungry = "x = bytearray(64 * 2**20); sum(range(3_000_000)); print('ready', flush=True); input()"
    with subprocess.Popen(["python3", "-c", hungry], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert processes.memory([process.pid]) > 64 * 2**20
        assert processes.cpu_seconds([process.pid]) > 0
        process.communicate(b"\n")
    assert processes.memory([process.pid]) == 0
