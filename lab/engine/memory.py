"""An engine that keeps machines in a dictionary: for tests of everything above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import LabError
from ..world import Machine
from .base import Status, Usage


class Memory:
    """Does what an engine does, on values; `log` tells in which order."""

    def __init__(self) -> None:
        self.standing: dict[str, Status] = {}
        self.kept_images: set[str] = set()
        self.cpu_seconds: dict[str, float] = {}
        self.log: list[tuple[str, str]] = []
        self.ended: dict[str, int] = {}  # machine id -> exit code

    def machines(self) -> Mapping[str, Status]:
        return dict(self.standing)

    def some_ended(self) -> bool:
        return False

    def create(self, machine: Machine) -> None:
        if machine.id in self.standing:
            raise LabError(f"machine {machine.id} exists already")
        self._set("create", machine.id, "running")

    def start(self, machine_id: str) -> None:
        self._set("start", machine_id, "running")

    def stop(self, machine_id: str) -> None:
        self._set("stop", machine_id, "stopped")

    def restart(self, machine_id: str) -> None:
        self._set("restart", machine_id, "running")

    def remove(self, machine_id: str) -> None:
        self.log.append(("remove", machine_id))
        self.standing.pop(machine_id, None)

    def commit(self, machine_id: str, image: str) -> None:
        if machine_id not in self.standing:
            raise LabError(f"there is no machine {machine_id}")
        self.log.append(("commit", machine_id))
        self.kept_images.add(image)

    def remove_image(self, image: str) -> None:
        self.kept_images.discard(image)

    def images(self) -> set[str]:
        return set(self.kept_images)

    def pull(self, source: str, authorization: str, image: str) -> None:
        self.log.append(("pull", source))
        self.kept_images.add(image)

    def end(self, machine_id: str, code: int) -> None:
        """Let a machine end by itself."""
        self._set("end", machine_id, "stopped")
        self.ended[machine_id] = code

    def exit_code(self, machine_id: str) -> int | None:
        return self.ended.get(machine_id, 143 if self.standing.get(machine_id) == "stopped" else None)

    def run(self, machine_id: str, command: Sequence[str], stdin: str = "") -> str:
        self.log.append(("run", machine_id))
        return ""

    def signal(self, machine_id: str, name: str) -> None:
        self.log.append((name, machine_id))

    def console(self, machine_id: str) -> str:
        return ""

    def usage(self) -> Mapping[str, Usage]:
        return {machine_id: Usage(self.cpu_seconds.get(machine_id, 0.0), 0) for machine_id in self.standing}

    def _set(self, verb: str, machine_id: str, status: Status) -> None:
        self.log.append((verb, machine_id))
        self.standing[machine_id] = status
