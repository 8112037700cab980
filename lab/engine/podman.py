"""Machines as podman containers that boot systemd, each in a network namespace that was made, and filtered, before.

podman keeps its containers and images in a store of the lab's own, apart from the user's. On hosts with cgroup v1 or without
CAP_SYS_RESOURCE it needs runc and explicit limits; both are found out once and written to a containers.conf.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import LabError
from ..settings import Settings
from ..world import Machine
from .base import Status, Usage

LABEL = "hastack.lab"
# SYS_ADMIN and an open seccomp filter let systemd inside set up its units' sandboxes; without them it silently starts them bare.
SYSTEMD_FLAGS = (
    "--systemd=always",
    "--cap-add=SYS_ADMIN,AUDIT_WRITE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
)
STOP_SECONDS = 10


class Podman:
    """The engine for one lab. `home` holds the store that all labs of this machine share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environment = os.environ | configuration(settings.home)
        self._processes: set[int] = set()  # process 1 of each running machine, as of the last look
        self._images_lock = threading.RLock()
        # Only this process makes and removes this lab's images, so one look at the start is enough.
        listed = json.loads(self._podman("images", "--filter", f"reference={settings.image_repository}/*", "--format", "json") or "[]")
        self._images = {name.removesuffix(":latest") for entry in listed for name in entry.get("Names") or []}

    def machines(self) -> Mapping[str, Status]:
        listed = json.loads(self._podman("ps", "--all", "--filter", f"label={LABEL}={self._settings.name}", "--format", "json") or "[]")
        self._processes = {entry["Pid"] for entry in listed if entry["State"] == "running"}
        return {entry["Labels"][f"{LABEL}.machine"]: "running" if entry["State"] == "running" else "stopped" for entry in listed}

    def some_ended(self) -> bool:
        return any(not Path(f"/proc/{process}").exists() for process in self._processes)

    def create(self, machine: Machine) -> None:
        directory = self._settings.machine_directory(machine.id)
        name = self._settings.name
        boot = SYSTEMD_FLAGS if machine.command is None else ("--stop-signal=TERM",)  # the image's own signal is systemd's
        self._podman(
            "run", "--detach", "--name", self._container(machine.id),
            "--label", f"{LABEL}={name}", "--label", f"{LABEL}.machine={machine.id}",
            "--network", f"ns:/run/netns/{self._settings.namespace(machine.id)}", "--dns", "169.254.169.253", "--no-hosts",
            "--hostname", machine.hostname, "--stop-timeout", str(STOP_SECONDS), "--log-opt", "max-size=1mb",
            "--volume", f"{directory}:/lab", *boot, machine.image, *(machine.command or ()),
        )  # fmt: skip

    def start(self, machine_id: str) -> None:
        self._podman("start", self._container(machine_id))

    def stop(self, machine_id: str) -> None:
        self._podman("stop", self._container(machine_id))

    def restart(self, machine_id: str) -> None:
        self._podman("restart", self._container(machine_id))

    def remove(self, machine_id: str) -> None:
        self._podman("rm", "--force", "--time", "2", "--ignore", self._container(machine_id))

    def commit(self, machine_id: str, image: str) -> None:
        self._podman("commit", "--quiet", "--pause=true", self._container(machine_id), image)
        with self._images_lock:
            self._images.add(image)

    def remove_image(self, image: str) -> None:
        """Untag, then prune: a machine that still runs from it keeps its layers."""
        with self._images_lock:
            if image in self._images:
                self._podman("untag", image)
                self._podman("image", "prune", "--force")
                self._images.discard(image)

    def images(self) -> set[str]:
        with self._images_lock:
            return set(self._images)

    def run(self, machine_id: str, command: Sequence[str], stdin: str = "") -> str:
        return self._podman("exec", "--interactive", self._container(machine_id), *command, stdin=stdin)

    def signal(self, machine_id: str, name: str) -> None:
        self._podman("kill", "--signal", name, self._container(machine_id))

    def console(self, machine_id: str) -> str:
        done = self._run(["podman", "logs", self._container(machine_id)])
        return done.stdout + done.stderr

    def usage(self) -> Mapping[str, Usage]:
        prefix = self._container("")
        listed = json.loads(self._podman("stats", "--no-stream", "--format", "json") or "[]")
        return {
            entry["name"].removeprefix(prefix): Usage(_seconds(entry["cpu_time"]), _bytes(entry["mem_usage"].split("/")[0]))
            for entry in listed
            if entry["name"].startswith(prefix)
        }

    def _container(self, machine_id: str) -> str:
        return f"lab-{self._settings.name}-{machine_id}"

    def _podman(self, *arguments: str, stdin: str | None = None) -> str:
        done = self._run(["podman", *arguments], stdin)
        if done.returncode:
            raise LabError(f"`podman {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _run(self, command: list[str], stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=self._environment)  # noqa: S603 a list of our own, no shell


def configuration(home: Path) -> dict[str, str]:
    """Write podman's configuration below `home` and return the environment that points at it."""
    home.mkdir(parents=True, exist_ok=True)
    containers, storage = home / "containers.conf", home / "storage.conf"
    store = home / "store"
    runroot = f"/run/hastack-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]}"
    storage.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{store}"\nrunroot = "{runroot}"\n')
    lines = ["[engine]", 'events_logger = "file"']
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():  # cgroup v1: crun refuses it, and no systemd keeps slices
        lines += ['runtime = "runc"', 'cgroup_manager = "cgroupfs"']
    elif not Path("/run/systemd/system").exists():
        lines += ['cgroup_manager = "cgroupfs"']
    files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    if 0 < files < 1048576:  # podman's own default is refused where the host's hard limit is lower
        most = min(processes, 20000) if processes > 0 else 20000
        lines += ["[containers]", f'default_ulimits = ["nofile={files}:{files}", "nproc={most}:{most}"]']
    containers.write_text("\n".join(lines) + "\n")
    return {"CONTAINERS_CONF": str(containers), "CONTAINERS_STORAGE_CONF": str(storage)}


def _seconds(text: str) -> float:
    """podman's `1h2m3.4s`, `512.3ms` or `81.2µs` in seconds."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}
    total, number, rest = 0.0, "", text
    while rest:
        head = next((unit for unit in ("ms", "µs", "us", "ns", "h", "m", "s") if rest.startswith(unit)), "")
        if head:
            total, number, rest = total + float(number or 0) * units[head], "", rest[len(head) :]
        else:
            number, rest = number + rest[0], rest[1:]
    return total


def _bytes(text: str) -> int:
    """podman's `12.3MB` in bytes."""
    text = text.strip()
    for unit, factor in (
        ("GiB", 2**30),
        ("MiB", 2**20),
        ("KiB", 2**10),
        ("GB", 10**9),
        ("MB", 10**6),
        ("kB", 10**3),
        ("B", 1),
    ):
        if text.endswith(unit):
            return int(float(text.removesuffix(unit)) * factor)
    return 0
