"""Starting and ending a lab from outside its process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import image
from .certificates import Authority
from .engine.podman import Podman
from .errors import LabError
from .network import kernel
from .settings import Settings

Say = Callable[[str], None]
COMMAND = (sys.executable, "-m", "lab")
START_SECONDS = 60.0
STOP_SECONDS = 30.0
TOOLS = {  # command -> Debian package
    "podman": "podman", "mmdebstrap": "mmdebstrap", "nft": "nftables", "ip": "iproute2",
    "nsenter": "util-linux", "slirp4netns": "slirp4netns",
}  # fmt: skip


_children: dict[int, subprocess.Popen[bytes]] = {}  # labs that this very process has started, to be reaped by it


def up(lab: Settings, say: Say) -> dict[str, Any]:
    """Start the lab unless it runs, and return its status. Raises LabError with what is missing."""
    running = status(lab)
    if running:
        return running
    _check_host()
    lab.directory.mkdir(parents=True, exist_ok=True)
    image.build(lab.home, Authority(lab.home / "ca").certificate_file, say)
    process = _spawn(lab)
    started = time.monotonic()
    while time.monotonic() < started + START_SECONDS and process.poll() is None:
        running = status(lab)
        if running and running["settled"]:
            say(f"started in {time.monotonic() - started:.0f} s")
            return running
        time.sleep(0.1)
    if process.poll() is None and running:
        return running  # it serves; what does not stand yet is told by its status
    raise LabError(f"the lab did not start; the end of {lab.log_file}:\n{_tail(lab.log_file)}")


def down(lab: Settings, *, forget: bool, say: Say) -> None:
    """End the lab: process, machines, namespaces. Instances' disks are kept as images unless `forget`."""
    _end_process(lab)
    if not lab.directory.exists():
        return
    engine = Podman(lab)
    standing = engine.machines()
    if standing:
        say(f"ending {len(standing)} machines")

    def end(machine_id: str) -> None:
        if not forget and machine_id.startswith("i-"):
            engine.stop(machine_id)
            engine.commit(machine_id, f"{lab.image_repository}/saved-{machine_id}")
        engine.remove(machine_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(end, standing))
    for namespace in kernel.namespaces(lab.namespace("")):
        kernel.delete_namespace(namespace)
    if forget:
        for name in engine.images():
            engine.remove_image(name)
        shutil.rmtree(lab.directory)


def status(lab: Settings) -> dict[str, Any] | None:
    """The running lab's own account of itself, or None."""
    try:
        with urllib.request.urlopen(f"{lab.endpoint_url}/_lab/status", timeout=10) as answer:  # noqa: S310 always http on loopback, see Settings.endpoint_url
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return None
    return found | {"running": True} if found.get("name") == lab.name else None


def console(lab: Settings, machine_id: str) -> str:
    """What a machine has written to its console."""
    return Podman(lab).console(machine_id)


def log(lab: Settings) -> str:
    return lab.log_file.read_text() if lab.log_file.exists() else ""


def run_daemon(lab: Settings) -> None:
    """Be the lab's process; `up` starts it with the environment that moto reads on import."""
    lab.pid_file.write_text(str(os.getpid()))
    from . import daemon  # imports moto: seconds and memory that no other command should pay

    daemon.main(lab)


def _spawn(lab: Settings) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "LAB_PACE": str(lab.pace),
        "MOTO_AMIS_PATH": str(_source_images(lab)),
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_ENABLE_AMI_VALIDATION": "true",
        "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        environment.pop(name, None)
    with lab.log_file.open("ab") as log_file:
        process = subprocess.Popen(  # noqa: S603 a list of our own, no shell
            [*COMMAND, "daemon", "--name", lab.name],
            env=environment, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, start_new_session=True,
        )  # fmt: skip
    _children[process.pid] = process
    return process


def _source_images(lab: Settings) -> Path:
    path = lab.directory / "source_images.json"
    path.write_text(json.dumps([image.published_image()]))
    return path


def _end_process(lab: Settings) -> None:
    """SIGTERM, and SIGKILL to one that does not listen; the pid file's process must be this lab's."""
    if not lab.pid_file.exists():
        return
    pid = int(lab.pid_file.read_text())
    command = Path(f"/proc/{pid}/cmdline")
    if command.exists() and f"daemon\0--name\0{lab.name}".encode() in command.read_bytes():
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while _alive(pid):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
        if pid in _children:
            _children.pop(pid).wait()
    lab.pid_file.unlink()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _check_host() -> None:
    missing = {package for tool, package in TOOLS.items() if shutil.which(tool) is None}
    if missing:
        raise LabError(
            f"missing: {', '.join(sorted(missing))}. `make up` installs them on Debian and Ubuntu; elsewhere install these packages"
        )
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and needs root: run it through sudo, as `make up` does")


def _tail(path: Path) -> str:
    return "\n".join(path.read_text().splitlines()[-15:]) if path.exists() else "(no log)"
