"""RDS instances: states that take the time a database takes, interfaces, snapshots and refusals as on AWS.

moto's instances are `available` at once. Here `status` follows the real server, which lab/services/databases.py runs; that service
reads `lab_wanted` (what was asked for: available, stopped, reboot, failover, deleted) and writes `status`.
What is changed on a standing instance is in rds_changes.py, standbys and failovers are in rds_standby.py.
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
    DBSnapshotAlreadyExistsError,
    InvalidDBInstanceStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)
from moto.rds.models import DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from . import interfaces, rds_changes, rds_engines, rds_parameters, rds_standby, rds_subnets
from ._patch import wrap
from .rds_engines import ENGINES


def install() -> None:
    wrap(RDSBackend, "create_db_instance")(_create)
    wrap(RDSBackend, "delete_db_instance")(_delete)
    wrap(RDSBackend, "stop_db_instance")(_stop)
    wrap(RDSBackend, "start_db_instance")(_start)
    wrap(RDSBackend, "reboot_db_instance")(_reboot)
    wrap(RDSBackend, "create_db_snapshot")(_create_snapshot)
    wrap(RDSBackend, "restore_db_instance_from_db_snapshot")(_restore)
    RDSResponse.reboot_db_instance = _reboot_response
    RDSResponse.describe_db_engine_versions = _describe_engine_versions
    DBInstance.address = property(_address)
    DBInstance.endpoint = property(_endpoint)
    for part in (rds_changes, rds_parameters, rds_standby, rds_subnets):
        part.install()


def _create(original: Callable[..., Any], rds: Any, db_kwargs: dict[str, Any]) -> Any:
    db_kwargs = dict(db_kwargs)  # moto's own mapping turns into one with its models' attribute names
    name = db_kwargs["db_instance_identifier"] = db_kwargs["db_instance_identifier"].lower()
    if name in rds.databases:
        raise DBInstanceAlreadyExists
    engine = db_kwargs.get("engine")
    if engine not in ENGINES:
        raise InvalidParameterValue(f"Invalid DB engine: the lab runs {', '.join(ENGINES)}, found '{engine}'. Choose one of those, or AWS.")
    db_kwargs["engine_version"] = rds_engines.version(engine, str(db_kwargs.get("engine_version") or ""))
    if db_kwargs.get("allocated_storage"):
        rds_engines.check_storage(engine, db_kwargs.get("storage_type") or "gp2", int(db_kwargs["allocated_storage"]))
    if not db_kwargs.get("master_user_password") and not db_kwargs.get("manage_master_user_password"):
        raise InvalidParameterCombination("You must specify the parameter MasterUserPassword.")
    if db_kwargs.get("multi_az") and db_kwargs.get("availability_zone"):
        raise InvalidParameterCombination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    subnets = rds_subnets.subnets(rds, db_kwargs.get("db_subnet_group_name"))
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
    defaults = {"license_model": ENGINES[engine].license, "ca_certificate_identifier": "rds-ca-rsa2048-g1"}
    database = original(rds, defaults | db_kwargs | {"availability_zone": zone})
    rds_changes.follow_storage_type(database)
    if not database.option_group_supplied:
        database.option_group_name = f"default:{engine}-{ENGINES[engine].major(database.engine_version).replace('.', '-')}"
    if database.storage_encrypted and "kms_key_id" not in db_kwargs:
        database.kms_key_id = f"arn:aws:kms:{rds.region_name}:{rds.account_id}:key/{mock_random.uuid4()}"
    database.dbi_resource_id = "db-" + "".join(mock_random.choices(string.ascii_uppercase + string.digits, k=26))
    database.status, database.lab_wanted, database.pending_modified_values = "creating", "available", {}
    database.lab_interface_id = rds_standby.interface(rds, database, subnets[zones.index(zone)]).id
    if database.multi_az:
        rds_standby.add(rds, database)
    rds_parameters.at_start(database)
    return database


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
    rds_standby.remove(rds, database)
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
    rds_parameters.at_start(database)
    return database


def _reboot(original: Callable[..., Any], rds: Any, db_instance_identifier: str, force_failover: bool = False) -> Any:
    database = original(rds, db_instance_identifier)
    if database.status != "available":
        raise RDSClientError("InvalidDBInstanceState", f"Instance cannot currently reboot: it is {database.status}.")
    if force_failover and not database.multi_az:
        raise InvalidParameterCombination("You cannot force a failover: the DB instance is not configured for Multi-AZ.")
    database.status, database.lab_wanted = "rebooting", "failover" if force_failover else "reboot"
    rds_parameters.at_start(database)
    return database


def _reboot_response(response: Any) -> Any:
    """RebootDBInstance with ForceFailover, which moto does not read."""
    force = str(response.params.get("ForceFailover", False)).lower() == "true"
    return ActionResult({"DBInstance": response.backend.reboot_db_instance(response.params["DBInstanceIdentifier"], force)})


def _describe_engine_versions(response: Any) -> Any:
    """DescribeDBEngineVersions, which moto lacks."""
    given = response.params
    return ActionResult(
        {"DBEngineVersions": rds_engines.described(given.get("Engine"), given.get("EngineVersion"), bool(given.get("DefaultOnly")))}
    )


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
    snapshot.database.availability_zone, snapshot.database.multi_az = None, False  # the new instance's own
    database = original(rds, name, asked)
    database.lab_restored_from = name
    return database


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
