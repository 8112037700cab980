"""A running haproxy, asked and told through its sockets in the machine's directory."""

from __future__ import annotations

import csv
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .balancer import Group, Target
from .haproxy import server_options, transport

TIMEOUT = 2.0
BACKEND = "BACKEND"  # haproxy's name for a backend's own row
COUNTERS = ("req_tot", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx")


@dataclass(frozen=True, slots=True)
class Server:
    """What haproxy says of one server: `UP`, `DOWN 1/2`, `DRAIN`, `MAINT`; the last check's result; sessions under way."""

    status: str
    check_status: str
    check_code: str
    sessions: int


@dataclass(frozen=True, slots=True)
class Row:
    """A server of a backend, or the backend as a whole (`BACKEND`)."""

    backend: str
    server: str


class Runtime:
    """Raises OSError while nobody answers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def servers(self) -> Mapping[tuple[str, str], Server]:
        """(backend, server) -> what it says."""
        rows = csv.DictReader(self._ask("stats.sock", "show stat -1 4 -1").removeprefix("# ").splitlines())
        return {
            (row["pxname"], row["svname"]): Server(
                row["status"], row["check_status"].lstrip("* "), row["check_code"], int(row["scur"] or 0)
            )
            for row in rows
        }

    def counters(self) -> Mapping[Row, Mapping[str, float]]:
        """Requests and answers since haproxy's start, of each backend and each of its servers."""
        rows = csv.DictReader(self._ask("stats.sock", "show stat -1 6 -1").removeprefix("# ").splitlines())
        return {Row(row["pxname"], row["svname"]): {name: float(row[name] or 0) for name in COUNTERS} for row in rows}

    def add(self, group: Group, target: Target) -> None:
        """A new target receives nothing before its checks have passed."""
        address = f"{target.address}:{target.port}"
        self._tell(
            f"add server {group.name}/{target.id} {address} {server_options(group)}",
            f"enable server {group.name}/{target.id}",
            f"set server {group.name}/{target.id} health down",
            f"enable health {group.name}/{target.id}",
            f"add server {group.name}-open/{target.id} {address} {transport(group)}".rstrip(),
            f"enable server {group.name}-open/{target.id}",
        )

    def drain(self, group: str, target_id: str) -> None:
        """No new request; those under way end in peace."""
        self._tell(f"set server {group}/{target_id} state drain", f"set server {group}-open/{target_id} state drain")

    def remove(self, group: str, target_id: str) -> None:
        self._tell(
            *(f"set server {backend}/{target_id} state maint" for backend in (group, f"{group}-open")),
            *(f"shutdown sessions server {backend}/{target_id}" for backend in (group, f"{group}-open")),
            *(f"del server {backend}/{target_id}" for backend in (group, f"{group}-open")),
        )

    def state(self) -> str:
        """The servers' state in the form that haproxy reads at its start."""
        return self._ask("stats.sock", "show servers state")

    def reload(self) -> None:
        """Start a new worker with the new configuration; the old one finishes its requests."""
        self._ask("master.sock", "reload")

    def _tell(self, *commands: str) -> None:
        self._ask("stats.sock", "; ".join(commands))

    def _ask(self, name: str, command: str) -> str:
        # Through the directory's descriptor, because a socket's path may have 107 characters only.
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT)
                connection.connect(f"/proc/self/fd/{directory}/{name}")
                connection.sendall(f"{command}\n".encode())
                connection.shutdown(socket.SHUT_WR)
                return b"".join(_received(connection)).decode()
        finally:
            os.close(directory)


def _received(connection: socket.socket) -> Iterable[bytes]:
    while data := connection.recv(65536):
        yield data
