"""Changes of a standing RDS instance: at once, now, or in the maintenance window.

RDS API Reference, ModifyDBInstance, and RDS User Guide, "Settings for DB instances": some settings change whatever ApplyImmediately says;
the others wait in PendingModifiedValues until the weekly window, or are applied asynchronously when ApplyImmediately is set. moto applies
all of them in the call. The window is the instance's own PreferredMaintenanceWindow, in UTC, by this computer's clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.exceptions import InvalidParameterCombination, RDSClientError
from moto.rds.models import DBInstance, RDSBackend

from . import interfaces, rds_engines, rds_parameters, rds_standby
from ._patch import wrap

AT_ONCE = {
    "apply_immediately", "db_instance_identifier", "vpc_security_group_ids", "deletion_protection", "copy_tags_to_snapshot",
    "preferred_backup_window", "preferred_maintenance_window", "master_user_password", "auto_minor_version_upgrade",
    "db_parameter_group_name", "allow_major_version_upgrade", "publicly_accessible", "cloudwatch_logs_export_configuration",
    "max_allocated_storage", "enable_performance_insights", "monitoring_interval", "monitoring_role_arn", "ca_certificate_identifier",
}  # fmt: skip
INTERRUPTING = {"db_instance_class", "engine_version", "port"}  # the server is started anew
NAME = r"[a-zA-Z](-?[a-zA-Z0-9])*"
NAME_RULE = (
    "Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; "
    "and must not end with a hyphen or contain two consecutive hyphens."
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def install() -> None:
    wrap(RDSBackend, "modify_db_instance")(_modify)
    DBInstance.lab_pending = None  # moto's attribute name -> value, until the maintenance window or ApplyImmediately
    DBInstance.lab_apply = False  # whether what is pending is to be applied as soon as possible
    DBInstance.lab_password_changed = False


def due(database: Any, now: datetime) -> bool:
    """Whether what is pending is to be applied now."""
    return bool(database.lab_pending) and (database.lab_apply or in_window(database.preferred_maintenance_window, now))


def in_window(window: str, now: datetime) -> bool:
    """Whether a moment (UTC) lies in a weekly window such as `sun:23:30-mon:00:30`."""
    start, end = (_minute_of_week(part) for part in window.lower().split("-"))
    minute = (now.weekday() * 24 + now.hour) * 60 + now.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def apply(rds: Any, database: Any) -> bool:
    """Apply what is pending. True when the server has to be started anew for it."""
    pending, database.lab_pending, database.lab_apply = database.lab_pending, None, False
    multi_az = pending.pop("multi_az", database.multi_az)
    if multi_az != database.multi_az:
        (rds_standby.add if multi_az else rds_standby.remove)(rds, database)
        database.multi_az = multi_az
    database.update(**pending)
    follow_storage_type(database)
    show(database)
    return bool(INTERRUPTING & set(pending))


def follow_storage_type(database: Any) -> None:
    """gp3's baseline below 400 GiB: the collection's module relies on both values being there."""
    if database.storage_type == "gp3":
        database.iops, database.storage_throughput = database.iops or 3000, database.storage_throughput or 125
    elif not database.storage_type.startswith("io"):
        database.iops = None


def show(database: Any) -> None:
    """Bring PendingModifiedValues up to date; of a password AWS tells only that it is to come."""
    shown = {_api_name(key): value for key, value in (database.lab_pending or {}).items()}
    database.pending_modified_values = shown | ({"MasterUserPassword": "****"} if database.lab_password_changed else {})


def _modify(original: Callable[..., Any], rds: Any, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> Any:
    if not re.fullmatch(NAME, db_instance_identifier):  # such as an ARN, by which moto finds an instance, and renames it
        raise RDSClientError("InvalidParameterValue", f"The parameter DBInstanceIdentifier is not a valid identifier. {NAME_RULE}")
    database = rds.describe_db_instances(db_instance_identifier)[0]
    if database.status not in ("available", "stopped", "storage-full"):
        raise RDSClientError("InvalidDBInstanceState", f"Database instance is not in available state: it is {database.status}.")
    changes = {key: value for key, value in dict(db_kwargs).items() if value is not None}
    if "db_port_number" in changes:
        changes["port"] = changes.pop("db_port_number")
    group = getattr(database, "db_subnet_group", None)
    if group and changes.pop("db_subnet_group_name", group.name).lower() != group.name:
        raise RDSClientError("InvalidVPCNetworkStateFault", "A DB instance moves to another subnet group only with another VPC.")
    if "engine_version" in changes:
        _check_version(database, changes)
    _check_storage(database, changes)
    _note(database, changes, str(changes.get("apply_immediately", False)).lower() == "true")
    if changes.get("master_user_password"):
        database.lab_password_changed, database.status = True, "resetting-master-credentials"
    database = original(rds, db_instance_identifier, {key: value for key, value in changes.items() if key in AT_ONCE})
    if database.lab_group is None:
        rds_parameters.at_start(database)
    show(database)
    ec2 = ec2_backends[rds.account_id][rds.region_name]
    interfaces.set_groups(ec2, [database.lab_interface_id, database.lab_standby_interface_id], database.vpc_security_group_ids)
    return database


def _note(database: Any, changes: dict[str, Any], immediately: bool) -> None:
    """Keep what differs for later; what is asked back to what it is waits no longer."""
    pending = dict(database.lab_pending or {})
    for key in set(changes) - AT_ONCE:
        pending.pop(key, None)
        if changes[key] != getattr(database, key, None):
            pending[key] = changes[key]
    database.lab_pending = pending or None
    if pending and (immediately or "port" in pending):
        database.lab_apply, database.status = True, "modifying"


def _check_version(database: Any, changes: dict[str, Any]) -> None:
    asked = str(changes["engine_version"])
    if f"{database.engine_version}.".startswith(f"{asked}."):
        changes["engine_version"] = database.engine_version  # the version that it has already: another one waits no longer
        return
    changes["engine_version"] = found = rds_engines.version(database.engine, asked)
    offered = rds_engines.ENGINES[database.engine]
    if offered.major(found) != offered.major(database.engine_version) and not changes.get("allow_major_version_upgrade"):
        raise InvalidParameterCombination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")


def _check_storage(database: Any, changes: dict[str, Any]) -> None:
    """It cannot shrink, and grows by a tenth at least: less is rounded up."""
    kind, size = changes.get("storage_type", database.storage_type), changes.get("allocated_storage")
    if size is None and kind == database.storage_type:
        return
    size = database.allocated_storage if size is None else int(size)
    if size < database.allocated_storage:
        raise InvalidParameterCombination(
            f"Requested storage size ({size}) cannot be less than the current storage size ({database.allocated_storage}): "
            "storage does not shrink."
        )
    if size > database.allocated_storage:
        size = max(size, -(-database.allocated_storage * 11 // 10))
    rds_engines.check_storage(database.engine, kind, size)
    changes["allocated_storage"] = size


def _minute_of_week(text: str) -> int:
    day, hour, minute = text.split(":")
    return (DAYS.index(day) * 24 + int(hour)) * 60 + int(minute)


def _api_name(attribute: str) -> str:
    words = {"db": "DB", "iops": "Iops", "ca": "CA", "az": "AZ"}
    return "".join(words.get(word, word.capitalize()) for word in attribute.split("_"))
