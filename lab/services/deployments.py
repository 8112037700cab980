"""What an ECS service does next. Pure: its deployments, its tasks and the time in, actions out; called again about every second.

The rules are those of the ECS Developer Guide, "Rolling updates", "How the Amazon ECS deployment circuit breaker detects failures" and
"Service throttle logic". Like the Auto Scaling group's (scaling.py) it keeps no memory of its own.

Differs from AWS: a task that ends before it was ever healthy counts as failed, whether it had been RUNNING or not; AWS leaves tasks that
end after they had been RUNNING to the health checks. The pauses between attempts are shorter.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_PAUSE = 60.0  # seconds between two attempts to start a task that keeps failing


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the service that has not stopped. `target` is its state in the target group, None without one."""

    id: str
    deployment: str
    subnet_id: str
    zone: str
    running: bool = False
    stopping: bool = False
    target: str | None = None
    started: float = 0.0  # when it was RUNNING first

    @property
    def healthy(self) -> bool:
        return self.running and not self.stopping and self.target in ("healthy", None)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One revision under way; `failed` counts its tasks that failed one after another, `failed_at` tells when the last did."""

    id: str
    failed: int = 0
    failed_at: float = 0.0
    completed: bool = False
    given_up: bool = False  # the circuit breaker has opened, and there was nothing to go back to


@dataclass(frozen=True, slots=True)
class Service:
    """What the service's owner wants. The first deployment is the primary one."""

    desired: int
    subnets: tuple[tuple[str, str], ...]  # (subnet id, availability zone)
    deployments: tuple[Deployment, ...]
    min_healthy_percent: int = 100
    max_percent: int = 200
    grace_period: int = 0
    circuit_breaker: bool = False
    rollback_to: bool = False  # there is an earlier deployment that had completed, and the breaker may go back to it

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]


@dataclass(frozen=True, slots=True)
class Start:
    """Start a task of the primary deployment in this subnet."""

    subnet_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a task; `unhealthy` says that its load balancer found it so."""

    id: str
    unhealthy: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """The primary deployment has as many healthy tasks as wanted, and no other one has any."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The circuit breaker opens: the primary deployment has failed."""

    roll_back: bool


Action = Start | Stop | Complete | Fail


def threshold(desired: int) -> int:
    """How many failed tasks in a row open the circuit breaker: half of the desired count, 3 at least and 200 at most."""
    return min(max(math.ceil(desired * 0.5), 3), 200)


def decide(service: Service, tasks: Sequence[Task], now: float) -> list[Action]:
    """The service's next steps."""
    primary = service.primary
    undecided = not primary.completed and not primary.given_up
    if service.circuit_breaker and undecided and primary.failed >= threshold(service.desired):
        return [Fail(service.rollback_to)]
    staying = [task for task in tasks if not task.stopping]
    ill = [task for task in staying if task.running and task.target == "unhealthy" and now - task.started >= service.grace_period]
    actions: list[Action] = [Stop(task.id, unhealthy=True) for task in ill]
    staying = [task for task in staying if task not in ill]
    mine = [task for task in staying if task.deployment == primary.id]
    old = [task for task in staying if task.deployment != primary.id]
    actions += _stop_surplus(service, mine)
    actions += _stop_old(service, mine, old)
    if not primary.given_up and now >= primary.failed_at + _pause(primary):
        room = math.floor(service.desired * service.max_percent / 100) - len(staying)
        actions += _starts(service, mine, min(service.desired - len(mine), room))
    healthy = sum(task.healthy for task in mine)
    if not actions and undecided and not old and len(tasks) == len(mine) == healthy == service.desired:
        actions.append(Complete())
    return actions


def _pause(deployment: Deployment) -> float:
    """Attempts come ever more slowly while tasks fail."""
    return min(2.0 ** min(deployment.failed - 1, 10), LONGEST_PAUSE) if deployment.failed else 0.0


def _stop_surplus(service: Service, mine: Sequence[Task]) -> list[Action]:
    """Scaling in: from the zone with the most tasks each time, those that are not healthy first, the oldest among equals."""
    left, actions = list(mine), list[Action]()
    while len(left) > service.desired:
        zones = Counter(task.zone for task in left)
        chosen = min(left, key=lambda task: (task.healthy, -zones[task.zone], task.started, task.id))
        left.remove(chosen)
        actions.append(Stop(chosen.id))
    return actions


def _stop_old(service: Service, mine: Sequence[Task], old: Sequence[Task]) -> list[Action]:
    """As many tasks of older deployments as may go while enough healthy ones are left. Those that are not healthy go at once."""
    floor = math.ceil(service.desired * service.min_healthy_percent / 100)
    healthy = sum(task.healthy for task in (*mine, *old))
    actions: list[Action] = []
    for task in sorted(old, key=lambda task: (task.healthy, task.started, task.id)):
        if not task.healthy:
            actions.append(Stop(task.id))
        elif healthy > floor:
            healthy -= 1
            actions.append(Stop(task.id))
    return actions


def _starts(service: Service, mine: Sequence[Task], count: int) -> list[Action]:
    """Into the availability zone with the fewest tasks each time, in the order of the service's subnets among equals."""
    zones = Counter(task.zone for task in mine)
    actions: list[Action] = []
    for _ in range(count):
        subnet_id, zone = min(service.subnets, key=lambda subnet: zones[subnet[1]])
        zones[zone] += 1
        actions.append(Start(subnet_id))
    return actions
