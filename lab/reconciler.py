"""The loop that makes the world of the API's state stand: networks, rules, machines, then what the services do on them."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from . import persistence, state
from .engine.base import Engine
from .errors import LabError
from .networks import Networks
from .plan import plan
from .services.base import Published, Service
from .settings import Settings, write_secret
from .world import Machine, World

LOG = logging.getLogger(__name__)
TICK_SECONDS = 1.0
LOOK_EVERY = 30  # ticks between two rounds that nothing asked for
RETRY_SECONDS = 5.0


class Reconciler:
    """`wake()` asks for a round; a round also comes when a service asks for one in its tick, and now and then anyway."""

    def __init__(
        self, settings: Settings, engine: Engine, networks: Networks, services: Sequence[Service], lock: threading.RLock,
        published: Callable[[dict[str, Published]], None],
    ) -> None:  # fmt: skip
        self._settings, self._engine, self._networks, self._services = settings, engine, networks, services
        self._lock = lock
        self._published = published
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._dirty = True
        self._failed: dict[str, float] = {}
        self._ending: set[str] = set()  # machines that are being stopped
        self.problems: dict[str, str] = {}
        self.settled = False  # whether everything that was saved stands again

    def wake(self) -> None:
        """The API's state has changed."""
        self._dirty = True
        self._wanted.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()

    def run(self) -> None:
        """Reconcile until `stop()`; what goes wrong in a round is logged and tried again."""
        ticks = 0
        while not self._stopping.is_set():
            asked = self._wanted.wait(TICK_SECONDS)
            self._wanted.clear()
            try:
                if self._tick() or asked or self._engine.some_ended() or ticks % LOOK_EVERY == 0:
                    self.round()
                    self.problems.pop("round", None)
                    self.settled = True
            except Exception as error:
                LOG.exception("a round failed")
                self.problems["round"] = str(error)
                time.sleep(1)
            ticks += 1

    def round(self) -> None:
        """One reconciliation."""
        with self._lock:
            world = state.read([machine for service in self._services for machine in service.machines()])
        standing = dict(self._engine.machines())
        steps = plan(world, standing)
        steps = replace(steps, stop=tuple(machine_id for machine_id in steps.stop if machine_id not in self._ending))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._remove, steps.remove))
            for machine_id in steps.stop:
                self._ending.add(machine_id)
                threading.Thread(target=self._stop, args=(machine_id,), name=f"stop {machine_id}", daemon=True).start()
            self._networks.reconcile(world)
            list(pool.map(self._create, steps.create))
            list(pool.map(lambda machine_id: self._start(world, machine_id), steps.start))
        if steps:
            standing = dict(self._engine.machines())
        with self._lock:
            for service in self._services:
                service.reconciled(world, standing)
            self._published({name: target for service in self._services for name, target in service.published().items()})
            if self._dirty or steps:
                self._dirty = False
                persistence.save(self._settings.state_file)

    def _tick(self) -> bool:
        with self._lock:
            asked = [self._ask(service) for service in self._services]
        if any(asked):
            self._dirty = True
        return any(asked)

    def _ask(self, service: Service) -> bool:
        """One service's tick; what goes wrong in one keeps no other from its own."""
        name = type(service).__name__
        try:
            asked = service.tick()
            self.problems.pop(name, None)
        except Exception as error:
            LOG.exception("%s: a tick failed", name)
            self.problems[name] = str(error)
            return False
        return asked

    def _stop(self, machine_id: str) -> None:
        """Runs in a thread of its own: a machine that does not listen to its signal takes its time, and holds up no other."""
        try:
            self._engine.stop(machine_id)
            self.problems.pop(machine_id, None)
        except LabError as error:
            if machine_id in self._engine.machines():  # else it has been removed meanwhile
                self.problems[machine_id] = str(error)
                LOG.error("machine %s does not stop: %s", machine_id, error)
        finally:
            self._ending.discard(machine_id)
            self._wanted.set()

    def _remove(self, machine_id: str) -> None:
        self._engine.remove(machine_id)
        shutil.rmtree(self._settings.machine_directory(machine_id), ignore_errors=True)

    def _create(self, machine: Machine) -> None:
        if self._failed.get(machine.id, 0.0) > time.monotonic() - RETRY_SECONDS:
            return
        directory = self._settings.machine_directory(machine.id)
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in machine.files.items():
            (directory / name).write_text(content)
        for name, content in machine.secret_files.items():
            write_secret(directory / name, content)
        try:
            self._engine.create(machine)
            self.problems.pop(machine.id, None)
        except LabError as error:
            self._failed[machine.id] = time.monotonic()
            self.problems[machine.id] = str(error)
            LOG.error("machine %s does not start: %s", machine.id, error)
            self._engine.remove(machine.id)

    def _start(self, world: World, machine_id: str) -> None:
        try:
            self._engine.start(machine_id)
        except LabError as error:
            # Its namespace may have been made anew (a reboot of the host); a container made anew finds it.
            LOG.warning("machine %s is made anew: %s", machine_id, error)
            self._engine.remove(machine_id)
            self._create(world.machines[machine_id])
