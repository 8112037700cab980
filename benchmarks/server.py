"""An AWS account on loopback for measurements: the lab's moto, without machines; logs its requests and can answer late.

Usage: python -m benchmarks.server PORT LATENCY_MS DIRECTORY
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from moto.elbv2.models import elbv2_backends

from lab import api, aws, requests, state
from lab.engine.memory import Memory
from lab.plan import plan
from lab.services.autoscaling import AutoScaling
from lab.services.balancer_state import load_balancers
from lab.services.base import Service
from lab.services.databases import Databases
from lab.services.ec2 import Instances
from lab.services.ecs import Services
from lab.services.gateways import Gateways
from lab.services.group_policies import Groups
from lab.settings import ACCOUNT_ID, Settings

ROUND_SECONDS = 0.2


class Loops:
    """The lab's control loops over machines that are names only: whatever is asked for is there at once and healthy."""

    def __init__(self, settings: Settings, lock: threading.RLock) -> None:
        self._settings, self._lock, self._engine = settings, lock, Memory()
        self._databases = Databases(settings, self._engine)
        gateways = Gateways(lambda _machine, _hosts: lambda: None)
        instances = Instances(settings, self._engine)
        self._services: list[Service] = [AutoScaling(Groups()), instances, self._databases, Services(), gateways]

    def run(self) -> None:
        while True:
            time.sleep(ROUND_SECONDS)
            with self._lock:
                self.round()

    def round(self) -> None:
        """What lab/reconciler.py does, without networks."""
        world = state.read([machine for service in self._services for machine in service.machines()])
        steps = plan(world, self._engine.machines())
        for machine_id in steps.remove:
            self._engine.remove(machine_id)
        for machine_id in steps.stop:
            self._engine.stop(machine_id)
        for machine in steps.create:
            self._engine.create(machine)
        for machine_id in steps.start:
            self._engine.start(machine_id)
        self._serve_databases()
        for service in self._services:
            service.reconciled(world, self._engine.machines())
        for service in self._services:
            service.tick()
        for _backend, balancer in load_balancers():
            balancer.state = "active"
        for region in elbv2_backends[ACCOUNT_ID].values():
            for group in region.target_groups.values():
                group.lab_health = dict.fromkeys(group.targets, ("healthy", None, None))
                group.lab_draining.clear()

    def _serve_databases(self) -> None:
        """Let every database's server say that it is ready, as PostgreSQL and MariaDB do in their directories."""
        for machine in self._databases.machines():
            directory = self._settings.machine_directory(machine.id)
            (directory / "data").mkdir(parents=True, exist_ok=True)
            (directory / "data/postmaster.pid").write_text("1\n2\n3\n4\n5\n6\n7\nready   \n")
            (directory / "ready").touch()
            for name, text in machine.files.items():
                (directory / name).write_text(text)


class Far(api.Application):
    """The API at a distance: each answer comes later by the same time."""

    latency = 0.0  # seconds

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        time.sleep(self.latency)
        return super().__call__(environ, start)


def main(port: int, latency: float, directory: Path) -> None:
    """Serve until the process is ended. The log of requests is `requests.jsonl` in the directory."""
    aws.install()
    lock = threading.RLock()
    application = Far(requests.Log(directory / "requests.jsonl"), lock, lambda: None, {"ready": lambda: True})
    application.latency = latency
    api.serve(application, socket.create_server(("127.0.0.1", port)))
    Loops(Settings("bench", directory), lock).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]) / 1000, Path(sys.argv[3]))
