# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role rds: what cannot be changed on a DB instance, what waits, and whether it has settled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Instance = Mapping[str, Any]  # as amazon.aws.rds_instance_info words it
FIXED = {"rds_engine": "engine", "rds_database": "db_name", "rds_username": "master_username"}
SHOWN = {"master_user_password": "a new password"}


def rds_replacing(instances: Sequence[Instance], wanted: Mapping[str, Any]) -> list[str]:
    """Why the standing instance would have to be replaced, one line each; empty when it can stay.

    RDS API Reference, ModifyDBInstance: engine, first database, master user and encryption are given at creation only, another subnet group
    means another VPC, storage does not shrink, and no version goes back to an earlier one.
    """
    lines = []
    for instance in instances:
        for variable, attribute in FIXED.items():
            if wanted.get(variable) and instance.get(attribute) != wanted[variable]:
                lines.append(f"{variable} is {wanted[variable]}, the DB instance has {instance.get(attribute)}")
        size = wanted.get("rds_allocated_storage")
        if size and int(size) < int(instance["allocated_storage"]):
            lines.append(f"rds_allocated_storage is {size}, the DB instance has {instance['allocated_storage']} GiB")
        version, standing = str(wanted.get("rds_engine_version") or ""), str(instance.get("engine_version") or "")
        if version and not f"{standing}.".startswith(f"{version}.") and _numbers(version) < _numbers(standing):
            lines.append(f"rds_engine_version is {version}, the DB instance has {standing}")
        group = (instance.get("db_subnet_group") or {}).get("db_subnet_group_name")
        if wanted.get("rds_subnet_group_name") and group and group != wanted["rds_subnet_group_name"].lower():
            lines.append(f"rds_subnet_group_name is {wanted['rds_subnet_group_name']}, the DB instance has {group}")
        if wanted.get("encrypted") and not instance.get("storage_encrypted", True):
            lines.append("the DB instance is not encrypted")
    return lines


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def rds_pending(instance: Instance) -> list[str]:
    """What waits for the maintenance window or a reboot: `allocated_storage: 5 -> 10`."""
    lines = [
        SHOWN.get(name) or f"{name}: {instance.get(name)} -> {value}"
        for name, value in sorted((instance.get("pending_modified_values") or {}).items())
    ]
    return lines + [
        f"parameters of {group['db_parameter_group_name']}: they wait for a reboot"
        for group in instance.get("db_parameter_groups") or []
        if group.get("parameter_apply_status") == "pending-reboot"
    ]


def rds_settled(instances: Sequence[Instance], awaited: Sequence[str]) -> bool:
    """Whether the instance is available and none of the awaited attributes is still to be changed; a new password is always awaited.

    RDS answers before it begins: right after a change the status may still be `available`, with the change among the pending ones.
    """
    if not instances or instances[0].get("db_instance_status") != "available":
        return False
    return not {*awaited, "master_user_password"} & set(instances[0].get("pending_modified_values") or {})


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rds_replacing": rds_replacing, "rds_pending": rds_pending, "rds_settled": rds_settled}
