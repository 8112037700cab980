# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over route tables as the inventory words them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Entries = Mapping[str, Mapping[str, Any]]


def route_table_associations(
    tables: Entries, subnets: Entries, subnet_ids: Mapping[str, str], table_ids: Mapping[str, str]
) -> dict[str, str]:
    """Route table id by subnet id, for the stack's own tables."""
    return {subnet_ids[key]: table_ids[table] for key, table in subnet_tables(tables, subnets).items()}


def subnet_tables(tables: Entries, subnets: Entries) -> dict[str, str]:
    """Key of the route table by key of the subnet: a table names its `subnets`, or the `tier` of which it has all."""
    return {key: name for name, table in tables.items() if not table.get("borrowed") for key in _subnets_of(table, subnets)}


def route_table_tier(table: Mapping[str, Any], subnets: Entries) -> str:
    """The tier of the subnets that use a route table."""
    return str(table.get("tier") or next(iter(subnets[key]["tier"] for key in table["subnets"])))


def route_table_routes(table: Mapping[str, Any], gateway_id: str, nat_gateway_ids: Mapping[str, str]) -> list[dict[str, str]]:
    """Its default route in the words of amazon.aws.ec2_vpc_route_table: to the internet gateway, to a NAT gateway, or none."""
    if table.get("internet"):
        return [{"dest": "0.0.0.0/0", "gateway_id": gateway_id}]
    if table.get("nat_gateway"):
        return [{"dest": "0.0.0.0/0", "gateway_id": nat_gateway_ids[table["nat_gateway"]]}]
    return []


def _subnets_of(table: Mapping[str, Any], subnets: Entries) -> Iterable[str]:
    return table.get("subnets") or [key for key, subnet in subnets.items() if subnet["tier"] == table.get("tier")]


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "route_table_associations": route_table_associations,
            "route_table_tier": route_table_tier,
            "route_table_routes": route_table_routes,
        }
