"""A task in its service's target groups: it joins when it runs, and has drained before it is stopped."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends

WORST_FIRST = ("unhealthy", "draining", "initial", "unused", "healthy")


def join(ecs: Any, task: Any) -> list[str]:
    """Register the task; ARNs of the target groups that it was not in yet."""
    joined = []
    for group, port in _groups(ecs, task):
        if task.lab_address not in group.targets:
            group.register([{"Id": task.lab_address, "Port": port}])
            joined.append(str(group.arn))
    return joined


def leave(ecs: Any, task: Any) -> list[str]:
    """Let the task drain; ARNs of the target groups that it was in."""
    left = []
    for group, _port in _groups(ecs, task):
        if task.lab_address in group.targets:
            group.deregister([{"Id": task.lab_address}])
            left.append(str(group.arn))
    return left


def drained(ecs: Any, task: Any) -> bool:
    return all(task.lab_address not in group.lab_draining for group, _port in _groups(ecs, task))


def health(ecs: Any, task: Any) -> tuple[str | None, str]:
    """(worst state in its target groups, why it is unhealthy and where); None without a target group."""
    elbv2 = elbv2_backends[ecs.account_id][ecs.region_name]
    found = [
        (status.status, f"(target-group {group.arn}) due to (reason {status.description})")
        for group, _port in _groups(ecs, task)
        for status in elbv2.describe_target_health(group.arn, [{"Id": task.lab_address}])
    ]
    if not found:
        return ("initial", "") if task.lab_targets else (None, "")
    return min(found, key=lambda entry: WORST_FIRST.index(entry[0]))


def _groups(ecs: Any, task: Any) -> list[tuple[Any, int]]:
    known = elbv2_backends[ecs.account_id][ecs.region_name].target_groups
    return [(known[arn], port) for arn, port in task.lab_targets if arn in known]
