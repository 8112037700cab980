"""Multi-AZ: a standby in a second availability zone, with an interface of its own, which a failover makes the primary.

RDS User Guide, "Configuring and managing a Multi-AZ deployment": the endpoint's name stays and resolves to the other address. The standby's
storage is the primary's, kept in step by AWS; here it is one directory (lab/services/databases.py).
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.models import DBInstance

from . import interfaces, rds_subnets

REQUESTER = "amazon-rds"


def install() -> None:
    DBInstance.secondary_availability_zone = None
    DBInstance.lab_standby_interface_id = None
    DBInstance.lab_side = 0  # which of the two machines is the primary's


def interface(rds: Any, database: Any, subnet: Any) -> Any:
    """A new interface of the instance in one of its subnets."""
    public = bool(database.publicly_accessible)
    return interfaces.create(_ec2(rds), subnet, database.vpc_security_group_ids, "RDSNetworkInterface", REQUESTER, public)


def add(rds: Any, database: Any) -> None:
    """Put a standby into another availability zone of the subnet group."""
    group = getattr(database, "db_subnet_group", None)
    others = [
        subnet
        for subnet in rds_subnets.subnets(rds, group.name if group else None)
        if subnet.availability_zone != database.availability_zone
    ]
    database.lab_standby_interface_id = interface(rds, database, others[0]).id
    database.secondary_availability_zone = others[0].availability_zone


def remove(rds: Any, database: Any) -> None:
    """Take the standby away, if there is one."""
    interfaces.delete(_ec2(rds), [database.lab_standby_interface_id])
    database.lab_standby_interface_id = database.secondary_availability_zone = None


def fail_over(database: Any) -> None:
    """The standby is the primary from now on, and the primary the standby."""
    database.lab_interface_id, database.lab_standby_interface_id = database.lab_standby_interface_id, database.lab_interface_id
    zones = database.secondary_availability_zone, database.availability_zone
    database.availability_zone, database.secondary_availability_zone = zones
    database.lab_side = 1 - database.lab_side


def _ec2(rds: Any) -> Any:
    return ec2_backends[rds.account_id][rds.region_name]
