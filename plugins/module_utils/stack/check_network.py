# SPDX-License-Identifier: GPL-3.0-or-later
"""The VPC and its subnets: of the stack's own, or borrowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from .problem import Wanted, entries, listing, parts, problem
from .regions import ZONES

SUBNET = {
    "name": {"type": "str", "required": True},
    "cidr": {"type": "str", "required": True},
    "az": {"type": "str", "required": True},
    "tier": {"type": "str", "required": True},
    "public_addresses": {"type": "bool"},
}
BORROWED_SUBNET = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "tier": {"type": "str", "required": True},
    "route_table": {"type": "str"},
}
IN_TWO_ZONES = {"stack_load_balancer_tier": "load balancer", "stack_database_tier": "database"}
Subnets = Mapping[str, Mapping[str, Any]]


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the VPC and its subnets."""
    if wanted.get("vpc_borrowed"):
        yield from borrowed(wanted)
        return
    if wanted.get("vpc_lookup"):
        yield problem("vpc_lookup", wanted["vpc_lookup"], "the stack makes a VPC of its own", "Take it away, or set vpc_borrowed: true")
    subnets, problems = entries(wanted, "vpc_subnets", SUBNET)
    yield from problems
    vpc, problems = network("vpc_cidr", wanted.get("vpc_cidr"))
    yield from problems
    yield from addresses(vpc, subnets)
    yield from zones(subnets, str(wanted.get("stack_region") or ""))
    yield from tiers(wanted, subnets)


def borrowed(wanted: Wanted) -> Iterator[str]:
    """A borrowed VPC must be found by something, its parts too; what only a VPC of one's own has is not set."""
    lookup = wanted.get("vpc_lookup") or {}
    if not (lookup.get("id") or lookup.get("tags") or wanted.get("vpc_name")):
        yield "vpc_borrowed is True, but nothing says which VPC. Set vpc_name to its tag Name, or vpc_lookup to its id or tags"
    if set(lookup) - {"id", "tags"} or (lookup.get("id") and lookup.get("tags")):
        yield problem("vpc_lookup", lookup, "not one of id and tags", "Use {id: vpc-...} or {tags: {...}}")
    if lookup.get("id") and not re.fullmatch(r"vpc-[0-9a-f]{8,17}", str(lookup["id"])):
        yield problem("vpc_lookup.id", lookup["id"], "no id of a VPC", "Use a form such as vpc-0123456789abcdef0")
    if wanted.get("vpc_internet_gateway_name"):
        yield problem(
            "vpc_internet_gateway_name", wanted["vpc_internet_gateway_name"], "a borrowed VPC keeps its own gateway", "Take it away"
        )
    yield from network("vpc_cidr", wanted.get("vpc_cidr"))[1]
    subnets, problems = entries(wanted, "vpc_subnets", BORROWED_SUBNET)
    yield from problems
    for key, subnet in subnets.items():
        yield from findable(f"vpc_subnets.{key}", subnet)
    existing = {subnet["tier"] for subnet in subnets.values()}
    for variable in tiers_of_parts(wanted):
        yield from tier_exists(variable, wanted.get(variable), existing)


def tiers_of_parts(wanted: Wanted) -> list[str]:
    """The variables that say in which tier of subnets a part of the stack stands."""
    bastion = ("bastion",) if boolean(wanted.get("stack_bastion") or False, strict=False) else ()
    return [f"stack_{part}_tier" for part in (*parts(wanted), *bastion)]


def findable(variable: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Something borrowed is found by one of its id and its name."""
    if bool(entry.get("id")) == bool(entry.get("name")):
        found = {word: entry.get(word) for word in ("id", "name")}
        yield problem(variable, found, "something borrowed is found by one of id and name", "Give exactly one of them")


def tier_exists(variable: str, tier: Any, existing: Collection[str]) -> Iterator[str]:
    if tier is not None and existing and tier not in existing:
        yield problem(variable, tier, "no subnet in vpc_subnets is of this tier", f"Choose one of {listing(existing)}")


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
    for variable in tiers_of_parts(wanted):
        tier = wanted.get(variable)
        yield from tier_exists(variable, tier, existing)
        if tier in existing and variable in IN_TWO_ZONES:
            azs = {subnet["az"] for subnet in subnets.values() if subnet["tier"] == tier}
            if len(azs) < 2:
                remedy = f"A {IN_TWO_ZONES[variable]} needs subnets in two availability zones: add one in another"
                yield problem(variable, tier, f"its subnets are all in {listing(azs)}", remedy)
