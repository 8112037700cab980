# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups and the load balancer: the role `alb`. Its listeners are in listeners.py; who is in a target group is the fleet's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..stack.listener_words import group_attributes
from .listeners import group_key, want_listeners
from .model import Kind, Resource
from .normal import tags_of

LAYER = "load_balancer"
KINDS = (
    Kind(
        "target_group", LAYER, frozenset({"name", "vpc", "protocol", "port", "target_type"}),
        {
            "health_check": "targets may become unhealthy by another rule", "algorithm": "requests are spread another way",
            "stickiness": "clients may get to another target", "stickiness_kind": "clients may get to another target",
        },
    ),
    Kind(
        "load_balancer", LAYER, frozenset({"scheme"}),
        {
            "subnets": "other zones are served", "security_groups": "who reaches it changes at once",
            "address_type": "its name gets other addresses",
        },
    ),
)  # fmt: skip
ATTRIBUTES = {  # AWS's pages "Edit attributes for your Application Load Balancer" and "Edit target group attributes"
    "idle_timeout": "idle_timeout.timeout_seconds",
    "http2": "routing.http2.enabled",
    "drop_invalid_header_fields": "routing.http.drop_invalid_header_fields.enabled",
    "deletion_protection": "deletion_protection.enabled",
    "access_logs": "access_logs.s3.enabled",
    "access_logs_bucket": "access_logs.s3.bucket",
    "access_logs_prefix": "access_logs.s3.prefix",
}
GROUP_ATTRIBUTES = {
    "deregistration_delay": "deregistration_delay.timeout_seconds",
    "algorithm": "load_balancing.algorithm.type",
    "slow_start": "slow_start.duration_seconds",
    "stickiness": "stickiness.enabled",
    "stickiness_kind": "stickiness.type",
    "stickiness_seconds": "stickiness.lb_cookie.duration_seconds",
}


def want_load_balancer(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `alb` makes of its arguments."""
    name, tags = arguments["alb_name"], arguments["alb_tags"]
    for key, group in arguments["alb_target_groups"].items():
        yield _wanted_group(key, group, arguments["alb_vpc_id"], tags)
    bucket = arguments["alb_access_logs_bucket"]
    fields = {
        "scheme": arguments["alb_scheme"],
        "address_type": "ipv4",
        "subnets": in_order(arguments["alb_subnet_ids"]),
        "security_groups": in_order(arguments["alb_security_group_ids"]),
        "idle_timeout": int(arguments["alb_idle_timeout"]),
        "http2": boolean(arguments["alb_http2"]),
        "drop_invalid_header_fields": boolean(arguments["alb_drop_invalid_header_fields"]),
        "deletion_protection": boolean(arguments["alb_deletion_protection"]),
        "access_logs": bool(bucket),
        "access_logs_bucket": bucket,
        "access_logs_prefix": arguments["alb_access_logs_prefix"],
        "tags": tags | {"Name": name, "Role": "load_balancer"},
    }
    yield Resource("load_balancer", name, fields, name)
    yield from want_listeners(arguments["alb_listeners"], arguments["alb_target_groups"])


def _wanted_group(key: str, group: Mapping[str, Any], vpc_id: str, tags: Mapping[str, str]) -> Resource:
    check, protocol = group.get("health_check") or {}, group.get("protocol", "HTTP")
    fields = {
        "name": group["name"],
        "vpc": vpc_id,
        "protocol": protocol,
        "port": int(group["port"]),
        "target_type": group.get("target_type", "instance"),
        "health_check": {
            "protocol": check.get("protocol", protocol),
            "port": str(check.get("port", "traffic-port")),
            "path": check.get("path", "/"),
            "interval": int(check.get("interval", 30)),
            "timeout": int(check.get("timeout", 5)),
            "healthy_threshold": int(check.get("healthy_threshold", 5)),
            "unhealthy_threshold": int(check.get("unhealthy_threshold", 2)),
            "codes": in_order(str(check.get("codes", "200")).split(",")),
        },
        **in_words(GROUP_ATTRIBUTES, group_attributes(group)),
        "tags": {**tags, "Name": group["name"], "Role": "load_balancer", "Key": key},
    }
    return Resource("target_group", key, fields, group["name"])


def in_order(values: Any) -> Any:
    """A list whose order means nothing in order; what only the run can tell as it is."""
    return sorted(values) if isinstance(values, list) else values


def in_words(words: Mapping[str, str], attributes: Mapping[str, str]) -> dict[str, Any]:
    """AWS's attributes by our words, as far as they are there: numbers and truth values out of its strings."""
    return {word: _value(attributes[name]) for word, name in words.items() if name in attributes}


def _value(text: str) -> Any:
    return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Attributes, which AWS tells of one load balancer and one target group at a time."""
    elbv2 = clients["elbv2"]

    def attributes(operation: str, **arn: str) -> dict[str, str]:
        return {item["Key"]: item["Value"] for item in getattr(elbv2, operation)(**arn)["Attributes"]}

    reads: dict[str, Callable[[], Any]] = {}
    for item in found["load_balancers"]:
        arn = item["LoadBalancerArn"]
        reads[f"load_balancer {arn}"] = partial(attributes, "describe_load_balancer_attributes", LoadBalancerArn=arn)
    for item in found["target_groups"]:
        arn = item["TargetGroupArn"]
        reads[f"target_group {arn}"] = partial(attributes, "describe_target_group_attributes", TargetGroupArn=arn)
    return reads


def found_load_balancer(found: Mapping[str, Any]) -> Iterator[Resource]:
    """What stands."""
    for group in found["target_groups"]:
        yield _found_group(group, found)
    for item in found["load_balancers"]:
        arn, name = item["LoadBalancerArn"], item["LoadBalancerName"]
        fields = {
            "scheme": item["Scheme"],
            "address_type": item.get("IpAddressType", "ipv4"),
            "subnets": sorted(zone["SubnetId"] for zone in item["AvailabilityZones"]),
            "security_groups": sorted(item.get("SecurityGroups", [])),
            **in_words(ATTRIBUTES, found[f"load_balancer {arn}"]),
            "tags": tags_of(item),
        }
        yield Resource("load_balancer", name, fields, name, arn)


def _found_group(group: Mapping[str, Any], found: Mapping[str, Any]) -> Resource:
    arn, name = group["TargetGroupArn"], group["TargetGroupName"]
    fields = {
        "name": name,
        "vpc": group["VpcId"],
        "protocol": group["Protocol"],
        "port": group["Port"],
        "target_type": group["TargetType"],
        "health_check": {
            "protocol": group["HealthCheckProtocol"],
            "port": group["HealthCheckPort"],
            "path": group.get("HealthCheckPath"),
            "interval": group["HealthCheckIntervalSeconds"],
            "timeout": group["HealthCheckTimeoutSeconds"],
            "healthy_threshold": group["HealthyThresholdCount"],
            "unhealthy_threshold": group["UnhealthyThresholdCount"],
            "codes": sorted(group.get("Matcher", {}).get("HttpCode", "").split(",")),
        },
        **in_words(GROUP_ATTRIBUTES, found[f"target_group {arn}"]),
        "tags": tags_of(group),
    }
    return Resource("target_group", group_key(group, found), fields, name, arn)
