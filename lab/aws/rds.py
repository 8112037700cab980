"""RDS: states that take the time a database takes, pending changes, interfaces and refusals as on AWS.

moto's instances are `available` at once. Here `status` follows the real server, which lab/services/databases.py runs; that service
reads `lab_wanted` (what was asked for: available, stopped, reboot, deleted) and writes `status`.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random
from moto.rds.exceptions import (
    DBInstanceAlreadyExists,
    DBParameterGroupNotFoundError,
    DBSnapshotAlreadyExistsError,
    InvalidDBInstanceStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from . import interfaces
from ._patch import wrap

REQUESTER = "amazon-rds"
ENGINES = {"postgres": ("15.4", "15.5", "15.6", "15.7", "15.8", "15.10", "15.12")}  # the lab runs Debian 12's PostgreSQL 15
DEFAULT_VERSION = "15.12"
DEFAULTS = {"license_model": "postgresql-license", "ca_certificate_identifier": "rds-ca-rsa2048-g1"}
AT_ONCE = {  # applied whatever ApplyImmediately says (RDS User Guide, "Settings for DB instances")
    "apply_immediately", "db_instance_identifier", "vpc_security_group_ids", "deletion_protection", "copy_tags_to_snapshot",
    "preferred_backup_window", "preferred_maintenance_window", "master_user_password", "auto_minor_version_upgrade",
    "db_parameter_group_name", "allow_major_version_upgrade", "publicly_accessible", "cloudwatch_logs_export_configuration",
    "max_allocated_storage", "enable_performance_insights", "monitoring_interval", "monitoring_role_arn", "ca_certificate_identifier",
}  # fmt: skip


def install() -> None:
    wrap(RDSBackend, "create_db_instance")(_create)
    wrap(RDSBackend, "modify_db_instance")(_modify)
    wrap(RDSBackend, "delete_db_instance")(_delete)
    wrap(RDSBackend, "stop_db_instance")(_stop)
    wrap(RDSBackend, "start_db_instance")(_start)
    wrap(RDSBackend, "reboot_db_instance")(_reboot)
    wrap(RDSBackend, "create_db_snapshot")(_create_snapshot)
    wrap(RDSBackend, "restore_db_instance_from_db_snapshot")(_restore)
    wrap(RDSBackend, "create_subnet_group")(_create_subnet_group)
    wrap(RDSBackend, "modify_db_subnet_group")(_modify_subnet_group)
    wrap(RDSBackend, "delete_subnet_group")(_delete_subnet_group)
    wrap(RDSBackend, "describe_db_parameter_groups")(_describe_parameter_groups)
    RDSResponse.describe_db_engine_versions = _describe_engine_versions
    DBInstance.address = property(_address)
    DBInstance.endpoint = property(_endpoint)


def _create(original: Callable[..., Any], rds: Any, db_kwargs: dict[str, Any]) -> Any:
    db_kwargs = dict(db_kwargs)  # moto's own mapping turns into one with its models' attribute names
    name = db_kwargs["db_instance_identifier"] = db_kwargs["db_instance_identifier"].lower()
    if name in rds.databases:
        raise DBInstanceAlreadyExists
    if db_kwargs.get("engine") not in ENGINES:
        raise InvalidParameterValue(
            f"Invalid DB engine: the lab runs {', '.join(ENGINES)}, found '{db_kwargs.get('engine')}'. Choose one of those, or AWS."
        )
    _check_version(db_kwargs)
    if not db_kwargs.get("master_user_password") and not db_kwargs.get("manage_master_user_password"):
        raise InvalidParameterCombination("You must specify the parameter MasterUserPassword.")
    subnets = _subnets(rds, db_kwargs.get("db_subnet_group_name"))
    zones = [subnet.availability_zone for subnet in subnets]
    zone = db_kwargs.get("availability_zone") or zones[0]
    if zone not in zones:
        raise RDSClientError(
            "InvalidVPCNetworkStateFault",
            f"The DB subnet group does not cover the availability zone {zone}; it covers {', '.join(zones)}.",
        )
    ec2 = ec2_backends[rds.account_id][rds.region_name]
    if not db_kwargs.get("vpc_security_group_ids"):
        db_kwargs["vpc_security_group_ids"] = [ec2.get_default_security_group(subnets[0].vpc_id).id]
    database = original(rds, DEFAULTS | db_kwargs | {"availability_zone": zone})
    if database.storage_type == "gp3":  # what its baseline is below 400 GiB; the collection's module relies on both being there
        database.iops, database.storage_throughput = database.iops or 3000, database.storage_throughput or 125
    if not database.option_group_supplied:
        database.option_group_name = f"default:{database.engine}-{database.engine_version.split('.')[0]}"
    if database.storage_encrypted and "kms_key_id" not in db_kwargs:
        database.kms_key_id = f"arn:aws:kms:{rds.region_name}:{rds.account_id}:key/{mock_random.uuid4()}"
    database.dbi_resource_id = "db-" + "".join(mock_random.choices(string.ascii_uppercase + string.digits, k=26))
    database.status, database.lab_wanted, database.pending_modified_values = "creating", "available", {}
    database.lab_pending = {}  # moto's attribute name -> value, until the maintenance window or ApplyImmediately
    subnet = subnets[zones.index(zone)]
    public = bool(database.publicly_accessible)
    database.lab_interface_id = interfaces.create(ec2, subnet, database.vpc_security_group_ids, "RDSNetworkInterface", REQUESTER, public).id
    return database


def _check_version(db_kwargs: dict[str, Any]) -> None:
    versions, asked = ENGINES[db_kwargs["engine"]], str(db_kwargs.get("engine_version") or DEFAULT_VERSION)
    if asked == versions[0].split(".")[0]:  # a major version alone means its newest minor one
        asked = DEFAULT_VERSION
    if asked not in versions:
        raise InvalidParameterCombination(f"Cannot find version {asked} for {db_kwargs['engine']}: the lab runs {', '.join(versions)}.")
    db_kwargs["engine_version"] = asked


def _describe_engine_versions(response: Any) -> Any:
    """DescribeDBEngineVersions, which moto lacks."""
    engine, version = response.params.get("Engine"), response.params.get("EngineVersion")
    found = [
        {
            "Engine": name,
            "EngineVersion": number,
            "DBParameterGroupFamily": f"{name}{number.split('.')[0]}",
            "DBEngineDescription": "PostgreSQL",
            "DBEngineVersionDescription": f"PostgreSQL {number}-R1",
            "Status": "available",
        }
        for name, numbers in ENGINES.items()
        for number in numbers
        if engine in (None, name) and (not version or number == version or number.split(".")[0] == version)
    ]
    if response.params.get("DefaultOnly"):
        found = [entry for entry in found if entry["EngineVersion"] == DEFAULT_VERSION]
    return ActionResult({"DBEngineVersions": found})


def _subnets(rds: Any, group_name: str | None) -> list[Any]:
    if group_name:
        return list(rds.describe_db_subnet_groups(group_name.lower())[0]._subnets)
    ec2 = ec2_backends[rds.account_id][rds.region_name]
    subnets = [subnet for zone in ec2.subnets.values() for subnet in zone.values() if subnet.default_for_az]
    if not subnets:
        raise RDSClientError("DBSubnetGroupNotFoundFault", "No default subnet is available, and no DB subnet group was specified.")
    return subnets


def _modify(original: Callable[..., Any], rds: Any, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> Any:
    """With ApplyImmediately=False what would interrupt the service waits in PendingModifiedValues (moto applies it)."""
    database = rds.describe_db_instances(db_instance_identifier)[0]
    if database.status not in ("available", "stopped", "storage-full"):
        raise RDSClientError("InvalidDBInstanceState", f"Database instance is not in available state: it is {database.status}.")
    changes = dict(db_kwargs)
    if str(changes.get("engine_version")) == database.engine_version.split(".")[0]:
        del changes["engine_version"]  # the major version that it has already
    immediately = str(changes.get("apply_immediately", False)).lower() == "true"
    if immediately:
        changes |= {key: value for key, value in database.lab_pending.items() if key not in changes}
        database.lab_pending = {}
    else:
        for key in set(changes) - AT_ONCE:
            value = changes.pop(key)
            if value is not None and value != getattr(database, key, None):
                database.lab_pending[key] = value
    if changes.get("master_user_password"):
        database.lab_password_changed = True
    database = original(rds, db_instance_identifier, changes)
    database.pending_modified_values = {_api_name(key): value for key, value in database.lab_pending.items()}
    ec2 = ec2_backends[rds.account_id][rds.region_name]
    interfaces.set_groups(ec2, [database.lab_interface_id], database.vpc_security_group_ids)
    return database


def _api_name(attribute: str) -> str:
    words = {"db": "DB", "iops": "Iops", "ca": "CA", "az": "AZ"}
    return "".join(words.get(word, word.capitalize()) for word in attribute.split("_"))


def _delete(
    _original: Callable[..., Any],
    rds: Any,
    db_instance_identifier: str,
    final_db_snapshot_identifier: str | None = None,
    skip_final_snapshot: bool | None = False,
    delete_automated_backups: bool | None = True,
) -> Any:
    """The instance stays, `deleting`, until its server has gone; AWS wants a decision on the final snapshot."""
    database = rds.describe_db_instances(db_instance_identifier)[0]
    if database.deletion_protection:
        raise InvalidParameterCombination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    if database.status == "deleting":
        raise InvalidDBInstanceStateFault(f"Instance {db_instance_identifier} is already being deleted.")
    skip = str(skip_final_snapshot).lower() == "true"
    if skip and final_db_snapshot_identifier:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier cannot be specified when deleting an instance with SkipFinalSnapshot true."
        )
    if not skip and not final_db_snapshot_identifier:
        raise InvalidParameterCombination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if final_db_snapshot_identifier:
        rds.validate_db_snapshot_identifier(final_db_snapshot_identifier, parameter_name="FinalDBSnapshotIdentifier")
        if final_db_snapshot_identifier in rds.database_snapshots:
            raise DBSnapshotAlreadyExistsError(final_db_snapshot_identifier)
        _create_snapshot(_moto_create_snapshot, rds, database.db_instance_identifier, final_db_snapshot_identifier)
    database.status, database.lab_wanted = "deleting", "deleted"
    return database


def forget(rds: Any, database: Any) -> None:
    """What is left to do once the server of a deleted instance has gone."""
    interfaces.delete(ec2_backends[rds.account_id][rds.region_name], [database.lab_interface_id])
    rds.databases.pop(database.db_instance_identifier, None)
    for name, snapshot in list(rds.database_snapshots.items()):
        if snapshot.snapshot_type == "automated" and snapshot.db_instance_identifier == database.db_instance_identifier:
            del rds.database_snapshots[name]


def _stop(original: Callable[..., Any], rds: Any, *args: Any, **kwargs: Any) -> Any:
    database = original(rds, *args, **kwargs)
    database.status, database.lab_wanted = "stopping", "stopped"
    return database


def _start(original: Callable[..., Any], rds: Any, *args: Any, **kwargs: Any) -> Any:
    database = original(rds, *args, **kwargs)
    database.status, database.lab_wanted = "starting", "available"
    return database


def _reboot(original: Callable[..., Any], rds: Any, *args: Any, **kwargs: Any) -> Any:
    database = original(rds, *args, **kwargs)
    if database.status != "available":
        raise RDSClientError("InvalidDBInstanceState", f"Instance cannot currently reboot: it is {database.status}.")
    database.status, database.lab_wanted = "rebooting", "reboot"
    return database


_moto_create_snapshot = RDSBackend.create_db_snapshot


def _create_snapshot(original: Callable[..., Any], rds: Any, *args: Any, **kwargs: Any) -> Any:
    """`creating` until the data has been copied. Automated ones (moto makes one with each instance) hold no data here."""
    snapshot = original(rds, *args, **kwargs)
    if snapshot.snapshot_type == "manual":
        snapshot.status = "creating"
    return snapshot


def _restore(original: Callable[..., Any], rds: Any, from_snapshot_id: str, overrides: Any) -> Any:
    """The new instance begins with the snapshot's data, and with the snapshot's master user."""
    name = from_snapshot_id.rsplit(":", 1)[-1].lower()
    snapshot = rds.describe_db_snapshots(db_instance_identifier=None, db_snapshot_identifier=name)[0]
    if snapshot.status != "available":
        raise RDSClientError("InvalidDBSnapshotState", f"DB snapshot {name} is not in available state: it is {snapshot.status}.")
    asked = {"vpc_security_group_ids": None, "availability_zone": None} | dict(overrides)
    if "db_subnet_group_name" not in asked:
        asked["db_subnet_group_name"] = snapshot.database.db_subnet_group.name
    for own in [key for key in vars(snapshot.database) if key.startswith("lab_")]:
        delattr(snapshot.database, own)
    snapshot.database.availability_zone = None
    database = original(rds, name, asked)
    database.lab_restored_from = name
    return database


# Subnet groups and parameter groups


def _create_subnet_group(
    original: Callable[..., Any],
    rds: Any,
    subnet_name: str,
    description: str,
    subnets: list[Any],
    tags: list[dict[str, str]],
) -> Any:
    if subnet_name.lower() in rds.subnet_groups:
        raise RDSClientError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{subnet_name}' already exists.")
    _check_zones(subnets)
    return original(rds, subnet_name.lower(), description, subnets, tags)


def _modify_subnet_group(_original: Callable[..., Any], rds: Any, subnet_name: str, description: str, subnets: list[Any]) -> Any:
    """moto loses the group when it is modified."""
    group = rds.describe_db_subnet_groups(subnet_name.lower())[0]
    _check_zones(subnets)
    group.subnets = subnets
    if description is not None:
        group.description = description
    return group


def _check_zones(subnets: list[Any]) -> None:
    zones = sorted({subnet.availability_zone for subnet in subnets})
    if len(zones) < 2:
        raise RDSClientError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )


def _delete_subnet_group(original: Callable[..., Any], rds: Any, subnet_name: str) -> Any:
    for database in rds.databases.values():
        group = getattr(database, "db_subnet_group", None)
        if group is not None and group.name == subnet_name.lower():
            raise RDSClientError(
                "InvalidDBSubnetGroupStateFault",
                f"Cannot delete the subnet group '{subnet_name}' because at least one database instance: "
                f"{database.db_instance_identifier} is still using it.",
            )
    return original(rds, subnet_name.lower())


def _describe_parameter_groups(original: Callable[..., Any], rds: Any, params: dict[str, Any]) -> Any:
    """An unknown name is an error on AWS; moto's empty list makes `rds_instance_param_group` fail with an IndexError."""
    found, name = original(rds, params), params.get("db_parameter_group_name")
    if name and not found:
        raise DBParameterGroupNotFoundError(name)
    return found


# Names


def _address(database: Any) -> str:
    """`<identifier>.<hash of account and region>.<region>.rds.amazonaws.com`"""
    digest = hashlib.sha256(f"{database.account_id}/{database.region}".encode()).digest()
    alphabet = string.ascii_lowercase + string.digits
    mark = "c" + "".join(alphabet[byte % len(alphabet)] for byte in digest[:11])
    return f"{database.db_instance_identifier}.{mark}.{database.region}.rds.amazonaws.com"


def _endpoint(database: Any) -> dict[str, Any] | None:
    """There is none before the instance has been available once."""
    if getattr(database, "lab_wanted", None) and not getattr(database, "lab_ready", False):
        return None
    return {"Address": database.address, "Port": database.port, "HostedZoneId": "Z24O6O9L7SGTNB"}
