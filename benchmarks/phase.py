"""Run one command and say what it took: wall clock, CPU seconds and memory of all its processes."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import processes

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
SAMPLE_SECONDS = 0.1
END_SECONDS = 10.0  # for processes that go on when the command has ended


@dataclass(frozen=True)
class Took:
    """`status` is the command's exit status, `memory` the greatest PSS of its process tree in bytes, sampled."""

    wall: float
    cpu: float
    memory: int
    status: int
    output: str


def adopt() -> None:
    """Be the parent of processes whose own has ended, so that a detached helper's CPU time counts for the command that started it."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], keep: Sequence[int] = ()) -> Took:
    """Run a command to its end. `keep` are children that were there before. Call `adopt` once before."""
    before, started = _used(), time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    memory, ended = [0], threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            memory[0] = max(memory[0], processes.memory(descendants(os.getpid(), keep)))

    sampler = threading.Thread(target=sample)
    sampler.start()
    output = process.communicate()[0]
    wall = time.monotonic() - started
    ended.set()
    sampler.join()
    _reap(keep)
    return Took(wall, _used() - before, memory[0], process.returncode, output)


def descendants(pid: int, keep: Sequence[int] = ()) -> list[int]:
    """Processes below `pid`, without those of `keep` and what is below them."""
    found = [child for child in processes.children(pid) if child not in keep]
    return found + [below for child in found for below in descendants(child, keep)]


def _reap(keep: Sequence[int]) -> None:
    """Wait for the helpers that the command has left, which end by themselves; only then is their CPU time told."""
    until = time.monotonic() + END_SECONDS
    while any(child not in keep for child in processes.children(os.getpid())):
        for child in processes.children(os.getpid()):
            if child not in keep:
                os.waitpid(child, os.WNOHANG)
        if time.monotonic() > until:
            raise TimeoutError(f"processes of the command still run {END_SECONDS:.0f} s after its end: {descendants(os.getpid(), keep)}")
        time.sleep(0.02)


def _used() -> float:
    """CPU seconds of all children that have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
