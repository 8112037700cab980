"""What is asked of the API: which service and action, whether it changes anything, and a log that tells reads from mutations."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs

READS = (
    "Describe",
    "List",
    "Get",
    "Head",
    "BatchGet",
    "Lookup",
    "Search",
    "Simulate",
    "AssumeRole",
    "Decode",
    "Filter",
    "Query",
    "Scan",
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: seconds since the epoch, who asked (`controller` or a machine's address), what, and how it went."""

    at: float
    source: str
    service: str
    action: str
    mutating: bool
    status: int
    milliseconds: float


def service_of(headers: Mapping[str, str]) -> str:
    """The service in the signature's credential scope (Signature Version 4), or `-` for an unsigned request."""
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    return found.group(1) if found else "-"


def action_of(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """The API action: from the target header (JSON protocols), the Action field (query protocols), else method and path (REST)."""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1]
    if b"Action=" in body:
        return parse_qs(body.decode("utf-8", "replace")).get("Action", ["?"])[0]
    found = parse_qs(query).get("Action")
    if found:
        return found[0]
    detail = query.split("&")[0].split("=")[0] if query else ""
    return f"{method} {path}{'?' + detail if detail else ''}"


def is_mutating(action: str) -> bool:
    """Whether an action can change the account's state: by its verb, or by its method for REST services."""
    if " " in action:
        return action.split(" ", 1)[0] not in ("GET", "HEAD", "OPTIONS")
    return not action.startswith(READS)


class Log:
    """Appends requests to a file of JSON lines, the only copy; safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def add(self, request: Request) -> None:
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(asdict(request)) + "\n")


def read(path: Path, *, mutating: bool = False, since: float = 0.0, source: str | None = None) -> Iterator[Request]:
    """The logged requests, oldest first; `since` in seconds since the epoch."""
    if not path.exists():
        return
    with path.open() as lines:
        for line in lines:
            request = Request(**json.loads(line))
            if request.at >= since and (request.mutating or not mutating) and source in (None, request.source):
                yield request


def now() -> float:
    return time.time()
