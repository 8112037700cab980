"""Compares the machines that should stand with those that do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .engine.base import Status
from .world import Machine, World


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in this order: removals first, because a successor may own the same address."""

    remove: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    create: tuple[Machine, ...] = ()
    start: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.remove, self.stop, self.create, self.start))


def plan(world: World, standing: Mapping[str, Status]) -> Plan:
    """The way from `standing` (machine id -> status) to `world`.

    A machine that ended by itself is started again: inside a container a reboot looks like an end. Only one that is no more than
    a container has ended for good.
    A machine that should be stopped and does not exist stays away until it is started. A bare one has no container.
    """
    wanted = {machine.id: machine for machine in world.machines.values() if not machine.bare}
    return Plan(
        remove=tuple(sorted(machine_id for machine_id in standing if machine_id not in wanted)),
        stop=tuple(sorted(i for i, status in standing.items() if status == "running" and i in wanted and not wanted[i].running)),
        create=tuple(machine for _id, machine in sorted(wanted.items()) if machine.running and machine.id not in standing),
        start=tuple(sorted(i for i, status in standing.items() if status == "stopped" and i in wanted and _starts(wanted[i]))),
    )


def _starts(machine: Machine) -> bool:
    return machine.running and machine.container is None
