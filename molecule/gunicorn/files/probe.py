"""A WSGI application that tells what it may do: /write?<path>, /status, /environment?<name>, /slow."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with one line."""
    query = environ["QUERY_STRING"]
    answers: dict[str, Callable[[], str]] = {
        "/": lambda: f"worker {os.getpid()}",
        "/environment": lambda: os.environ.get(query, "not set"),
        "/slow": lambda: time.sleep(2) or "slow",
        "/status": lambda: Path("/proc/self/status").read_text(),
        "/write": lambda: write(query),
    }
    try:
        answer = answers[environ["PATH_INFO"]]()
    except OSError as error:
        answer = f"refused: {error.strerror}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()]


def write(path: str) -> str:
    """Write a file."""
    Path(path).write_text("here I was\n")
    return "written"
