"""What the service `rds` asks of a database server. Pure: values in, texts and commands out; only `ready` looks at a directory.

A server's machine has its own directory of the host mounted at /lab. There lie the files of `files`, the server's data in /lab/data, and,
for the time of a copy, a snapshot in /lab/snapshot. All of it outlives the container.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ...errors import LabError


@dataclass(frozen=True, slots=True)
class Server:
    """What a server has to know of its DB instance."""

    address: str  # the name of its endpoint
    port: int
    user: str  # the master user
    database: str | None  # the first database
    parameters: Mapping[str, str] = field(default_factory=dict)  # those of its parameter group that are in force


@dataclass(frozen=True, slots=True)
class Command:
    """To be run as root in the server's machine. A secret goes to its standard input, never into the arguments."""

    arguments: tuple[str, ...]
    stdin: str = ""


class ServerEngine(Protocol):
    """One database server: how it starts, and how it is told what RDS is told."""

    def files(self, server: Server) -> dict[str, str]:
        """Name -> text of what stands in /lab before the start; `start.sh` is process 1. No secret is in them."""

    def ready(self, directory: Path) -> bool:
        """Whether the server whose /lab is `directory` takes connections. Asked each second: it only reads a file."""

    def bootstrap(self, server: Server, password: str) -> Sequence[Command]:
        """Make the master user, with this password, and the first database. Run again, it renews the password and nothing else."""

    def apply(self, server: Server, changed: Mapping[str, str]) -> Sequence[Command]:
        """Let the running server take the files that have just been written anew; `changed` are the parameters that differ."""

    def copy(self) -> Command:
        """Make a consistent copy of the running server's data at /lab/snapshot, from which another server can start."""


def checked(name: str) -> str:
    """The same name, when it can be written into SQL between quotes. Raises LabError for any other."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
        raise LabError(f"'{name}' is no name for a user or a database: expected letters, digits, underscores and hyphens")
    return name
