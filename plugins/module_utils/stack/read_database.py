# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading DB instances, subnet groups and parameter groups: RDS filters none of them by tag, so all are read and shared out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .aws import of_stack, pages, unless_gone

Items = list[dict[str, Any]]
NAMES = {  # kind -> (its name in AWS's words, the variable that names the stack's own)
    "databases": ("DBInstanceIdentifier", "rds_identifier"),
    "subnet_groups": ("DBSubnetGroupName", "rds_subnet_group_name"),
    "parameter_groups": ("DBParameterGroupName", "rds_parameter_group_name"),
}


def reads(rds: Any) -> dict[str, Callable[[], Items]]:
    """Everybody's by kind, with `Tags`, each to be asked for."""
    return {
        "databases": lambda: [{**item, "Tags": item["TagList"]} for item in pages(rds, "describe_db_instances", "DBInstances")],
        "subnet_groups": lambda: groups(rds, "describe_db_subnet_groups", "DBSubnetGroup"),
        "parameter_groups": lambda: groups(rds, "describe_db_parameter_groups", "DBParameterGroup"),
    }


def groups(rds: Any, operation: str, kind: str) -> Items:
    """Groups with their tags, which are told one group at a time, so that those that AWS makes are not asked for."""
    found = [group for group in pages(rds, operation, f"{kind}s") if not group[f"{kind}Name"].startswith("default")]
    for group in found:
        told = unless_gone(rds, partial(rds.list_tags_for_resource, ResourceName=group[f"{kind}Arn"]))
        group["Tags"] = told["TagList"] if told else []
    return found


def shared_out(everybodys: Mapping[str, Items], name: str, wanted: Mapping[str, Any]) -> dict[str, Items]:
    """By kind what carries the stack's tag, by `named_` and its kind what is called as the stack's own without it; `borrowed_databases`."""
    borrows, found = bool(wanted.get("rds_borrowed")), dict[str, Items]()
    for kind, (identity, variable) in NAMES.items():
        found[kind] = of_stack(everybodys[kind], "Tags", name)
        called = [item for item in everybodys[kind] if item[identity].lower() == str(wanted.get(variable) or "").lower()]
        found[f"named_{kind}"] = [] if borrows else [item for item in called if item not in found[kind]]
        if kind == "databases":
            found["borrowed_databases"] = called if borrows else []
    return found
