# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role rds: what cannot be changed on a DB instance, which version is met, what waits, and whether it has settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ansible.module_utils
from ansible import constants

# The project's own module_utils, which modules find by themselves and plugins do not.
ansible.module_utils.__path__ = [*ansible.module_utils.__path__, *constants.DEFAULT_MODULE_UTILS_PATH]
from ansible.module_utils.stack.database_rules import AT_REST, MAJORS, storage_reached, version_met, version_reached

Instance = Mapping[str, Any]  # as amazon.aws.rds_instance_info words it
FIXED = {"rds_engine": "engine", "rds_database": "db_name", "rds_username": "master_username"}
SHOWN = {"master_user_password": "a new password"}


def rds_replacing(instances: Sequence[Instance], wanted: Mapping[str, Any]) -> list[str]:
    """Why the standing instance would have to be replaced, one line each; empty when it can stay.

    RDS API Reference, ModifyDBInstance: engine, first database, master user and encryption are given at creation only, another subnet group
    means another VPC, storage does not shrink and grows by a tenth at least, and no version goes back to an earlier one.
    """
    lines = []
    for instance in instances:
        for variable, attribute in FIXED.items():
            if wanted.get(variable) and instance.get(attribute) != wanted[variable]:
                lines.append(f"{variable} is {wanted[variable]}, the DB instance has {instance.get(attribute)}")
        size, has = wanted.get("rds_allocated_storage"), int(instance["allocated_storage"])
        if size and not storage_reached(int(size), has):
            grows = f", and grows to {-(-has * 11 // 10)} at least" if int(size) > has else ""
            lines.append(f"rds_allocated_storage is {size}, the DB instance has {has} GiB{grows}")
        version, standing = str(wanted.get("rds_engine_version") or ""), str(instance.get("engine_version") or "")
        if version and not rds_version_met(standing, version, instance["engine"]) and not version_reached(version, standing):
            lines.append(f"rds_engine_version is {version}, the DB instance has {standing}")
        group = (instance.get("db_subnet_group") or {}).get("db_subnet_group_name")
        if wanted.get("rds_subnet_group_name") and group and group != wanted["rds_subnet_group_name"].lower():
            lines.append(f"rds_subnet_group_name is {wanted['rds_subnet_group_name']}, the DB instance has {group}")
        if wanted.get("encrypted") and not instance.get("storage_encrypted", True):
            lines.append("the DB instance is not encrypted")
    return lines


def rds_version_met(standing: str, wanted: str, engine: str) -> bool:
    """Whether a version is the wanted one of this engine, or a later one to which RDS has moved on by itself."""
    met: bool = version_met(str(wanted), str(standing), MAJORS.get(engine, 1))
    return met


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


def rds_at_rest(instances: Sequence[Instance]) -> bool:
    """Whether the instance stands and can be used and changed."""
    return bool(instances) and instances[0].get("db_instance_status") in AT_REST


def rds_settled(instances: Sequence[Instance], awaited: Sequence[str]) -> bool:
    """Whether the instance can be used and none of the awaited attributes is still to be changed; a new password is always awaited.

    RDS answers before it begins: right after a change the status may still be `available`, with the change among the pending ones.
    """
    return rds_at_rest(instances) and not {*awaited, "master_user_password"} & set(instances[0].get("pending_modified_values") or {})


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "rds_replacing": rds_replacing,
            "rds_version_met": rds_version_met,
            "rds_pending": rds_pending,
            "rds_at_rest": rds_at_rest,
            "rds_settled": rds_settled,
        }
