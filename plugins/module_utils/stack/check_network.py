# SPDX-License-Identifier: GPL-3.0-or-later
"""The VPC, its subnets and route tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

from .problem import Wanted, entries, listing, problem
from .regions import ZONES

SUBNET = {
    "name": {"type": "str", "required": True},
    "cidr": {"type": "str", "required": True},
    "az": {"type": "str", "required": True},
    "tier": {"type": "str", "required": True},
    "public_addresses": {"type": "bool"},
}
ROUTE_TABLE = {
    "name": {"type": "str", "required": True},
    "tier": {"type": "str", "required": True},
    "internet": {"type": "bool", "default": False},
}
Subnets = Mapping[str, Mapping[str, Any]]


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the network."""
    subnets, problems = entries(wanted, "vpc_subnets", SUBNET)
    yield from problems
    vpc, problems = network("vpc_cidr", wanted.get("vpc_cidr"))
    yield from problems
    yield from addresses(vpc, subnets)
    yield from zones(subnets, str(wanted.get("stack_region") or ""))
    yield from tiers(wanted, subnets)
    yield from route_tables(wanted, subnets)


def network(variable: str, value: Any) -> tuple[IPv4Network | None, list[str]]:
    """A range of addresses as AWS takes it for a VPC or subnet, or what is wrong with it."""
    if value is None:
        return None, []
    try:
        result = IPv4Network(str(value))
    except ValueError:
        try:
            remedy = f"Did you mean {IPv4Network(str(value), strict=False)}?"
            return None, [problem(variable, value, "the address has bits beyond its prefix", remedy)]
        except ValueError:
            return None, [problem(variable, value, "not a range of IPv4 addresses", "Use a form such as 10.0.0.0/16")]
    if not 16 <= result.prefixlen <= 28:
        return None, [problem(variable, value, f"a /{result.prefixlen} is not allowed by AWS", "Choose a prefix from /16 to /28")]
    return result, []


def addresses(vpc: IPv4Network | None, subnets: Subnets) -> Iterator[str]:
    ranges = {}
    for key, subnet in subnets.items():
        found, problems = network(f"vpc_subnets.{key}.cidr", subnet["cidr"])
        yield from problems
        if found:
            ranges[key] = found
            if vpc and not found.subnet_of(vpc):
                yield problem(f"vpc_subnets.{key}.cidr", subnet["cidr"], f"outside vpc_cidr {vpc}", "Choose a range inside it")
    for (one, first), (other, second) in combinations(ranges.items(), 2):
        if first.overlaps(second):
            yield problem(
                f"vpc_subnets.{other}.cidr", str(second), f"overlaps vpc_subnets.{one}.cidr {first}", "Give each subnet a range of its own"
            )


def zones(subnets: Subnets, region: str) -> Iterator[str]:
    for key, subnet in subnets.items():
        az, variable = subnet["az"], f"vpc_subnets.{key}.az"
        if not re.fullmatch(re.escape(region) + "[a-z]", az):
            yield problem(variable, az, f"no availability zone of stack_region {region}", f"Use a name such as {region}a")
        elif region in ZONES and az[-1] not in ZONES[region]:
            choices = listing(region + letter for letter in ZONES[region])
            yield problem(variable, az, f"{region} has no such availability zone", f"Choose one of {choices}")


def tiers(wanted: Wanted, subnets: Subnets) -> Iterator[str]:
    """Each part's tier must have subnets; a load balancer and a database need two availability zones."""
    if not subnets:
        return
    existing = {subnet["tier"] for subnet in subnets.values()}
    for part in ("load_balancer", "fleet", "builder", "database"):
        variable = f"stack_{part}_tier"
        tier = wanted.get(variable)
        if tier is None:
            continue
        if tier not in existing:
            yield problem(variable, tier, "no subnet in vpc_subnets is of this tier", f"Choose one of {listing(existing)}")
        elif part in ("load_balancer", "database"):
            azs = {subnet["az"] for subnet in subnets.values() if subnet["tier"] == tier}
            if len(azs) < 2:
                remedy = f"A {part.replace('_', ' ')} needs subnets in two availability zones: add one in another"
                yield problem(variable, tier, f"its subnets are all in {listing(azs)}", remedy)


def route_tables(wanted: Wanted, subnets: Subnets) -> Iterator[str]:
    tables, problems = entries(wanted, "vpc_route_tables", ROUTE_TABLE)
    yield from problems
    existing = {subnet["tier"] for subnet in subnets.values()}
    seen: dict[str, str] = {}
    for key, table in tables.items():
        variable, tier = f"vpc_route_tables.{key}.tier", table["tier"]
        if subnets and tier not in existing:
            yield problem(variable, tier, "no subnet in vpc_subnets is of this tier", f"Choose one of {listing(existing)}")
        if tier in seen:
            yield problem(variable, tier, f"vpc_route_tables.{seen[tier]} serves this tier already", "Keep one route table for each tier")
        seen.setdefault(tier, key)
        if table["internet"] and not wanted.get("vpc_internet_gateway_name"):
            yield problem(f"vpc_route_tables.{key}.internet", True, "there is no internet gateway", "Set vpc_internet_gateway_name")
