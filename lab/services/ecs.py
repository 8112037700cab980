"""ECS services: looks at each about once a second, asks deployments.py what to do, and does it inside the API's state.

Scaling policies change a service's desired count (`scale`); nothing else in here has to know them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ecs.models import ecs_backends

from ..aws.ecs import ask_to_stop
from ..aws.ecs_services import begin_deployment, event
from ..engine.base import Status
from ..world import Machine, World
from . import deployments, task_targets
from .base import Published

LOG = logging.getLogger(__name__)
SCHEDULER = "ServiceSchedulerInitiated"
FAILED = "tasks failed to start."
TOO_MANY = 3  # failed tasks in a row after which the events say so
UNABLE = "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section."


class Services:
    """The service `ecs`, as far as ECS services go. Nothing of its own stands: tasks.py runs the tasks."""

    def machines(self) -> Iterable[Machine]:
        return ()

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        """Nothing of its own stands."""

    def published(self) -> dict[str, Published]:
        return {}

    def tick(self) -> bool:
        asked = [_step(ecs, service, time.time()) for ecs, service in services()]
        return any(asked)


def services() -> Iterator[tuple[Any, Any]]:
    """Every Fargate service of every account and region that is not gone, with its backend."""
    for _account, _region, ecs in list(ecs_backends.iter_backends()):
        for service in list(ecs.services.values()):
            if service.launch_type == "FARGATE" and service.status != "INACTIVE":
                yield ecs, service


def scale(service: Any, count: int) -> None:
    """Set the desired count, as Application Auto Scaling does."""
    service.desired_count = count


def _step(ecs: Any, service: Any, now: float) -> bool:
    every = [task for task in ecs.tasks.get(service.cluster_name, {}).values() if task.group == f"service:{service.name}"]
    _count_failures(service, every, now)
    alive = [task for task in every if task.lab_status != "STOPPED"]
    if service.status == "DRAINING":
        return _drain(service, alive)
    found = [_value(ecs, task) for task in alive]
    for task, value in zip(alive, found, strict=True):
        if value.healthy and not task.lab_was_healthy:
            task.lab_was_healthy = True
            _deployment(service, task)["failedTasks"] = 0
    actions = deployments.decide(_wanted(ecs, service), found, now)
    for action in actions:
        _act(ecs, service, {task.id: task for task in alive}, action, now)
    _count(service, alive)
    _tell(service, actions, [task for task in ecs.tasks.get(service.cluster_name, {}).values() if task not in every])
    return bool(actions)


def _drain(service: Any, alive: list[Any]) -> bool:
    for task in alive:
        ask_to_stop(task, SCHEDULER, "Scaling activity initiated by (service deleted)")
    if not alive:
        service.status, service.deployments, service.running_count, service.pending_count = "INACTIVE", [], 0, 0
    return True


def _count_failures(service: Any, every: list[Any], now: float) -> None:
    """A task that ended by itself before it was ever healthy is a failed one of its deployment; counted once."""
    for task in every:
        if task.lab_status == "STOPPED" and not task.lab_counted:
            task.lab_counted = True
            deployment = _deployment(service, task)
            by_itself = task.stop_code in ("TaskFailedToStart", "EssentialContainerExited") or task.lab_unhealthy
            if by_itself and not task.lab_was_healthy:
                deployment["failedTasks"] += 1
                deployment["lab_failed_at"] = now
                if deployment["failedTasks"] == TOO_MANY:
                    event(service, UNABLE)


def _deployment(service: Any, task: Any) -> dict[str, Any]:
    """The task's deployment; one that is over counts for nobody."""
    return next((found for found in service.deployments if found["id"] == task.lab_deployment), {"failedTasks": 0})


def _value(ecs: Any, task: Any) -> deployments.Task:
    running = task.lab_status == "RUNNING"
    target, _why = task_targets.health(ecs, task) if running else (None, "")
    return deployments.Task(
        id=task.id,
        deployment=task.lab_deployment or "",
        subnet_id=task.lab_subnet_id,
        zone=task.availability_zone,
        running=running,
        stopping=task.desired_status == "STOPPED",
        target=target,
        started=task.started_at.timestamp() if task.started_at else 0.0,
    )


def _wanted(ecs: Any, service: Any) -> deployments.Service:
    ec2 = ec2_backends[ecs.account_id][ecs.region_name]
    configuration, primary = service.deployment_configuration, service.deployments[0]
    breaker = configuration["deploymentCircuitBreaker"]
    completed = getattr(service, "lab_completed", None)  # (deployment id, task definition) of the last one that came to its end
    return deployments.Service(
        desired=service.desired_count,
        subnets=tuple(
            (subnet.id, subnet.availability_zone)
            for subnet in map(ec2.get_subnet, service.network_configuration["awsvpcConfiguration"]["subnets"])
        ),
        deployments=tuple(
            deployments.Deployment(
                id=found["id"],
                failed=found["failedTasks"],
                failed_at=found.get("lab_failed_at", 0.0),
                completed=found["rolloutState"] == "COMPLETED",
                given_up=found["rolloutState"] == "FAILED",
            )
            for found in service.deployments
        ),
        min_healthy_percent=int(configuration["minimumHealthyPercent"]),
        max_percent=int(configuration["maximumPercent"]),
        grace_period=service.health_check_grace_period_seconds,
        circuit_breaker=bool(breaker.get("enable")),
        rollback_to=bool(breaker.get("rollback")) and completed is not None and not primary.get("lab_rollback"),
    )


def _act(ecs: Any, service: Any, alive: Mapping[str, Any], action: deployments.Action, now: float) -> None:
    primary = service.deployments[0]
    match action:
        case deployments.Start(subnet_id):
            try:
                _start(ecs, service, primary, subnet_id)
            except ServiceException as error:
                primary["failedTasks"] += 1
                primary["lab_failed_at"] = now
                event(service, f"was unable to place a task. Reason: {error.message}.")
        case deployments.Stop(task_id, unhealthy):
            task = alive[task_id]
            reason = f"Scaling activity initiated by (deployment {primary['id']})"
            if unhealthy:
                task.lab_unhealthy = True
                port, (_state, why) = task.lab_targets[0][1], task_targets.health(ecs, task)
                reason = f"Task failed ELB health checks in (target-group {task.lab_targets[0][0]})"
                event(service, f"(port {port}) is unhealthy in {why}.")
            ask_to_stop(task, SCHEDULER, reason)
        case deployments.Complete():
            _set_state(primary, "COMPLETED", f"ECS deployment {primary['id']} completed.")
            service.lab_completed = (primary["id"], primary["taskDefinition"])
            service.deployments = [primary]
            event(service, f"(deployment {primary['id']}) deployment completed.")
            event(service, "has reached a steady state.")
        case deployments.Fail(roll_back):
            _fail(service, primary, roll_back)


def _fail(service: Any, primary: dict[str, Any], roll_back: bool) -> None:
    _set_state(primary, "FAILED", f"ECS deployment circuit breaker: {FAILED}")
    event(service, f"(deployment {primary['id']}) deployment failed: {FAILED}")
    if roll_back:
        identity, definition = service.lab_completed
        service.task_definition = definition
        event(service, f"rolling back to (deployment {identity}).")
        made = begin_deployment(service, f"ECS deployment circuit breaker: rolling back to deploymentId {identity}.")
        made["lab_rollback"] = True


def _set_state(deployment: dict[str, Any], rollout_state: str, reason: str) -> None:
    deployment["rolloutState"], deployment["rolloutStateReason"], deployment["updatedAt"] = rollout_state, reason, utcnow()


def _start(ecs: Any, service: Any, deployment: dict[str, Any], subnet_id: str) -> None:
    network = deepcopy(service.network_configuration)
    network["awsvpcConfiguration"]["subnets"] = [subnet_id]
    (task,) = ecs.run_task(
        service.cluster_name, deployment["taskDefinition"], 1, None, deployment["id"], _tags(ecs, service), "FARGATE", network,
        f"service:{service.name}",
    )  # fmt: skip
    task.lab_deployment = deployment["id"]
    task.lab_targets = [(entry["targetGroupArn"], int(entry["containerPort"])) for entry in service.load_balancers]


def _tags(ecs: Any, service: Any) -> list[dict[str, str]]:
    """The tags that the service's tasks get."""
    if service.propagate_tags == "SERVICE":
        return list(service.tags)
    if service.propagate_tags == "TASK_DEFINITION":
        return list(ecs.describe_task_definition(service.task_definition).tags)
    return []


def _count(service: Any, alive: list[Any]) -> None:
    """What DescribeServices tells of numbers. A deployment of the past is told of until its last task is gone."""
    for found in service.deployments:
        of_it = [task for task in alive if task.lab_deployment == found["id"]]
        found["runningCount"] = sum(task.lab_status in ("RUNNING", "DEACTIVATING") for task in of_it)
        found["pendingCount"] = sum(task.lab_status in ("PROVISIONING", "PENDING") for task in of_it)
        found["desiredCount"] = service.desired_count if found["status"] == "PRIMARY" else 0
    service.deployments = [
        found for found in service.deployments if found["status"] == "PRIMARY" or found["runningCount"] or found["pendingCount"]
    ]
    service.running_count = sum(found["runningCount"] for found in service.deployments)
    service.pending_count = sum(found["pendingCount"] for found in service.deployments)


def _tell(service: Any, actions: list[deployments.Action], new: list[Any]) -> None:
    """The scheduler's starts and stops as events, all of one look in one."""
    started = [task for task in new if task.group == f"service:{service.name}"]
    if started:
        event(service, f"has started {len(started)} tasks: {' '.join(f'(task {task.id})' for task in started)}.")
    stopped = [f"(task {action.id})" for action in actions if isinstance(action, deployments.Stop)]
    if stopped:
        event(service, f"has stopped {len(stopped)} running tasks: {' '.join(stopped)}.")
