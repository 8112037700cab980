"""Elastic Load Balancing (application load balancers): interfaces, states and refusals as on AWS.

A load balancer owns one network interface in each of its subnets. It becomes `active`, and its targets healthy, when the lab's
load balancer (lab/services/load_balancers.py) says so; that service writes what it sees into `lab_*` attributes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.elbv2.exceptions import ELBClientError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeLoadBalancer, FakeTargetGroup
from moto.moto_api._internal import mock_random

from . import interfaces
from ._patch import wrap

REQUESTER = "amazon-elb"
DEFAULT_ATTRIBUTES = {  # the collection's module reads these without asking whether they are there
    "idle_timeout.timeout_seconds": "60",
    "access_logs.s3.enabled": "false",
    "routing.http2.enabled": "true",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http.desync_mitigation_mode": "defensive",
    "client_keep_alive.seconds": "3600",
    "waf.fail_open.enabled": "false",
    "load_balancing.cross_zone.enabled": "true",
}
DEFAULT_GROUP_ATTRIBUTES = {
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
}
DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.Timeout": "Request timed out",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
}


def install() -> None:
    wrap(FakeLoadBalancer, "__init__")(_default_attributes)
    wrap(FakeLoadBalancer, "activate")(_active_when_it_stands)
    wrap(ELBv2Backend, "create_load_balancer")(_create_load_balancer)
    wrap(ELBv2Backend, "delete_load_balancer")(_delete_load_balancer)
    wrap(ELBv2Backend, "set_security_groups")(_set_security_groups)
    wrap(ELBv2Backend, "set_subnets")(_set_subnets)
    wrap(ELBv2Backend, "describe_target_groups")(_describe_target_groups)
    wrap(ELBv2Backend, "describe_tags")(_describe_tags)
    wrap(ELBv2Backend, "describe_target_health")(_describe_target_health)
    wrap(ELBv2Backend, "notify_terminate_instances")(_left_to_the_service)
    wrap(FakeTargetGroup, "__init__")(_as_on_aws)
    wrap(FakeTargetGroup, "register")(_register)
    FakeTargetGroup.deregister = _deregister
    FakeTargetGroup.load_balancer_arns = property(_load_balancer_arns, lambda _group, _arns: None)


def _describe_tags(original: Callable[..., Any], elbv2: Any, resource_arns: list[str]) -> Any:
    """One that does not exist is refused, and the others with it; moto tells it to have no tags."""
    for arn in resource_arns:
        elbv2._get_resource_by_arn(arn)
    return original(elbv2, resource_arns)


def load_balancers_of(elbv2: Any, target_group_arn: str) -> list[Any]:
    """The load balancers with a listener or rule that forwards to the target group."""
    return [
        balancer
        for balancer in list(elbv2.load_balancers.values())
        if any(
            target_group_arn in elbv2._get_target_group_arns_from(action_data=action.data)
            for listener in list(balancer.listeners.values())
            for rule in list(listener.rules.values())
            for action in rule.actions
        )
    ]


def health(target_id: str, port: Any, state: str, reason: str | None = None, description: str | None = None) -> FakeHealthStatus:
    return FakeHealthStatus(target_id, str(port), str(port), state, reason, description or DESCRIPTIONS.get(reason or ""))


# Load balancers


def _default_attributes(original: Callable[..., None], balancer: Any, *args: Any, **kwargs: Any) -> None:
    original(balancer, *args, **kwargs)
    balancer.attrs.update(DEFAULT_ATTRIBUTES)
    balancer.lab_interface_ids = {}  # subnet id -> interface id


def _active_when_it_stands(_original: Callable[..., None], _balancer: Any) -> None:
    """moto makes a load balancer active at the first look; here the service does, when it runs."""


def _create_load_balancer(original: Callable[..., Any], elbv2: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises DuplicateLoadBalancerName, InvalidConfigurationRequest and InvalidSubnet as AWS does."""
    name, kind = kwargs["name"], kwargs.get("loadbalancer_type") or "application"
    kwargs["scheme"] = scheme = kwargs.get("scheme") or "internet-facing"
    subnet_ids = [*kwargs.get("subnet_ids", []), *(entry["SubnetId"] for entry in kwargs.get("subnet_mappings") or [])]
    subnets = [elbv2.ec2_backend.get_subnet(subnet_id) for subnet_id in subnet_ids]
    for balancer in elbv2.load_balancers.values():
        if balancer.name == name:
            if {subnet.id for subnet in balancer.subnets} == set(subnet_ids) and balancer.scheme == scheme:
                return balancer
            raise ELBClientError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    _check_subnets(elbv2, kind, scheme, subnets)
    if kind == "application" and not kwargs.get("security_groups"):
        kwargs["security_groups"] = [elbv2.ec2_backend.get_default_security_group(subnets[0].vpc_id).id]
    balancer = original(elbv2, *args, **kwargs)
    prefix = "internal-" if scheme == "internal" else ""
    number = mock_random.randint(10**9, 10**10 - 1)
    balancer.dns_name = f"{prefix}{name}-{number}.{elbv2.region_name}.elb.amazonaws.com"
    _match_interfaces(elbv2, balancer)
    return balancer


def _check_subnets(elbv2: Any, kind: str, scheme: str, subnets: list[Any]) -> None:
    if kind == "application" and len({subnet.availability_zone for subnet in subnets}) < 2:
        raise ELBClientError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if len({subnet.availability_zone for subnet in subnets}) < len(subnets):
        raise ELBClientError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    vpc_id = subnets[0].vpc_id if subnets else ""
    attached = {gateway.vpc.id for gateway in elbv2.ec2_backend.internet_gateways.values() if gateway.vpc}
    if subnets and scheme == "internet-facing" and vpc_id not in attached:
        raise ELBClientError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def _match_interfaces(elbv2: Any, balancer: Any) -> None:
    """One interface in each subnet of the load balancer, none elsewhere."""
    ec2, owned = elbv2.ec2_backend, balancer.lab_interface_ids
    wanted = {subnet.id: subnet for subnet in balancer.subnets}
    interfaces.delete(ec2, [owned.pop(subnet_id) for subnet_id in set(owned) - set(wanted)])
    description = f"ELB {balancer.arn.split(':loadbalancer/')[1]}"
    for subnet_id in wanted.keys() - owned.keys():
        public = balancer.scheme == "internet-facing"
        eni = interfaces.create(ec2, wanted[subnet_id], balancer.security_groups, description, REQUESTER, public)
        owned[subnet_id] = eni.id


def _delete_load_balancer(original: Callable[..., None], elbv2: Any, arn: str) -> None:
    balancer = elbv2.load_balancers.get(arn)
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise ELBClientError("OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
    if balancer:
        interfaces.delete(elbv2.ec2_backend, balancer.lab_interface_ids.values())
    original(elbv2, arn)


def _set_security_groups(original: Callable[..., None], elbv2: Any, arn: str, sec_groups: list[str]) -> None:
    original(elbv2, arn, sec_groups)
    interfaces.set_groups(elbv2.ec2_backend, elbv2.load_balancers[arn].lab_interface_ids.values(), sec_groups)


def _set_subnets(original: Callable[..., Any], elbv2: Any, arn: str, *args: Any, **kwargs: Any) -> Any:
    zones = original(elbv2, arn, *args, **kwargs)
    _match_interfaces(elbv2, elbv2.load_balancers[arn])
    return zones


def _describe_target_groups(
    original: Callable[..., Any], elbv2: Any, load_balancer_arn: str | None, target_group_arns: list[str], names: list[str] | None
) -> Any:
    """A load balancer without target groups has none; moto calls that an error."""
    if load_balancer_arn in elbv2.load_balancers and not target_group_arns and not names:
        return [group for group in elbv2.target_groups.values() if load_balancer_arn in group.load_balancer_arns]
    return original(elbv2, load_balancer_arn, target_group_arns, names)


# Target groups


def _as_on_aws(original: Callable[..., None], group: Any, *args: Any, **kwargs: Any) -> None:
    original(group, *args, **kwargs)
    group.attributes = DEFAULT_GROUP_ATTRIBUTES | group.attributes
    group.lab_registered = {}  # target id -> when
    group.lab_draining = {}  # target id -> when its draining began
    group.lab_health = {}  # target id -> (state, reason, description), as last seen by the load balancer


def _load_balancer_arns(group: Any) -> list[str]:
    """What forwards to the group now; moto's own list only ever grows."""
    from moto.elbv2.models import elbv2_backends  # moto's register of backends is made after its classes

    return [balancer.arn for balancer in load_balancers_of(elbv2_backends[group.account_id][group.region_name], group.arn)]


def _register(original: Callable[..., None], group: Any, targets: list[dict[str, Any]]) -> None:
    if group.target_type == "instance":
        original(group, targets)
    else:
        for target in targets:
            group.targets[target["Id"]] = {"Id": target["Id"], "Port": target.get("Port") or group.port}
    for target in targets:
        if group.lab_draining.pop(target["Id"], None) or target["Id"] not in group.lab_registered:
            group.lab_registered[target["Id"]] = time.time()
            group.lab_health.pop(target["Id"], None)


def _deregister(group: Any, targets: list[dict[str, Any]]) -> None:
    """A target that serves a load balancer drains first. AWS: "If the specified target does not exist, the action returns
    successfully"; moto refuses."""
    for target in targets:
        found = group.targets.pop(target["Id"], None)
        if found:
            group.deregistered_targets[target["Id"]] = found
            group.lab_registered.pop(target["Id"], None)
            if group.load_balancer_arns:
                group.lab_draining[target["Id"]] = time.time()


def _left_to_the_service(_original: Callable[..., None], _elbv2: Any, _instance_ids: list[str]) -> None:
    """The load balancer service notices ended instances itself, whoever ended them."""


def _describe_target_health(_original: Callable[..., Any], elbv2: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> Any:
    group = elbv2.target_groups.get(target_group_arn)
    if group is None:
        raise TargetGroupNotFoundError
    asked = [target["Id"] for target in targets] or [*group.targets, *group.lab_draining]
    return [_health_of(elbv2, group, target_id) for target_id in asked]


def _health_of(elbv2: Any, group: Any, target_id: str) -> FakeHealthStatus:
    target = group.targets.get(target_id) or group.deregistered_targets.get(target_id) or {}
    port = target.get("Port") or group.port
    if target_id in group.lab_draining:
        return health(target_id, port, "draining", "Target.DeregistrationInProgress")
    if target_id not in group.targets:
        return health(target_id, port, "unused", "Target.NotRegistered")
    if not group.load_balancer_arns:
        return health(target_id, port, "unused", "Target.NotInUse")
    state = instance_state(elbv2.ec2_backend, target_id)
    if state not in ("running", None):
        return health(target_id, port, "unused", "Target.InvalidState", f"Target is in the {state} state")
    return health(target_id, port, *group.lab_health.get(target_id, ("initial", "Elb.RegistrationInProgress")))


def instance_state(ec2: Any, target_id: str) -> str | None:
    """State of a target that is an instance; None for one that is an address."""
    if not target_id.startswith("i-"):
        return None
    try:
        return str(ec2.get_instance(target_id).state)
    except ServiceException:
        return "terminated"
