"""What an Auto Scaling group does next. Pure: its members and the time in, actions out; called again about every second.

It is told how things stand and keeps no memory of its own, so that a step that was lost is simply decided again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Template = tuple[str, int]  # launch template id and version number
RUNNING, STARTING = "running", "pending"
ENDED = ("shutting-down", "terminated")
READY_TARGETS = ("healthy", "unused", None)  # unused: no load balancer asks, so nobody can say otherwise

EC2_FAILED = "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped."
USER_FAILED = "an instance was taken out of service in response to a user health-check."
ELB_FAILED = "an instance was taken out of service in response to an ELB system health check failure."
REFRESHED = "an instance was taken out of service in response to an instance refresh."
REPLACED = "an instance was launched in response to an unhealthy instance needing to be replaced."


@dataclass(frozen=True, slots=True)
class Member:
    """An instance of the group. `target` is the worst state in its target groups, None when there is none."""

    id: str
    zone: str
    template: Template
    lifecycle: Literal["Pending", "InService", "Terminating", "Standby"] = "InService"
    machine: str = RUNNING
    healthy: bool = True  # what SetInstanceHealth says
    protected: bool = False
    launched: float = 0.0
    in_service: float = 0.0
    target: str | None = None
    failed: bool = False  # it is Terminating because it was unhealthy


@dataclass(frozen=True, slots=True)
class Refresh:
    """An instance refresh under way: which members are still to be replaced, and how many may be missing or too many."""

    outdated: frozenset[str]
    min_healthy_percentage: int = 90
    max_healthy_percentage: int = 100
    warmup: int = 0
    started: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """What the group's owner wants."""

    desired: int
    subnets: tuple[tuple[str, str], ...]  # (subnet id, availability zone)
    elb_checks: bool = False
    grace_period: int = 300
    suspended: frozenset[str] = frozenset()
    termination_policies: tuple[str, ...] = ("Default",)
    refresh: Refresh | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """Start an instance in this subnet."""

    subnet_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class Enter:
    """The machine runs: put the instance into service."""

    id: str


@dataclass(frozen=True, slots=True)
class MarkUnhealthy:
    """Show the instance as unhealthy."""

    id: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Take the instance out of its target groups; it ends when it has drained."""

    id: str
    cause: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Terminate the EC2 instance."""

    id: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The instance is terminated: it is no member any more."""

    id: str


Action = Launch | Enter | MarkUnhealthy | Retire | End | Forget


def decide(group: Group, members: Sequence[Member], now: float) -> list[Action]:
    """The group's next steps."""
    actions: list[Action] = []
    staying: list[Member] = []
    for member in members:
        if member.lifecycle == "Terminating":
            actions += _leave(member)
        elif member.lifecycle == "Pending" and member.machine in (STARTING, RUNNING):
            actions += [Enter(member.id)] if member.machine == RUNNING else []
            staying.append(member)
        elif cause := _failure(group, member, now):
            marked: list[Action] = [MarkUnhealthy(member.id)] if member.healthy else []
            if "ReplaceUnhealthy" in group.suspended or "Terminate" in group.suspended:
                actions += marked
                staying.append(member)
            else:
                actions += [*marked, Retire(member.id, cause, failed=True)]
        elif member.lifecycle != "Standby":
            staying.append(member)
    if group.refresh and "InstanceRefresh" not in group.suspended:
        retired = _outdated_to_retire(group, group.refresh, staying, now)
        actions += [Retire(member.id, REFRESHED) for member in retired]
        staying = [member for member in staying if member not in retired]
    failed = any(member.failed for member in members) or any(isinstance(action, Retire) and action.failed for action in actions)
    return actions + _resize(group, staying, failed)


def refreshed(group: Group, refresh: Refresh, members: Sequence[Member], now: float) -> bool:
    """Whether the refresh has come to its end: nobody outdated is left, and as many as desired are ready."""
    active = [member for member in members if member.lifecycle in ("Pending", "InService")]
    remaining = refresh.outdated & {member.id for member in members}
    return not remaining and len(active) == group.desired and all(ready(group, refresh, member, now) for member in active)


def ready(group: Group, refresh: Refresh, member: Member, now: float) -> bool:
    """In service; healthy in its target groups, if the group asks them; warmed up, if the refresh launched it."""
    warm = member.launched < refresh.started or now - member.in_service >= refresh.warmup
    answers = not group.elb_checks or member.target in READY_TARGETS
    return member.lifecycle == "InService" and member.machine == RUNNING and answers and warm


def surge(group: Group) -> int:
    """How many members more than desired a refresh may have for a while."""
    refresh = group.refresh
    if refresh is None or "InstanceRefresh" in group.suspended:
        return 0
    extra = math.floor(group.desired * refresh.max_healthy_percentage / 100) - group.desired
    return max(extra, 1 if refresh.min_healthy_percentage >= 100 else 0)


def _leave(member: Member) -> list[Action]:
    if member.machine == "terminated":
        return [Forget(member.id)]
    if member.machine == "shutting-down" or member.target == "draining":
        return []
    return [End(member.id)]


def _failure(group: Group, member: Member, now: float) -> str | None:
    """Why the instance is unhealthy."""
    if member.machine in ENDED:  # noticed even while health checks are suspended: there is nothing left to check
        return EC2_FAILED
    if "HealthCheck" in group.suspended or member.lifecycle == "Standby":
        return None
    if member.machine in ("stopping", "stopped"):
        return EC2_FAILED
    if not member.healthy:
        return USER_FAILED
    if group.elb_checks and member.target == "unhealthy" and now - member.in_service >= group.grace_period:
        return ELB_FAILED
    return None


def _resize(group: Group, staying: Sequence[Member], failed: bool) -> list[Action]:
    outdated = group.refresh.outdated if group.refresh else frozenset()
    waiting = sum(member.id in outdated for member in staying)
    most = group.desired + min(surge(group), waiting)
    if len(staying) < most and "Launch" not in group.suspended:
        return _launches(group, staying, most - len(staying), failed)
    if len(staying) > group.desired + surge(group) and "Terminate" not in group.suspended:
        return _surplus(group, staying, len(staying) - group.desired - surge(group))
    return []


def _launches(group: Group, staying: Sequence[Member], count: int, failed: bool) -> list[Action]:
    """Into the availability zone with the fewest members each time; in the order of the group's subnets among equals."""
    outdated = group.refresh.outdated if group.refresh else frozenset()
    before, zones = len(staying), Counter(member.zone for member in staying)
    lasting = Counter(member.zone for member in staying if member.id not in outdated)  # those who go do not count for the balance
    launches: list[Action] = []
    for _ in range(count):
        subnet_id, zone = min(group.subnets, key=lambda subnet: (lasting[subnet[1]], zones[subnet[1]]))
        lasting[zone] += 1
        cause = REPLACED if failed else (
            "an instance was started in response to a difference between desired and actual capacity, increasing the capacity"
            f" from {before} to {before + count}."
        )  # fmt: skip
        launches.append(Launch(subnet_id, cause))
    return launches


def _surplus(group: Group, staying: Sequence[Member], count: int) -> list[Action]:
    """One after another from the zone with the most members, by the group's termination policies."""
    left, before = list(staying), len(staying)
    retired: list[Action] = []
    cause = (
        "an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity"
        f" from {before} to {before - count}."
    )
    for _ in range(count):
        candidates = [member for member in left if not member.protected]
        if not candidates:
            break
        zones = Counter(member.zone for member in left)
        most = max(zones[member.zone] for member in candidates)
        chosen = min((member for member in candidates if zones[member.zone] == most), key=lambda member: _rank(group, member))
        left.remove(chosen)
        retired.append(Retire(chosen.id, cause))
    return retired


def _rank(group: Group, member: Member) -> tuple[float, ...]:
    """Smallest goes first. Default: the oldest launch template version, then the oldest instance."""
    ranks = {
        "OldestInstance": (member.launched,),
        "NewestInstance": (-member.launched,),
        "OldestLaunchTemplate": (float(member.template[1]),),
        "Default": (float(member.template[1]), member.launched),
    }
    unready = 0.0 if member.target == "unhealthy" or member.lifecycle == "Pending" else 1.0
    return (unready, *(part for policy in group.termination_policies for part in ranks.get(policy, ())))


def _outdated_to_retire(group: Group, refresh: Refresh, staying: Sequence[Member], now: float) -> list[Member]:
    """As many outdated members as may go without fewer than the wanted share being ready. Those that are not ready go first."""
    floor = math.ceil(group.desired * refresh.min_healthy_percentage / 100)
    if surge(group) == 0:
        floor = min(floor, max(group.desired - 1, 0))  # at least one at a time, whatever the percentage rounds to
    able = {member.id for member in staying if ready(group, refresh, member, now)}
    retired: list[Member] = []
    for member in sorted(_outdated(refresh, staying), key=lambda member: (member.id in able, member.launched)):
        standing, serving = len(staying) - len(retired), len(able - {gone.id for gone in retired})
        if standing > floor and (member.id not in able or serving > floor):
            retired.append(member)
    return retired


def _outdated(refresh: Refresh, staying: Iterable[Member]) -> list[Member]:
    return [member for member in staying if member.id in refresh.outdated]
