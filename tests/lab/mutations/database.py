"""What somebody could change of the database, and what it hangs on."""

from __future__ import annotations

from typing import Any

from lab.settings import ACCOUNT_ID

from ..account import Account
from .words import ELSEWHERE, Fields, Mutation, Mutations, default_group


def rds(account: Account) -> Any:
    return account.client("rds", account.region)


def subnet_group(account: Account, name: str, **changed: Any) -> None:
    """With one thing changed: the request says all of it anew."""
    (now,) = rds(account).describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
    kept = {
        "DBSubnetGroupDescription": now["DBSubnetGroupDescription"],
        "SubnetIds": [subnet["SubnetIdentifier"] for subnet in now["Subnets"]],
    }
    rds(account).modify_db_subnet_group(DBSubnetGroupName=name, **kept | changed)


def subnet_group_description(account: Account, resource_id: str, fields: Fields) -> None:
    subnet_group(account, resource_id, DBSubnetGroupDescription="Something else")


def subnet_group_subnets(account: Account, resource_id: str, fields: Fields) -> None:
    mine = [{"Name": "tag:Role", "Values": ["public"]}]
    others = [subnet["SubnetId"] for subnet in account.ec2.describe_subnets(Filters=mine)["Subnets"]]
    subnet_group(account, resource_id, SubnetIds=others)


def rds_tag(kind: str) -> Mutation:
    def tag(account: Account, resource_id: str, fields: Fields) -> None:
        arn = f"arn:aws:rds:{account.region}:{ACCOUNT_ID}:{kind}:{resource_id}"
        rds(account).add_tags_to_resource(ResourceName=arn, Tags=ELSEWHERE)

    return tag


def parameter(account: Account, resource_id: str, fields: Fields) -> None:
    group, _, name = resource_id.partition("/")
    given = {"ParameterName": name, "ParameterValue": "7", "ApplyMethod": "pending-reboot"}
    rds(account).modify_db_parameter_group(DBParameterGroupName=group, Parameters=[given])


def database(**changed: Any) -> Mutation:
    def modify(account: Account, resource_id: str, fields: Fields) -> None:
        named = {"DBInstanceIdentifier": resource_id}
        rds(account).get_waiter("db_instance_available").wait(**named, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        rds(account).modify_db_instance(**named, ApplyImmediately=True, **changed)

    return modify


def database_groups(account: Account, resource_id: str, fields: Fields) -> None:
    (found,) = rds(account).describe_db_instances(DBInstanceIdentifier=resource_id)["DBInstances"]
    other = default_group(account, found["DBSubnetGroup"]["VpcId"])
    database(VpcSecurityGroupIds=[other])(account, resource_id, fields)


def database_parameters(account: Account, resource_id: str, fields: Fields) -> None:
    rds(account).create_db_parameter_group(DBParameterGroupName="else", DBParameterGroupFamily="postgres15", Description="x")
    database(DBParameterGroupName="else")(account, resource_id, fields)


MUTATIONS: Mutations = {
    ("db_subnet_group", "description"): subnet_group_description,
    ("db_subnet_group", "subnets"): subnet_group_subnets,
    ("db_subnet_group", "tags"): rds_tag("subgrp"),
    ("db_parameter_group", "tags"): rds_tag("pg"),
    ("db_parameter", "value"): parameter,
    ("db_instance", "auto_minor_version_upgrade"): database(AutoMinorVersionUpgrade=False),
    ("db_instance", "backup_retention_period"): database(BackupRetentionPeriod=1),
    ("db_instance", "copy_tags_to_snapshot"): database(CopyTagsToSnapshot=False),
    ("db_instance", "deletion_protection"): database(DeletionProtection=True),
    ("db_instance", "instance_class"): database(DBInstanceClass="db.t3.small"),
    ("db_instance", "multi_az"): database(MultiAZ=True),
    ("db_instance", "parameter_group"): database_parameters,
    ("db_instance", "port"): database(DBPortNumber=5433),
    ("db_instance", "public"): database(PubliclyAccessible=True),
    ("db_instance", "security_groups"): database_groups,
    ("db_instance", "storage_type"): database(StorageType="gp3"),
    ("db_instance", "tags"): rds_tag("db"),
}
