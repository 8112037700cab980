"""Reads what the API's state (moto's backends) asks of each load balancer. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.elbv2.models import elbv2_backends
from moto.elbv2.ssl_policies import SSL_POLICIES

from ..aws import acm
from ..aws import elbv2 as corrected
from .balancer import Balancer, Certificate, Group, HealthCheck, Listener, Protocol, Rule, Target, Tls
from .base import Addresses


def machine_id(balancer: Any) -> str:
    return f"alb-{balancer.arn.rsplit('/', 1)[1]}"


def load_balancers() -> Iterator[tuple[Any, Any]]:
    """Every application load balancer of every account and region, with its backend."""
    for _account, _region, elbv2 in list(elbv2_backends.iter_backends()):
        for balancer in list(elbv2.load_balancers.values()):
            if balancer.type == "application":
                yield elbv2, balancer


def addresses(elbv2: Any, balancer: Any) -> Addresses:
    enis = [elbv2.ec2_backend.enis.get(eni_id) for eni_id in list(balancer.lab_interface_ids.values())]
    return Addresses(
        private=tuple(eni.private_ip_address for eni in enis if eni),
        public=tuple(eni.public_ip for eni in enis if eni and eni.public_ip),
    )


def groups_of(elbv2: Any, balancer: Any) -> list[Any]:
    """The target groups that the load balancer's listeners and rules forward to."""
    arns = {
        arn
        for listener in list(balancer.listeners.values())
        for rule in list(listener.rules.values())
        for action in rule.actions
        for arn in elbv2._get_target_group_arns_from(action_data=action.data)
    }
    return sorted((elbv2.target_groups[arn] for arn in arns if arn in elbv2.target_groups), key=lambda group: str(group.name))


def configuration(elbv2: Any, balancer: Any) -> Balancer:
    """What the API's state asks of this load balancer. A listener whose certificates are all gone is not served."""
    attributes = balancer.attrs
    listeners = (_listener(elbv2, balancer, listener) for listener in sorted(balancer.listeners.values(), key=lambda one: int(one.port)))
    return Balancer(
        listeners=tuple(listener for listener in listeners if listener),
        groups=tuple(_group(elbv2, group) for group in groups_of(elbv2, balancer)),
        idle_timeout=int(attributes["idle_timeout.timeout_seconds"]),
        drop_invalid_headers=attributes["routing.http.drop_invalid_header_fields.enabled"] == "true",
        access_logs=attributes["access_logs.s3.enabled"] == "true",
    )


def _listener(elbv2: Any, balancer: Any, listener: Any) -> Listener | None:
    if listener.protocol == "HTTP":
        return Listener(int(listener.port), tuple(_rules(listener)))
    found = [acm.certificate(elbv2.account_id, elbv2.region_name, arn) for arn in listener.certificates]
    certificates: tuple[Certificate, ...] = tuple(certificate for certificate in found if certificate)
    if not certificates:
        return None
    policy: Any = SSL_POLICIES[listener.ssl_policy]
    tls = Tls(
        certificates,
        tuple(policy["ssl_protocols"]),
        tuple(policy["ciphers"]),
        http2=balancer.attrs["routing.http2.enabled"] == "true",
        tell_target=balancer.attrs["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] == "true",
    )
    return Listener(int(listener.port), tuple(_rules(listener)), tls)


def _rules(listener: Any) -> Iterator[Rule]:
    numbered = sorted(listener._non_default_rules.values(), key=lambda rule: int(rule.priority))
    for rule in (*numbered, *listener._default_rule.values()):
        priority = int(rule.priority) if rule.priority != "default" else 0
        yield Rule(tuple(rule.conditions), rule.actions[-1].data, priority)  # actions before the last one authenticate


def _group(elbv2: Any, group: Any) -> Group:
    attributes = group.attributes
    sticky = attributes.get("stickiness.enabled") == "true" and attributes.get("stickiness.type") == "lb_cookie"
    return Group(
        name=group.name,
        check=HealthCheck(
            path=group.health_check_path or "/",
            port=None if group.health_check_port in (None, "traffic-port") else int(group.health_check_port),
            interval=int(group.health_check_interval_seconds),
            timeout=int(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            matcher=(group.matcher or {}).get("HttpCode") or "200",
            protocol=_protocol(group.health_check_protocol),
        ),
        least_outstanding=attributes.get("load_balancing.algorithm.type") == "least_outstanding_requests",
        targets=tuple(_targets(elbv2, group)),
        protocol=_protocol(group.protocol),
        sticky=int(attributes["stickiness.lb_cookie.duration_seconds"]) if sticky else 0,
        slow_start=int(attributes.get("slow_start.duration_seconds", 0)),
    )


def _targets(elbv2: Any, group: Any) -> Iterator[Target]:
    for target in sorted(group.targets.values(), key=lambda target: str(target["Id"])):
        found = corrected.instance_state(elbv2.ec2_backend, target["Id"])
        if found in ("running", None):
            address = elbv2.ec2_backend.get_instance(target["Id"]).private_ip if found else target["Id"]
            yield Target(target["Id"], address, int(target["Port"]))


def _protocol(name: str | None) -> Protocol:
    return "HTTPS" if name == "HTTPS" else "HTTP"
