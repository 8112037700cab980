"""Memory and CPU of processes, from /proc."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path


def in_namespace(namespace: str) -> list[int]:
    """The processes in a network namespace: those of one machine."""
    listed = subprocess.run(["ip", "netns", "pids", namespace], check=True, capture_output=True, text=True).stdout
    return [int(pid) for pid in listed.split()]


def memory(pids: Iterable[int]) -> int:
    """Bytes in memory; a page that several processes share counts for each by its part (PSS)."""
    return sum(_field(pid, "smaps_rollup", "Pss:") for pid in pids) * 1024


def cpu_seconds(pids: Iterable[int]) -> float:
    """Seconds of CPU that the processes have used so far, and children that they have waited for."""
    return sum(_ticks(pid) for pid in pids) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that a process's threads have started and that are not waited for yet."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # the thread has ended
    return found


def _field(pid: int, file: str, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0  # it has ended
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])
