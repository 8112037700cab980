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

from .errors import LabError

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
    """One request: seconds since the epoch, where from (`controller` or a machine's address), what, and how it went.

    `principal` is the ARN of who signed it, `permissions` what IAM had to allow, each as `action resource`.
    """

    at: float
    source: str
    service: str
    action: str
    mutating: bool
    status: int
    milliseconds: float
    principal: str = "-"
    permissions: tuple[str, ...] = ()


def scope_of(headers: Mapping[str, str], query: str = "") -> tuple[str, str]:
    """(region, service) of the credential scope in the header or in a presigned URL, `-` for what an unsigned request does not tell."""
    scope = headers.get("authorization", "") or "Credential=" + parse_qs(query).get("X-Amz-Credential", [""])[-1]
    found = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", scope)
    return (found[1], found[2]) if found else ("-", "-")


def action_of(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """The API action: from the target header (JSON protocols), the Action field (query), the path (CBOR), else method and path."""
    target = headers.get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1]
    operation = re.fullmatch(r"/service/\w+/operation/(\w+)", path)
    if operation:
        return operation[1]
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
        for number, line in enumerate(lines, 1):
            try:
                request = Request(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise LabError(f"{path}, line {number}: no request of this version of the lab; delete the file to begin anew") from error
            if request.at >= since and (request.mutating or not mutating) and source in (None, request.source):
                yield request


def now() -> float:
    return time.time()
