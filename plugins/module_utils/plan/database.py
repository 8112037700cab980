# SPDX-License-Identifier: GPL-3.0-or-later
"""DB subnet group, parameter group with its parameters, DB instance: the role `rds`.

RDS User Guide, "Settings for DB instances", says what AWS can change on a standing instance and what that does to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import BOOLEANS_TRUE

from ..stack.aws import pages
from ..stack.database_rules import MAJORS, storage_reached, version_reached
from .model import Kind, Resource, Unknown, Version
from .normal import number, tags_of, yes

LAYER = "database"
RESTART = "the server starts anew: some minutes without a database, or a failover where there is a standby"
LATER_STARTED = "its parameters come into force with the next reboot"
REACHED = "who may reach it changes at once"
KINDS = (
    Kind("db_subnet_group", LAYER),
    Kind(
        "db_parameter_group",
        LAYER,
        frozenset({"family"}),
        replaced="a run refuses it: a family is never changed, give the group another name",
    ),
    Kind("db_parameter", LAYER, effects={"value": "in force at once if it is a dynamic one, else with the next reboot"}),
    Kind(
        "db_instance",
        LAYER,
        frozenset({"engine", "database", "username", "encrypted", "subnet_group"}),
        {
            "instance_class": RESTART,
            "engine_version": RESTART,
            "port": "the server starts anew, and clients must ask at the new port",
            "storage_type": "slower until it is copied; to and from standard also some minutes without storage",
            "allocated_storage": "slower for a while",
            "multi_az": "slower for a while",
            "backup_retention_period": "a short interruption when backups begin or end",
            "parameter_group": LATER_STARTED,
            "security_groups": REACHED,
            "public": REACHED,
        },
        reached={
            "allocated_storage": storage_reached,
            "engine_version": lambda wanted, standing: version_reached(wanted.text, standing),
        },
        waits={"parameters": "with the next reboot, which no run makes"},
        replaced="an empty database in its place: a run refuses it unless rds_replace is true, and takes a last snapshot first",
    ),
)
FORMS: dict[str, Callable[[Any], Any]] = {  # fields that are called as the role's options, without `rds_`
    "engine": str,
    "engine_version": str,
    "database": str,
    "username": str,
    "instance_class": str,
    "storage_type": str,
    "allocated_storage": number,
    "multi_az": yes,
    "backup_retention_period": number,
    "auto_minor_version_upgrade": yes,
    "deletion_protection": yes,
}
WAITING = {  # what AWS can leave to the maintenance window, by its word in PendingModifiedValues
    "DBInstanceClass": "instance_class",
    "EngineVersion": "engine_version",
    "StorageType": "storage_type",
    "AllocatedStorage": "allocated_storage",
    "MultiAZ": "multi_az",
    "BackupRetentionPeriod": "backup_retention_period",
    "Port": "port",
}
AT_ONCE = frozenset({"port"})  # of those, what AWS changes at once whatever is asked for
IN_FORCE, WAITING_FOR_REBOOT = "in force", "waiting for a reboot"  # what an instance's group says


def want_database(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `rds` makes of its arguments; of a borrowed instance only what the inventory sets."""
    identifier, given = str(arguments["rds_identifier"]), _given(arguments)
    left = set[str]() if yes(arguments["rds_apply_immediately"]) else set(WAITING.values()) - AT_ONCE
    window = frozenset({*left, "parameters"})
    if group := arguments["rds_parameter_group_name"]:
        given |= {"parameter_group": group, "parameters": IN_FORCE}
    if yes(arguments["rds_borrowed"]):
        if arguments["rds_security_group_ids"]:
            given["security_groups"] = sorted(arguments["rds_security_group_ids"])
        yield Resource("db_instance", identifier, given, identifier, borrowed=True, window=window)
        return
    yield from _groups(arguments)
    fields = {
        **_formed(arguments["__rds_unset"]),
        **given,
        "encrypted": True,
        "port": number(arguments["rds_port"]),
        "subnet_group": arguments["rds_subnet_group_name"].lower(),
        "security_groups": sorted(arguments["rds_security_group_ids"]),
        "public": False,
        "copy_tags_to_snapshot": True,
        "tags": _tags(arguments, identifier),
    }
    yield Resource("db_instance", identifier, fields, identifier, window=window)


def _groups(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    identifier, name, parameters = arguments["rds_identifier"], arguments["rds_subnet_group_name"], arguments["rds_parameter_group_name"]
    fields = {
        "description": f"Subnets of {identifier}",
        "subnets": sorted(arguments["rds_subnet_ids"]),
        "tags": _tags(arguments, name),
    }
    yield Resource("db_subnet_group", name.lower(), fields, name)  # RDS keeps names of groups in lower case
    if not parameters:
        return
    # Its description is given once and never changed by AWS; it means nothing.
    yield Resource(
        "db_parameter_group",
        parameters,
        {"family": str(arguments["rds_parameter_group_family"]), "tags": _tags(arguments, parameters)},
        parameters,
    )
    for parameter, value in {**arguments["rds_parameters"], **arguments["rds_static_parameters"]}.items():
        yield Resource("db_parameter", f"{parameters}/{parameter}", {"value": parameter_value(value)})


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the inventory sets of the instance."""
    given = _formed({name.removeprefix("rds_"): arguments[name] for name in arguments if name.startswith("rds_")})
    if isinstance(version := given.get("engine_version"), str):
        given["engine_version"] = Version(version, MAJORS.get(str(given.get("engine")), 1))
    return given


def _formed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: values[field] if isinstance(values[field], Unknown) else form(values[field])
        for field, form in FORMS.items()
        if field in values
    }


def _tags(arguments: Mapping[str, Any], name: str) -> dict[str, str]:
    return dict(arguments["rds_tags"]) | {"Name": name, "Role": "database"}


def parameter_value(value: Any) -> str:
    """A parameter's value as AWS tells it: truth as 1 and 0, and sizes in whole (10M is 10485760).

    The role's module does so for parameters of those types; here both sides are brought to it, whatever the type.
    """
    if value in BOOLEANS_TRUE or value in ("off", "no", "false", False):
        return "1" if value in BOOLEANS_TRUE else "0"
    text, units = str(value), "BKMGT"
    if text[:-1].isdigit() and text[-1] in units:
        return str(int(text[:-1]) * 1024 ** units.index(text[-1]))
    return text


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The parameters that groups set."""
    rds = clients["rds"]

    def parameter_groups() -> list[dict[str, Any]]:
        groups = [*found["parameter_groups"], *found["named_parameter_groups"]]
        return [group | {"Parameters": set_in(rds, group["DBParameterGroupName"])} for group in groups]

    return {"db_parameter_groups": parameter_groups}


def set_in(rds: Any, group: str) -> list[dict[str, Any]]:
    """The parameters that a group sets; its others are the engine's own."""
    return pages(rds, "describe_db_parameters", "Parameters", DBParameterGroupName=group, Source="user")


def found_database(found: Mapping[str, Any]) -> Iterator[Resource]:
    """What stands."""
    for group in [*found["subnet_groups"], *found["named_subnet_groups"]]:
        fields = {
            "description": group["DBSubnetGroupDescription"],
            "subnets": sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
            "tags": tags_of(group),
        }
        yield Resource("db_subnet_group", group["DBSubnetGroupName"], fields, id=group["DBSubnetGroupArn"])
    for group in found["db_parameter_groups"]:
        name = group["DBParameterGroupName"]
        fields = {"family": group["DBParameterGroupFamily"], "tags": tags_of(group)}
        yield Resource("db_parameter_group", name, fields, id=group["DBParameterGroupArn"])
        for parameter in group["Parameters"]:
            fields = {"value": parameter_value(parameter.get("ParameterValue", ""))}
            yield Resource("db_parameter", f"{name}/{parameter['ParameterName']}", fields)
    borrowed = found["borrowed_databases"]
    for instance in borrowed:
        yield _instance(instance, borrowed=True)
    for instance in [*found["databases"], *found["named_databases"]]:
        if instance not in borrowed and instance["DBInstanceStatus"] != "deleting":
            yield _instance(instance, borrowed=False)


def _instance(instance: Mapping[str, Any], *, borrowed: bool) -> Resource:
    groups = instance.get("DBParameterGroups") or [{}]
    unapplied = groups[0].get("ParameterApplyStatus") == "pending-reboot"
    fields = {
        "engine": instance["Engine"],
        "engine_version": instance["EngineVersion"],
        "database": instance.get("DBName"),
        "username": instance["MasterUsername"],
        "instance_class": instance["DBInstanceClass"],
        "storage_type": instance["StorageType"],
        "allocated_storage": instance["AllocatedStorage"],
        "encrypted": instance["StorageEncrypted"],
        "port": (instance.get("Endpoint") or {}).get("Port") or Unknown("the instance is being made"),
        "subnet_group": (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "parameter_group": groups[0].get("DBParameterGroupName"),
        "parameters": WAITING_FOR_REBOOT if unapplied else IN_FORCE,
        "security_groups": sorted(
            group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"] if group["Status"] in ("adding", "active")
        ),
        "public": instance["PubliclyAccessible"],
        "multi_az": instance["MultiAZ"],
        "backup_retention_period": instance["BackupRetentionPeriod"],
        "copy_tags_to_snapshot": instance["CopyTagsToSnapshot"],
        "auto_minor_version_upgrade": instance["AutoMinorVersionUpgrade"],
        "deletion_protection": instance["DeletionProtection"],
        "tags": tags_of(instance),
    }
    pending = {WAITING[word]: value for word, value in (instance.get("PendingModifiedValues") or {}).items() if word in WAITING}
    pending |= {"parameters": IN_FORCE} if unapplied else {}
    name = instance["DBInstanceIdentifier"]
    return Resource("db_instance", name, fields, name, instance["DBInstanceArn"], borrowed=borrowed, pending=pending)
