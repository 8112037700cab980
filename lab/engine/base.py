"""The interface to whatever runs machines. It knows nothing of AWS: ids, images, commands, namespaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..world import Machine

Status = Literal["running", "stopped"]


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the machine's start, and memory in bytes, the cache of its files included."""

    cpu_seconds: float
    memory_bytes: int


class Engine(Protocol):
    """Every method may be called from any thread and raises LabError when the engine refuses."""

    def machines(self) -> Mapping[str, Status]:
        """Id -> status of every machine of this lab that exists."""

    def some_ended(self) -> bool:
        """Whether a machine has ended by itself since `machines()` was last asked; cheap enough for every second."""

    def create(self, machine: Machine) -> None:
        """Create the machine in its network namespace, which exists already, and start it."""

    def start(self, machine_id: str) -> None: ...

    def stop(self, machine_id: str) -> None:
        """Ask the machine to end, and end it if it does not; it counts as running, and this does not return, until it has ended."""

    def restart(self, machine_id: str) -> None: ...

    def remove(self, machine_id: str) -> None:
        """End and forget the machine; one that does not exist is no error."""

    def commit(self, machine_id: str, image: str) -> None:
        """Make `image` from the machine's disk, paused for that moment, as CreateImage does."""

    def remove_image(self, image: str) -> None:
        """Forget an image; one that does not exist, or is in use, is no error."""

    def images(self) -> set[str]:
        """Names of this lab's own images: committed machines and saved disks."""

    def pull(self, source: str, authorization: str, image: str) -> None:
        """Fetch `source` from a registry on this computer, with `user:password` in base64, as one of this lab's own images `image`."""

    def exit_code(self, machine_id: str) -> int | None:
        """With what a machine's process 1 has ended; None while it runs, or when there is no such machine."""

    def run(self, machine_id: str, command: Sequence[str], stdin: str = "") -> str:
        """Run a command as root inside the machine and return its output."""

    def signal(self, machine_id: str, name: str) -> None:
        """Send a signal (`HUP`, `USR2`) to the machine's process 1."""

    def console(self, machine_id: str) -> str:
        """What the machine has written to its console."""

    def usage(self) -> Mapping[str, Usage]:
        """CPU and memory of every machine that was running when `machines()` was last asked; cheap enough for every second."""
