# SPDX-License-Identifier: GPL-3.0-or-later
"""Which subnet uses which of the stack's own route tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .problem import Wanted


def is_borrowed(entry: Any) -> bool:
    """Whether an entry of a map is something that the stack uses and does not own."""
    return isinstance(entry, Mapping) and bool(entry.get("borrowed"))


def subnets_of(table: Mapping[str, Any], subnets: Mapping[str, Any]) -> Iterable[str]:
    """Keys of the subnets that use a table: those that it names, or all of its tier."""
    if table.get("subnets"):
        return [key for key in table["subnets"] if key in subnets]
    return [key for key, subnet in subnets.items() if subnet.get("tier") == table.get("tier")]


def subnet_tables(wanted: Wanted) -> dict[str, str]:
    """Key of the stack's own route table by key of the subnet that uses it; a subnet that no own table names is left out."""
    subnets = wanted.get("vpc_subnets") or {}
    return {
        key: name
        for name, table in (wanted.get("vpc_route_tables") or {}).items()
        if not is_borrowed(table)
        for key in subnets_of(table, subnets)
    }
