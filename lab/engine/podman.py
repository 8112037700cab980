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
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import LabError
from ..settings import Settings
from ..world import Container, Machine
from . import cgroups
from .base import Status, Usage

LABEL = "hastack.lab"
# SYS_ADMIN and an open seccomp filter let systemd inside set up its units' sandboxes; without them it silently starts them bare.
SYSTEMD_FLAGS = (
    "--systemd=always",
    "--stop-signal=SIGRTMIN+3",
    "--tty",  # a console that the log keeps: without one systemd's /dev/console leads nowhere
    "--cap-add=SYS_ADMIN,AUDIT_WRITE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
)
STOP_SECONDS = 10
RUNNING = ("running", "stopping")  # podman's words; what has got its signal to stop still runs
CONSOLE = "console.log"  # what a plain container writes, in its machine's directory, a line each: time, stream, F or P, text


class Podman:
    """The engine for one lab. `home` holds the store that all labs of this machine share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environment = os.environ | configuration(settings.home)
        self._running: dict[str, tuple[int, str]] = {}  # machine id -> process 1 and container id, as of the last look
        self._images_lock = threading.RLock()
        # Only this process makes and removes this lab's images, so one look at the start is enough.
        own = f"{settings.image_repository}/"
        listed = json.loads(self._podman("images", "--filter", f"reference={own}*", "--format", "json") or "[]")
        names = {name.removesuffix(":latest") for entry in listed for name in entry.get("Names") or []}
        self._images = {name for name in names if name.startswith(own)}  # an image that was pulled may have its source's name besides

    def machines(self) -> Mapping[str, Status]:
        listed = json.loads(self._podman("ps", "--all", "--filter", f"label={LABEL}={self._settings.name}", "--format", "json") or "[]")
        self._running = {entry["Labels"][f"{LABEL}.machine"]: (entry["Pid"], entry["Id"]) for entry in listed if entry["State"] in RUNNING}
        return {entry["Labels"][f"{LABEL}.machine"]: "running" if entry["State"] in RUNNING else "stopped" for entry in listed}

    def some_ended(self) -> bool:
        return any(not Path(f"/proc/{process}").exists() for process, _container in self._running.values())

    def create(self, machine: Machine) -> None:
        directory = self._settings.machine_directory(machine.id)
        if machine.container:
            flags = container_flags(machine.container, directory)
        else:
            boot = SYSTEMD_FLAGS if machine.command is None else ()
            flags = ("--no-hosts", "--stop-timeout", str(STOP_SECONDS), "--log-opt", "max-size=1mb", "--volume", f"{directory}:/lab", *boot)
        with tempfile.NamedTemporaryFile("w", suffix=".env") as file:  # readable by its owner alone
            secrets = machine.container.secrets if machine.container else {}
            file.writelines(f"{name}={value}\n" for name, value in secrets.items())
            file.flush()
            self._podman(
                "run", "--detach", "--name", self._container(machine.id),
                "--label", f"{LABEL}={self._settings.name}", "--label", f"{LABEL}.machine={machine.id}",
                "--network", f"ns:/run/netns/{self._settings.namespace(machine.id)}", "--dns", "169.254.169.253",
                "--hostname", machine.hostname, "--env-file", file.name, *flags, machine.image, *(machine.command or ()),
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

    def pull(self, source: str, authorization: str, image: str) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:  # readable by its owner alone
            json.dump({"auths": {source.split("/")[0]: {"auth": authorization}}}, file)
            file.flush()
            identity = self._podman("pull", "--quiet", "--tls-verify=false", "--authfile", file.name, source).strip()
        self._podman("tag", identity, image)
        self._run(["podman", "untag", identity, source])  # else its layers stay; a pull at the same time may have done it already
        with self._images_lock:
            self._images.add(image)

    def exit_code(self, machine_id: str) -> int | None:
        done = self._run(["podman", "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", self._container(machine_id)])
        status, _, code = done.stdout.strip().partition(" ")
        return int(code) if code and status not in RUNNING else None

    def run(self, machine_id: str, command: Sequence[str], stdin: str = "") -> str:
        return self._podman("exec", "--interactive", self._container(machine_id), *command, stdin=stdin)

    def signal(self, machine_id: str, name: str) -> None:
        self._podman("kill", "--signal", name, self._container(machine_id))

    def console(self, machine_id: str) -> str:
        done = self._run(["podman", "logs", self._container(machine_id)])
        return done.stdout + done.stderr

    def usage(self) -> Mapping[str, Usage]:
        found = {machine_id: cgroups.usage(process, container) for machine_id, (process, container) in self._running.items()}
        return {machine_id: used for machine_id, used in found.items() if used}

    def _container(self, machine_id: str) -> str:
        return f"lab-{self._settings.name}-{machine_id}"

    def _podman(self, *arguments: str, stdin: str | None = None) -> str:
        done = self._run(["podman", *arguments], stdin)
        if done.returncode:
            raise LabError(f"`podman {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _run(self, command: list[str], stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=self._environment)  # noqa: S603 no shell; what callers of the API choose is the value of a flag, or comes after the image


def container_flags(container: Container, directory: Path) -> tuple[str, ...]:
    """podman's flags for a plain container, but for its secrets, which no command line shows."""
    memory = f"{container.memory_mib}m"
    return (
        "--cpus", str(container.cpus), "--memory", memory, "--memory-swap", memory, "--stop-timeout", str(container.stop_seconds),
        "--log-driver", "k8s-file", "--log-opt", f"path={directory / CONSOLE}",
        *(f"--env={name}={value}" for name, value in container.environment.items()),
        *((f"--entrypoint={json.dumps(container.entrypoint)}",) if container.entrypoint else ()),
        *((f"--user={container.user}",) if container.user else ()),
        *((f"--workdir={container.working_directory}",) if container.working_directory else ()),
        *(("--read-only",) if container.read_only else ()),
    )  # fmt: skip


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
