"""The log driver awslogs: what a task's container writes becomes events of its log stream, in the order of the lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import logs_backends


class Log(NamedTuple):
    """Where a container's lines go."""

    region: str
    group: str
    stream: str


MOST = 1 << 18  # bytes of one look, so that a talkative container holds nobody up


class Follower:
    """Follows the console files of tasks; knows how far it has read each."""

    def __init__(self) -> None:
        self._read: dict[str, int] = {}  # task id -> bytes read

    def follow(self, account_id: str, task_id: str, file: Path, log: Log, *, last: bool = False) -> bool:
        """Send what has come since the last look, the `last` time also a line that has not ended; returns whether there was anything.

        A log group that somebody has deleted takes nothing more, as on AWS.
        """
        if not file.exists():
            return False
        with file.open("rb") as console:
            console.seek(self._read.get(task_id, 0))
            text = console.read(MOST)
        whole = text if last else ended(text)
        found = list(events(whole.decode("utf-8", "replace").rstrip("\n").split("\n"))) if whole else []
        with suppress(ResourceNotFoundException):
            if found:
                logs_backends[account_id][log.region].put_log_events(log.group, log.stream, found)
        self._read[task_id] = self._read.get(task_id, 0) + len(whole)
        return bool(whole)

    def forget(self, task_id: str) -> None:
        self._read.pop(task_id, None)


def ended(text: bytes) -> bytes:
    """The lines up to the last one that is no part (P) of another; without any such line, when they fill a whole look, all. Pure."""
    lines = text[: text.rfind(b"\n") + 1].splitlines(keepends=True)
    while lines and len(text) < MOST and lines[-1].split(b" ", 3)[2:3] == [b"P"]:
        lines.pop()
    return b"".join(lines)


def events(lines: list[str]) -> Iterator[dict[str, Any]]:
    """Log events of lines in podman's form `time stream F|P text`; parts (P) belong to the line that the next F, or the end, ends. Pure."""
    begun: list[str] = []
    for number, line in enumerate(lines, 1):
        time, _, rest = line.partition(" ")
        _stream, _, rest = rest.partition(" ")
        kind, _, text = rest.partition(" ")
        begun.append(text)
        if kind == "F" or number == len(lines):
            yield {"timestamp": int(datetime.fromisoformat(time).timestamp() * 1000), "message": "".join(begun)}
            begun = []
