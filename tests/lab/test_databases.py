from __future__ import annotations

from typing import Any

import pytest
from moto.rds.models import rds_backends

from lab.settings import ACCOUNT_ID

NAME = "uda-psql-db"


def status(cloud: Any) -> str:
    return str(cloud.rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]["DBInstanceStatus"])


@pytest.fixture(params=["postgres", "mysql"])
def available(cloud: Any, request: Any) -> Any:
    """A DB instance that is available, once on each server."""
    cloud.database(Engine=request.param)
    cloud.round()
    cloud.answer()
    cloud.round()
    assert status(cloud) == "available"
    return cloud


def test_an_instance_is_creating_without_endpoint_until_its_server_answers(cloud: Any) -> None:
    assert "Endpoint" not in cloud.database()
    cloud.round(2)
    assert status(cloud) == "creating"
    cloud.answer()
    cloud.round()
    found = cloud.rds.describe_db_instances()["DBInstances"][0]
    assert found["DBInstanceStatus"] == "available"
    assert found["Endpoint"]["Address"].startswith("uda-psql-db.c")
    assert found["Endpoint"]["Address"].endswith(".ap-northeast-1.rds.amazonaws.com")


def test_its_interface_is_in_its_subnet_group_and_follows_its_groups(available: Any) -> None:
    [interface] = available.interfaces("RDSNetworkInterface")
    assert interface["SubnetId"] in available.subnet_ids
    other = available.ec2.create_security_group(GroupName="db", Description="db", VpcId=available.vpc_id)["GroupId"]
    available.rds.modify_db_instance(DBInstanceIdentifier=NAME, VpcSecurityGroupIds=[other])
    [interface] = available.interfaces("RDSNetworkInterface")
    assert [group["GroupId"] for group in interface["Groups"]] == [other]
    address = available.rds.describe_db_instances()["DBInstances"][0]["Endpoint"]["Address"]
    assert available.services[2].names()[address].private == (interface["PrivateIpAddress"],)


def test_the_machine_gets_no_secret_in_its_files(cloud: Any) -> None:
    cloud.database()
    machine = next(machine for machine in cloud.round().machines.values() if machine.kind == "database")
    assert "one-two-three" not in "".join(machine.files.values())
    assert "one-two-three" not in " ".join(machine.command)


def test_stop_start_and_reboot_take_as_long_as_the_server_takes(available: Any) -> None:
    available.rds.stop_db_instance(DBInstanceIdentifier=NAME)
    assert status(available) == "stopping"
    available.round()
    assert status(available) == "stopped"
    available.rds.start_db_instance(DBInstanceIdentifier=NAME)
    assert status(available) == "starting"
    available.round(2)
    assert status(available) == "available"
    available.rds.reboot_db_instance(DBInstanceIdentifier=NAME)
    assert status(available) == "rebooting"
    available.round()
    assert status(available) == "available"
    assert [verb for verb, machine_id in available.engine.log if machine_id.startswith("db-") and verb != "run"] == [
        "create", "stop", "start", "restart",
    ]  # fmt: skip


def test_deleting_wants_a_decision_on_the_last_snapshot(available: Any, refused: Any) -> None:
    delete = available.rds.delete_db_instance
    assert refused(delete, DBInstanceIdentifier=NAME) == "InvalidParameterCombination"
    assert (
        refused(delete, DBInstanceIdentifier=NAME, SkipFinalSnapshot=True, FinalDBSnapshotIdentifier="x") == "InvalidParameterCombination"
    )


def test_a_last_snapshot_has_a_name_that_is_no_path(available: Any, refused: Any) -> None:
    delete = available.rds.delete_db_instance
    assert refused(delete, DBInstanceIdentifier=NAME, FinalDBSnapshotIdentifier="../../elsewhere") == "InvalidParameterValue"
    assert status(available) == "available"


def test_a_deleted_instance_is_deleting_until_its_server_is_gone(available: Any) -> None:
    available.rds.delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    assert status(available) == "deleting"
    available.round(3)
    assert available.rds.describe_db_instances()["DBInstances"] == []
    assert available.interfaces("RDSNetworkInterface") == []
    assert available.rds.describe_db_snapshots()["DBSnapshots"] == []


def test_the_last_snapshot_keeps_the_data(available: Any) -> None:
    available.rds.delete_db_instance(DBInstanceIdentifier=NAME, FinalDBSnapshotIdentifier="last")
    available.round(3)
    [snapshot] = available.rds.describe_db_snapshots()["DBSnapshots"]
    assert (snapshot["DBSnapshotIdentifier"], snapshot["Status"]) == ("last", "available")
    assert (available.settings.directory / "snapshots/last/postmaster.pid").exists()
    available.rds.delete_db_snapshot(DBSnapshotIdentifier="last")
    available.round()
    assert not (available.settings.directory / "snapshots/last").exists()


def test_deletion_protection_protects(cloud: Any, refused: Any) -> None:
    cloud.database(DeletionProtection=True)
    assert refused(cloud.rds.delete_db_instance, DBInstanceIdentifier=NAME, SkipFinalSnapshot=True) == "InvalidParameterCombination"


def test_subnet_groups_span_two_zones_and_stay_while_in_use(cloud: Any, refused: Any) -> None:
    create = cloud.rds.create_db_subnet_group
    one = {"DBSubnetGroupName": "one", "DBSubnetGroupDescription": "d", "SubnetIds": cloud.subnet_ids[:1]}
    assert refused(create, **one) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    cloud.database()
    assert refused(cloud.rds.delete_db_subnet_group, DBSubnetGroupName="database") == "InvalidDBSubnetGroupStateFault"
    third = cloud.subnet("10.0.4.0/24", "d")
    cloud.rds.modify_db_subnet_group(DBSubnetGroupName="database", SubnetIds=[*cloud.subnet_ids, third])
    assert len(cloud.rds.describe_db_subnet_groups(DBSubnetGroupName="database")["DBSubnetGroups"][0]["Subnets"]) == 3


@pytest.mark.parametrize(("asked", "got"), [(None, "15.12"), ("15", "15.12"), ("15.8", "15.8")])
def test_a_major_version_means_its_newest_minor_one(cloud: Any, asked: str | None, got: str) -> None:
    assert cloud.database(**({"EngineVersion": asked} if asked else {}))["EngineVersion"] == got


def test_the_engine_versions_are_told(cloud: Any) -> None:
    found = cloud.rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    assert [(entry["EngineVersion"], entry["DBParameterGroupFamily"]) for entry in found] == [("15.12", "postgres15")]
    assert len(cloud.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]) > 1


def test_an_instances_storage_tells_what_the_collections_module_asks_for(cloud: Any) -> None:
    found = cloud.database(StorageType="gp3")
    assert (found["Iops"], found["StorageThroughput"]) == (3000, 125)


def test_the_password_is_kept_where_only_the_lab_looks(cloud: Any) -> None:
    cloud.database()
    backend = rds_backends[ACCOUNT_ID]["ap-northeast-1"]
    assert "one-two-three" not in str(cloud.rds.describe_db_instances())
    assert backend.databases[NAME]._master_user_password == "one-two-three"  # noqa: S105 of this test


def test_other_engines_are_refused_with_what_would_do(cloud: Any) -> None:
    with pytest.raises(Exception, match="the lab runs postgres, mysql, mariadb, found 'oracle-ee'"):
        cloud.database(Engine="oracle-ee")
