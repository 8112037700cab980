"""CPU time and memory of a container from its control group's files: a read costs nothing, where `podman stats` starts a process."""

from __future__ import annotations

from pathlib import Path

from .base import Usage

ROOT = Path("/sys/fs/cgroup")


def usage(process: int, container: str) -> Usage | None:
    """What the container with this process 1 and this id has used; None when it has ended, or the host tells nothing.

    With cgroup v1 each resource has a hierarchy of its own; with v2 there is one. systemd in the container moves itself into a group
    below the container's, so the path is cut behind the id.
    """
    try:
        hierarchies = (Path("/proc") / str(process) / "cgroup").read_text()
        cpu, memory = place(hierarchies, "cpuacct", container), place(hierarchies, "memory", container)
        if cpu and memory:
            seconds = int((ROOT / "cpuacct" / cpu / "cpuacct.usage").read_text()) / 1e9
            return Usage(seconds, int((ROOT / "memory" / memory / "memory.usage_in_bytes").read_text()))
        unified = place(hierarchies, "", container)
        if unified:
            figures = dict(line.split() for line in (ROOT / unified / "cpu.stat").read_text().splitlines())
            return Usage(int(figures["usage_usec"]) / 1e6, int((ROOT / unified / "memory.current").read_text()))
    except (OSError, KeyError):
        pass
    return None


def place(hierarchies: str, controller: str, container: str) -> str | None:
    """The container's group in a controller's hierarchy, relative to its root, from the text of /proc/<pid>/cgroup.

    The controller `` is that of the unified hierarchy.
    """
    for line in hierarchies.splitlines():
        _number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            parts = path.strip("/").split("/")
            found = [number for number, part in enumerate(parts) if container in part]
            if found:
                return "/".join(parts[: found[0] + 1])
    return None
