# SPDX-License-Identifier: GPL-3.0-or-later
"""VPC endpoints: AWS's rules for interface and gateway endpoints (AWS PrivateLink Guide)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from .problem import Wanted, entries, listing, problem
from .routes import is_borrowed

ENDPOINT = {
    "name": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["interface", "gateway"], "default": "interface"},
    "tier": {"type": "str"},
    "security_group": {"type": "str"},
    "private_dns": {"type": "bool", "default": True},
    "route_tables": {"type": "list", "elements": "str"},
}
GATEWAYS = ("s3", "dynamodb")
INTERFACES = (  # those that a web stack talks to
    "autoscaling", "cloudformation", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry",
    "elasticfilesystem", "elasticloadbalancing", "events", "kms", "lambda", "logs", "monitoring", "rds", "s3", "secretsmanager",
    "sns", "sqs", "ssm", "ssmmessages", "sts", "xray",
)  # fmt: skip
SERVICES = {"interface": INTERFACES, "gateway": GATEWAYS}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the endpoints."""
    endpoints, problems = entries(wanted, "vpc_endpoints_map", ENDPOINT)
    yield from problems
    for key, endpoint in endpoints.items():
        variable, kind = f"vpc_endpoints_map.{key}", endpoint["type"]
        if endpoint["service"] not in SERVICES[kind]:
            near = get_close_matches(endpoint["service"], SERVICES[kind], n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"Choose one of {listing(SERVICES[kind])}"
            yield problem(f"{variable}.service", endpoint["service"], f"no service that has {kind} endpoints here", remedy)
        yield from (interface if kind == "interface" else gateway)(variable, endpoint, wanted)
    yield from twice(endpoints)


def interface(variable: str, endpoint: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    """It stands in a tier's subnets, one in each zone, behind a security group that lets HTTPS in."""
    if endpoint["route_tables"]:
        yield problem(
            f"{variable}.route_tables", endpoint["route_tables"], "an interface endpoint has none", "Take them away, or set type: gateway"
        )
    subnets = [subnet for subnet in (wanted.get("vpc_subnets") or {}).values() if isinstance(subnet, Mapping)]
    tiers = {str(subnet.get("tier")) for subnet in subnets}
    if endpoint["tier"] not in tiers:
        wrong = "an interface endpoint stands in the subnets of a tier of vpc_subnets"
        yield problem(f"{variable}.tier", endpoint["tier"], wrong, f"Choose one of {listing(tiers)}")
    zones = Counter(subnet.get("az") for subnet in subnets if subnet.get("tier") == endpoint["tier"] and subnet.get("az"))
    for zone in (zone for zone, count in zones.items() if count > 1):
        wrong = f"two of its subnets are in {zone}, and AWS takes one for each availability zone"
        yield problem(f"{variable}.tier", endpoint["tier"], wrong, "Use a tier with one subnet in a zone")
    yield from group(f"{variable}.security_group", endpoint["security_group"], wanted)


def group(variable: str, key: str | None, wanted: Wanted) -> Iterator[str]:
    groups = wanted.get("security_groups_map") or {}
    if key not in groups:
        wrong = "an interface endpoint needs a security group of security_groups_map"
        yield problem(variable, key, wrong, f"Choose one of {listing(groups)}, or describe one that lets in 443 from the VPC")
    elif not any(isinstance(rule, Mapping) and rule.get("port") == 443 for rule in groups[key].get("ingress") or []):
        wrong = "it lets in nothing on port 443, so nobody would reach the endpoint"
        yield problem(variable, key, wrong, f"Add to security_groups_map.{key}.ingress a rule with port: 443 from the VPC's addresses")


def gateway(variable: str, endpoint: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    """It is a route in the stack's own route tables, and nothing else."""
    for word in ("tier", "security_group"):
        if endpoint[word] is not None:
            yield problem(f"{variable}.{word}", endpoint[word], "a gateway endpoint has none", "Take it away, or set type: interface")
    tables = wanted.get("vpc_route_tables") or {}
    own = [key for key, table in tables.items() if not is_borrowed(table)]
    if not endpoint["route_tables"]:
        yield problem(
            f"{variable}.route_tables",
            endpoint["route_tables"],
            "a gateway endpoint serves nobody without them",
            f"Choose from {listing(own)}",
        )
    for key in endpoint["route_tables"] or []:
        if key not in own:
            wrong = "a borrowed route table is not changed" if key in tables else "no such route table in vpc_route_tables"
            yield problem(f"{variable}.route_tables", key, wrong, f"Choose from {listing(own)}")


def twice(endpoints: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A service's name leads to one endpoint, and its addresses have one route in a table."""
    seen: dict[tuple[str, str], str] = {}
    for key, endpoint in endpoints.items():
        names = [f"{endpoint['service']}'s name"] if endpoint["type"] == "interface" and endpoint["private_dns"] else []
        for claim in names + [f"{endpoint['service']} in the route table {table}" for table in endpoint["route_tables"] or []]:
            place = (endpoint["type"], claim)
            if place in seen:
                wrong = f"vpc_endpoints_map.{seen[place]} serves {claim} already"
                yield problem(f"vpc_endpoints_map.{key}.service", endpoint["service"], wrong, "Keep one of them")
            seen.setdefault(place, key)
