# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a stack as they will be: those that stack_info tells, and for what does not stand yet, where they will come from.

Playbooks hand such facts (`stack.subnet_ids.private`) to their roles. With these in their place the same expressions say what a run is
going to hand over. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..stack.shape import by_tier
from .model import later


def coming(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`facts` in the words of stack.shape, completed from the stack's variables by `<kind/key#attribute>` (model.later)."""
    completed: dict[str, Any] = overlaid(facts, promised(wanted))
    completed["subnet_ids"] = by_tier(completed["subnets"])
    if not wanted.get("iam_existing_instance_profile"):  # what a profile carries now may be another's: a run gives it the stack's role
        name = str(wanted.get("stack_role_name") or "role")
        arn = (facts.get("role_arns") or {}).get(name) or later("role", name, "arn")
        completed |= {"role_name": name, "role_arn": arn}
    return completed


def overlaid(found: Any, promise: Any) -> Any:
    """What is found, and the promise where nothing is."""
    if isinstance(found, Mapping) and isinstance(promise, Mapping):
        return {key: overlaid(found.get(key), promise.get(key)) for key in [*found, *(key for key in promise if key not in found)]}
    return promise if found in (None, "", [], {}) and promise is not None else found


def promised(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What stack.shape would tell of a whole stack, every value by where it comes from."""
    subnets = {
        key: {"id": later("subnet", key), "cidr": entry.get("cidr", ""), "az": entry.get("az", ""), "tier": entry.get("tier", "")}
        for key, entry in (wanted.get("vpc_subnets") or {}).items()
    }
    database, role = str(wanted.get("rds_identifier") or "database"), str(wanted.get("stack_role_name") or "role")
    alb, repository = str(wanted.get("alb_name") or "load_balancer"), str(wanted.get("ecr_name") or "repository")
    template = str(wanted.get("launch_template_name") or "launch_template")
    secret = f"{wanted.get('stack_name')}/database"
    return {
        "vpc_id": later("vpc", "vpc"),
        "vpc_cidr": wanted.get("vpc_cidr"),
        "igw_id": later("internet_gateway", "internet_gateway") if wanted.get("vpc_internet_gateway_name") else None,
        "subnets": subnets,
        "nat_gateways": {key: {"id": later("nat_gateway", key)} for key in wanted.get("vpc_nat_gateways") or {}},
        "route_table_ids": ids("route_table", wanted.get("vpc_route_tables")),
        "security_group_ids": ids("security_group", wanted.get("security_groups_map")),
        "vpc_endpoint_ids": ids("vpc_endpoint", wanted.get("vpc_endpoints_map")),
        "key_pair": str(wanted.get("stack_name")),
        "instance_profile_arn": later("instance_profile", role, "arn"),
        "role_name": role,
        "role_arn": later("role", role, "arn"),
        "database": {
            "identifier": database,
            "endpoint": later("db_instance", database, "endpoint"),
            "port": later("db_instance", database, "port"),
            "secret_arn": later("secret", secret, "arn"),
            "secret_name": secret,
        },
        "load_balancer": {
            "arn": later("load_balancer", alb, "arn"),
            "dns_name": later("load_balancer", alb, "dns_name"),
            "name": alb,
            "label": later("load_balancer", alb, "label"),
        },
        "target_group_arns": {key: later("target_group", key, "arn") for key in wanted.get("alb_target_groups") or {}},
        "certificate_arns": {key: later("certificate", key, "arn") for key in wanted.get("certificate_map") or {}},
        "launch_template": {"id": later("launch_template", template), "latest_version": later("launch_template", template, "version")},
        "fleet": {"name": wanted.get("asg_name")},
        "repository": {"name": repository, "uri": later("repository", repository, "uri")},
        "service": {"cluster": wanted.get("ecs_cluster_name"), "name": wanted.get("ecs_service_name")},
    }


def ids(kind: str, keys: Iterable[str] | None) -> dict[str, str]:
    return {key: later(kind, key) for key in keys or ()}
