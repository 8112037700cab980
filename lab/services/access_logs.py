"""Access logs: what haproxy tells of each request becomes log files in a bucket, in AWS's words and places.

AWS writes a file every five minutes; the lab every half minute. As on AWS nothing is written when there was no request, and a
request may be missing: what was told shortly before the lab's end is not kept. Pure but for Receiver.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .balancer import Balancer, Listener
from .haproxy_listeners import ACCESS_FIELDS

SOCKET = "access.sock"
INTERVAL = 30.0  # seconds between two files
NO_REQUEST = "<BADREQ>"  # haproxy's word for what it could not read
MOST_LINES = 500_000  # kept until the next file


@dataclass(frozen=True)
class Identity:
    """Whose log it is: the load balancer as AWS names it, and the ARNs of its target groups by name."""

    account_id: str
    region: str
    name: str  # app/<name>/<id>
    address: str
    group_arns: Mapping[str, str]


def entry(told: str, balancer: Balancer, identity: Identity) -> str | None:
    """One entry, from one line of haproxy's. None for a line that is not whole.

    AWS's page "Access logs for your Application Load Balancer" lists the fields.
    """
    values = told.split("\t")
    if len(values) != len(ACCESS_FIELDS):
        return None
    field = dict(zip(ACCESS_FIELDS, values, strict=True))
    listener = next((listener for listener in balancer.listeners if str(listener.port) == field["port"]), None)
    if listener is None or (field["method"] == NO_REQUEST and not field["status"].startswith("4")):
        return None  # a client that left without a word
    ended = int(field["ended"]) / 1000
    rule = listener.rules[int(field["rule"]) - 1] if field["rule"].isdigit() and int(field["rule"]) <= len(listener.rules) else None
    kind = rule.action["Type"] if rule else "-"
    sent_on = not field["target"].startswith(("-", ":")) and field["target_status"] != "-"
    target = field["target"] if sent_on else "-"
    group = field["backend"].removesuffix("-open")
    return " ".join(
        [
            _type(listener, field["version"]),
            _time(ended),
            f"{identity.name}",
            field["client"],
            target,
            *(_seconds(field, sent_on)),
            field["status"],
            field["target_status"],
            field["received_bytes"],
            field["sent_bytes"],
            _quoted(_request(field, listener)),
            _quoted(field["agent"]),
            field["cipher"] if listener.tls else "-",
            field["protocol"] if listener.tls else "-",
            identity.group_arns.get(group, "-") if kind == "forward" else "-",
            _quoted(field["trace"]),
            _quoted(field["sni"]),
            _quoted(_chosen(field["serial"], listener)),
            str(rule.priority) if rule else "-1",
            _time(ended - max(int(field["active"]), 0) / 1000),
            _quoted(kind),
            _quoted(field["location"] if kind == "redirect" else "-"),
            _quoted("-"),
            _quoted(target),
            _quoted(field["target_status"]),
            _quoted("-"),
            _quoted("-"),
            f"TID_{hashlib.sha256(field['client'].encode()).hexdigest()[:32]}",
        ]
    )


def object_key(folder: str, identity: Identity, ended: datetime, random: str) -> str:
    """Where a file lies, as AWS's page "Access logs for your Application Load Balancer" says; `folder` ends in AWSLogs/<account>."""
    day = ended.strftime("%Y/%m/%d")
    parts = [
        identity.account_id, "elasticloadbalancing", identity.region, identity.name.replace("/", "."),
        ended.strftime("%Y%m%dT%H%MZ"), identity.address, random,
    ]  # fmt: skip
    return f"{folder}/elasticloadbalancing/{identity.region}/{day}/{'_'.join(parts)}.log.gz"


def file(entries: Iterable[str]) -> bytes:
    return gzip.compress("".join(f"{entry}\n" for entry in entries).encode(), mtime=0)


def _type(listener: Listener, version: str) -> str:
    if listener.tls is None:
        return "http"
    return "h2" if version == "HTTP/2.0" else "https"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seconds(field: Mapping[str, str], sent_on: bool) -> list[str]:
    """Until the request was sent on, until the target began to answer, until the answer was sent: -1 where that never came."""
    if not sent_on:
        return ["-1", "-1", "-1"]
    waits = [max(int(field["waited"]), 0) + max(int(field["connected"]), 0), int(field["answered"]), int(field["sent"])]
    return ["-1" if wait < 0 else f"{wait / 1000:.3f}" for wait in waits]


def _request(field: Mapping[str, str], listener: Listener) -> str:
    host = field["host"].rsplit(":", 1)[0] if field["host"].rsplit(":", 1)[-1].isdigit() else field["host"]
    scheme = "https" if listener.tls else "http"
    text = f"{field['method']} {scheme}://{host}:{listener.port}{field['uri']} {field['version']}"
    return text.replace(NO_REQUEST, "-")


def _chosen(serial: str, listener: Listener) -> str:
    certificates = listener.tls.certificates if listener.tls else ()
    return next((one.arn for one in certificates if one.serial.lstrip("0") == serial.lstrip("0")), "-")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "\\x22") + '"'


class Receiver:
    """Takes the lines of one load balancer's haproxy from a socket in its machine's directory. Raises OSError when it cannot."""

    def __init__(self, directory: Path) -> None:
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self.readers: list[threading.Thread] = []  # one for each worker of haproxy
        # Through the directory's descriptor, because a socket's path may have 107 characters only.
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            (directory / SOCKET).unlink(missing_ok=True)
            self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listening.bind(f"/proc/self/fd/{descriptor}/{SOCKET}")
            self._listening.listen()
        finally:
            os.close(descriptor)
        threading.Thread(target=self._accept, name=f"access log {directory.name}", daemon=True).start()

    def take(self) -> list[str]:
        """The lines since the last time."""
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._lines.popleft())
        return taken

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # who waits in accept() is told
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listening.accept()
                self.readers = [*(reader for reader in self.readers if reader.is_alive()), self._reader(connection)]

    def _reader(self, connection: socket.socket) -> threading.Thread:
        reader = threading.Thread(target=self._read, args=(connection,), daemon=True)
        reader.start()
        return reader

    def _read(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("r", encoding="utf-8", errors="replace", newline="\n") as lines:
            self._lines.extend(line.rstrip("\n") for line in lines)
