"""ECS services: deployments, events and refusals as on AWS. What a service wants is brought about by lab/services/ecs.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.utils import utcnow
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random

from ._patch import wrap
from .ecs import PLATFORM, Refused


def install() -> None:
    wrap(EC2ContainerServiceBackend, "list_services")(_list_services)
    wrap(EC2ContainerServiceBackend, "update_service")(_update_service)
    wrap(EC2ContainerServiceBackend, "delete_service")(_delete_service)
    wrap(EC2ContainerServiceResponse, "create_service")(_create_service)


def _create_service(original: Callable[..., Any], self: Any) -> Any:
    """moto keeps neither the circuit breaker nor the grace period, and takes a target group that nothing forwards to."""
    ecs, cluster = self.ecs_backend, self._get_param("cluster", "default")
    name = self._get_param("serviceName")
    known = ecs.services.get(f"{ecs._get_cluster(cluster).name}:{name}")
    if known and known.status == "DRAINING":
        raise InvalidParameterException("Unable to Start a service that is still Draining.")
    if known and known.status == "ACTIVE":
        raise InvalidParameterException("Creation of service was not idempotent.")
    if self._get_param("launchType") == "FARGATE":
        if not self._get_param("networkConfiguration"):
            raise InvalidParameterException("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        _check_targets(ecs, self._get_param("loadBalancers") or [])
    answer = original(self)
    service = ecs._get_service(cluster, name)
    _complete_service(service, self._get_param("deploymentConfiguration"), self._get_param("healthCheckGracePeriodSeconds"))
    service.enable_execute_command = bool(self._get_param("enableExecuteCommand"))
    service.deployments = []
    begin_deployment(service)
    return answer


def _check_targets(ecs: Any, load_balancers: list[dict[str, Any]]) -> None:
    groups = elbv2_backends[ecs.account_id][ecs.region_name].target_groups
    for entry in load_balancers:
        arn = entry.get("targetGroupArn", "")
        if arn not in groups:
            raise InvalidParameterException(f"Unable to assume role and validate the specified targetGroupArn: {arn} does not exist.")
        if not groups[arn].load_balancer_arns:
            raise InvalidParameterException(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
        if groups[arn].target_type != "ip":
            raise InvalidParameterException(
                f"The provided target group {arn} has target type {groups[arn].target_type},"
                " which is incompatible with the awsvpc network mode specified in the task definition."
            )


def _complete_service(service: Any, deployment: dict[str, Any] | None, grace_period: int | None) -> None:
    given = deployment or {}
    service.deployment_configuration = {
        "maximumPercent": given.get("maximumPercent", 200),
        "minimumHealthyPercent": given.get("minimumHealthyPercent", 100),
        "deploymentCircuitBreaker": given.get("deploymentCircuitBreaker") or {"enable": False, "rollback": False},
    }
    service.health_check_grace_period_seconds = int(grace_period or 0)
    service.platform_version, service.platform_family = PLATFORM, "Linux"
    service.running_count = service.pending_count = 0
    service.created_at = utcnow()
    service.events = []


def begin_deployment(service: Any, reason: str | None = None) -> dict[str, Any]:
    """A new primary deployment of what the service's task definition is now; earlier ones go on until their tasks are gone."""
    for earlier in service.deployments:
        earlier["status"], earlier["updatedAt"] = "ACTIVE", utcnow()
    identity = f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}"
    made = {
        "id": identity, "status": "PRIMARY", "taskDefinition": service.task_definition, "desiredCount": service.desired_count,
        "pendingCount": 0, "runningCount": 0, "failedTasks": 0, "createdAt": utcnow(), "updatedAt": utcnow(),
        "launchType": service.launch_type, "platformVersion": PLATFORM, "platformFamily": "Linux",
        "networkConfiguration": service.network_configuration, "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": reason or f"ECS deployment {identity} in progress.",
    }  # fmt: skip
    service.deployments.insert(0, made)
    return made


def event(service: Any, text: str) -> None:
    """Add to what DescribeServices tells, the newest first, a hundred at most."""
    entry = {"id": str(mock_random.uuid4()), "createdAt": utcnow(), "message": f"(service {service.name}) {text}"}
    service.events = [entry, *service.events][:100]


def _update_service(_original: Callable[..., Any], ecs: Any, properties: dict[str, Any]) -> Any:
    """A changed task definition or network makes a new deployment; a changed count does not. moto writes counts down as reached."""
    service = ecs._get_service(properties.get("cluster") or "default", properties["service"].split("/")[-1])
    if service.status != "ACTIVE":
        raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
    before = (service.task_definition, service.network_configuration)
    if properties.get("task_definition"):
        service.task_definition = ecs.describe_task_definition(properties["task_definition"]).arn
    if properties.get("network_configuration"):
        service.network_configuration = service._validate_network(properties["network_configuration"])
    if properties.get("deployment_configuration"):
        given = properties["deployment_configuration"]
        service.deployment_configuration = service.deployment_configuration | {key: value for key, value in given.items() if value}
    for name in ("desired_count", "health_check_grace_period_seconds", "enable_execute_command", "load_balancers"):
        if properties.get(name) is not None:
            setattr(service, name, properties[name])
    if before != (service.task_definition, service.network_configuration) or properties.get("force_new_deployment"):
        begin_deployment(service)
    return service


def _delete_service(_original: Callable[..., Any], ecs: Any, cluster_name: str, service_name: str, force: bool) -> Any:
    """The service is DRAINING until its last task has stopped."""
    service = ecs._get_service(cluster_name, service_name)
    if service.status != "ACTIVE":
        raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
    if service.desired_count > 0 and not force:
        raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
    service.status, service.desired_count = "DRAINING", 0
    return service


def _list_services(original: Callable[..., Any], ecs: Any, *args: Any, **kwargs: Any) -> list[str]:
    gone = {service.arn for service in ecs.services.values() if service.status == "INACTIVE"}
    return [arn for arn in original(ecs, *args, **kwargs) if arn not in gone]
