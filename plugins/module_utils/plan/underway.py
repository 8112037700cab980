# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS still works on: as wanted already, but not there yet. A run goes through its layer once more, and waits. Pure.

A run that was killed while it waited leaves such things; its successor must not pass them over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..stack.database_rules import AT_REST
from ..stack.replacement import UNFINISHED
from .normal import tags_of

Found = Mapping[str, Any]
Identity = tuple[str, str]


def underway(found: Found) -> dict[Identity, str]:
    """Kind and key of a resource, and in words what it is about; `found` as families.details tells it."""
    return dict([*_single(found), *_fleets(found), *_services(found)])


def _single(found: Found) -> Iterator[tuple[Identity, str]]:
    """What has a state of its own."""
    for instance in [*found.get("databases", []), *found.get("named_databases", [])]:
        if instance["DBInstanceStatus"] not in (*AT_REST, "stopped"):
            yield ("db_instance", instance["DBInstanceIdentifier"]), instance["DBInstanceStatus"]
    for balancer in found.get("load_balancers", []):
        if balancer["State"]["Code"] == "provisioning":
            yield ("load_balancer", balancer["LoadBalancerName"]), "provisioning"
    for kind, items, state in (("nat_gateway", "nat_gateways", "State"), ("vpc_endpoint", "vpc_endpoints", "State")):
        for item in found.get(items, []):
            if item[state].lower() == "pending":
                yield (kind, tags_of(item).get("Key", "")), "pending"
    for image in found.get("images", []):
        if image["State"] == "pending":
            yield ("image", image["Name"]), "pending"


def _fleets(found: Found) -> Iterator[tuple[Identity, str]]:
    """Groups that are replacing their instances, or have fewer healthy ones than they should."""
    for group in found.get("groups", []):
        name = group["AutoScalingGroupName"]
        refresh = found.get("instance_refreshes", {}).get(name, {}).get("Status", "")
        targets = [found.get("target_health", {}).get(arn, []) for arn in group.get("TargetGroupARNs", [])]
        healthy = min((sum(state == "healthy" for state in states) for states in targets), default=group["DesiredCapacity"])
        if refresh in UNFINISHED:
            yield ("auto_scaling_group", name), f"instance refresh {refresh}"
        elif healthy < group["DesiredCapacity"]:
            yield ("auto_scaling_group", name), f"{healthy} of {group['DesiredCapacity']} instances healthy"


def _services(found: Found) -> Iterator[tuple[Identity, str]]:
    """Services that are rolling out, or have fewer tasks than they should."""
    for service in found.get("ecs_services", []):
        rolling = any(one.get("rolloutState") == "IN_PROGRESS" for one in service.get("deployments", []))
        if rolling or service["runningCount"] < service["desiredCount"]:
            yield ("ecs_service", service["serviceName"]), f"{service['runningCount']} of {service['desiredCount']} tasks run"
