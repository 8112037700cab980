"""RDS subnet groups: two availability zones at least, and none goes while an instance is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.exceptions import RDSClientError
from moto.rds.models import RDSBackend

from ._patch import wrap


def install() -> None:
    wrap(RDSBackend, "create_subnet_group")(_create_subnet_group)
    wrap(RDSBackend, "modify_db_subnet_group")(_modify_subnet_group)
    wrap(RDSBackend, "delete_subnet_group")(_delete_subnet_group)


def subnets(rds: Any, group_name: str | None) -> list[Any]:
    """The subnets of a group, or those of the default VPC."""
    if group_name:
        return list(rds.describe_db_subnet_groups(group_name.lower())[0]._subnets)
    ec2 = ec2_backends[rds.account_id][rds.region_name]
    found = [subnet for zone in ec2.subnets.values() for subnet in zone.values() if subnet.default_for_az]
    if not found:
        raise RDSClientError("DBSubnetGroupNotFoundFault", "No default subnet is available, and no DB subnet group was specified.")
    return found


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
