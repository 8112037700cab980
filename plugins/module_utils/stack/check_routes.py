# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables and NAT gateways: every subnet has one way out at most, and every NAT gateway one itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .check_network import findable
from .problem import Wanted, entries, listing, problem
from .routes import is_borrowed, subnet_tables, subnets_of

ROUTE_TABLE = {
    "name": {"type": "str", "required": True},
    "tier": {"type": "str"},
    "subnets": {"type": "list", "elements": "str"},
    "internet": {"type": "bool", "default": False},
    "nat_gateway": {"type": "str"},
}
BORROWED_ROUTE_TABLE = {
    "borrowed": {"type": "bool", "required": True},
    "id": {"type": "str"},
    "name": {"type": "str"},
}
NAT_GATEWAY = {
    "name": {"type": "str", "required": True},
    "subnet": {"type": "str", "required": True},
}
Entries = Mapping[str, Mapping[str, Any]]


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the routes."""
    everything = wanted.get("vpc_route_tables") or {}
    own = {key: table for key, table in everything.items() if not is_borrowed(table)}
    tables, problems = entries({"vpc_route_tables": own}, "vpc_route_tables", ROUTE_TABLE)
    yield from problems
    borrowed, problems = entries(
        {"vpc_route_tables": {key: table for key, table in everything.items() if key not in own}}, "vpc_route_tables", BORROWED_ROUTE_TABLE
    )
    yield from problems
    gateways, problems = entries(wanted, "vpc_nat_gateways", NAT_GATEWAY)
    yield from problems
    subnets = {key: subnet for key, subnet in (wanted.get("vpc_subnets") or {}).items() if isinstance(subnet, Mapping)}
    yield from borrowed_tables(wanted, borrowed, subnets)
    for key, table in tables.items():
        yield from route_table(f"vpc_route_tables.{key}", table, wanted, subnets, gateways)
    yield from taken_twice(tables, subnets)
    yield from nat_gateways(wanted, gateways, tables, subnets)


def borrowed_tables(wanted: Wanted, borrowed: Entries, subnets: Entries) -> Iterator[str]:
    """Borrowed tables stand in a borrowed VPC, and each subnet that gets an own one says which it had."""
    for key, table in borrowed.items():
        if not wanted.get("vpc_borrowed"):
            yield problem(f"vpc_route_tables.{key}.borrowed", True, "the VPC is the stack's own", "Take it away, or set vpc_borrowed: true")
        yield from findable(f"vpc_route_tables.{key}", table)
    if not wanted.get("vpc_borrowed"):
        return
    choices = f"Name a borrowed one of vpc_route_tables ({listing(borrowed) or 'there is none'}), or main for the VPC's main one"
    taken = subnet_tables(wanted)
    for key, subnet in subnets.items():
        former = subnet.get("route_table")
        if key in taken and former is None:
            yield f"vpc_subnets.{key}.route_table is not set, and destroy must give one back. {choices}"
        elif former is not None and former != "main" and former not in borrowed:
            yield problem(f"vpc_subnets.{key}.route_table", former, "no borrowed route table", choices)


def route_table(variable: str, table: Mapping[str, Any], wanted: Wanted, subnets: Entries, gateways: Entries) -> Iterator[str]:
    tier, keys, nat = table["tier"], table["subnets"], table["nat_gateway"]
    if (tier is None) == (not keys):
        yield problem(variable, {"tier": tier, "subnets": keys}, "a route table serves a tier or some subnets", "Give exactly one of them")
    existing = {str(subnet.get("tier")) for subnet in subnets.values()}
    if tier is not None and subnets and tier not in existing:
        yield problem(f"{variable}.tier", tier, "no subnet in vpc_subnets is of this tier", f"Choose one of {listing(existing)}")
    for key in keys or []:
        if key not in subnets:
            yield problem(f"{variable}.subnets", key, "no such subnet in vpc_subnets", f"Choose from {listing(subnets)}")
    if table["internet"] and nat:
        yield problem(
            f"{variable}.nat_gateway", nat, "the table leads to the internet gateway already", "Keep one of internet and nat_gateway"
        )
    if table["internet"] and not wanted.get("vpc_internet_gateway_name") and not wanted.get("vpc_borrowed"):
        yield problem(f"{variable}.internet", True, "there is no internet gateway", "Set vpc_internet_gateway_name")
    if nat and nat not in gateways:
        remedy = f"Choose one of {listing(gateways)}" if gateways else "Describe it there, with name and subnet"
        yield problem(f"{variable}.nat_gateway", nat, "no such gateway in vpc_nat_gateways", remedy)


def taken_twice(tables: Entries, subnets: Entries) -> Iterator[str]:
    """A subnet uses one route table."""
    seen: dict[str, str] = {}
    for name, table in tables.items():
        word = "subnets" if table["subnets"] else "tier"
        others = {seen[key]: key for key in subnets_of(table, subnets) if key in seen}
        for other, key in others.items():
            wrong = f"vpc_route_tables.{other} serves the subnet {key} already"
            yield problem(f"vpc_route_tables.{name}.{word}", table[word], wrong, "Keep one route table for each subnet")
        seen |= {key: name for key in subnets_of(table, subnets) if key not in seen}


def nat_gateways(wanted: Wanted, gateways: Entries, tables: Entries, subnets: Entries) -> Iterator[str]:
    """A NAT gateway stands in a public subnet, one in each zone at most, and some route table leads to it."""
    own = {key: tables.get(name, {}) for key, name in subnet_tables(wanted).items()}
    zones: dict[str, str] = {}
    for key, gateway in gateways.items():
        variable, subnet = f"vpc_nat_gateways.{key}", gateway["subnet"]
        if subnet not in subnets:
            yield problem(f"{variable}.subnet", subnet, "no such subnet in vpc_subnets", f"Choose one of {listing(subnets)}")
            continue
        if not own.get(subnet, {}).get("internet") and not (wanted.get("vpc_borrowed") and subnet not in own):
            public = [name for name, table in own.items() if table.get("internet")]
            remedy = f"Choose a public one: {listing(public)}" if public else "Give a route table internet: true"
            yield problem(f"{variable}.subnet", subnet, "its route table does not lead to the internet gateway", remedy)
        zone = str(subnets[subnet].get("az") or subnet)
        if zone in zones:
            yield problem(
                f"{variable}.subnet", subnet, f"vpc_nat_gateways.{zones[zone]} is in {zone} already", "Keep one for each availability zone"
            )
        zones.setdefault(zone, key)
        if key not in {table["nat_gateway"] for table in tables.values()}:
            remedy = "Set it in vpc_route_tables, or take the gateway away"
            yield f"{variable} costs money and serves nobody: no route table has nat_gateway: {key}. {remedy}"
