"""The role `rds` against the lab: its own DB instance, and one that is borrowed. The tests are one story, in this order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab import lifecycle, requests, settings

pytestmark = pytest.mark.machines
PROJECT = Path(__file__).resolve().parents[2]
REGION = "us-west-2"


class Account:
    """An account with a VPC, and a way to run the role in it."""

    def __init__(self, lab: settings.Settings) -> None:
        self.lab = lab
        session = boto3.session.Session(settings.ACCESS_KEY_ID, settings.SECRET_ACCESS_KEY, region_name=REGION)
        ec2, self.rds, self.secrets = (session.client(s, endpoint_url=lab.endpoint_url) for s in ("ec2", "rds", "secretsmanager"))
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"]
        self.subnet_ids = [
            ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for cidr, zone in (("10.0.2.0/23", "us-west-2a"), ("10.0.4.0/23", "us-west-2b"))
        ]
        self.group_id = ec2.create_security_group(GroupName="database", Description="d", VpcId=vpc_id)["GroupId"]

    def run(self, *arguments: str, **variables: Any) -> str:
        """Run the role with these arguments; the output, whether it went well or not."""
        playbook = str(Path(sys.executable).with_name("ansible-playbook"))
        environment = os.environ | self.lab.environment() | {
            "AWS_ACCESS_KEY_ID": settings.ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": settings.SECRET_ACCESS_KEY, "AWS_REGION": REGION,
            "ANSIBLE_NOCOLOR": "1",
        }  # fmt: skip
        done = subprocess.run(
            [playbook, "tests/lab/database_role.yml", "-i", "localhost,", "-e", json.dumps(variables), *arguments],
            cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def own(self, *arguments: str, **variables: Any) -> str:
        given = {"rds_subnet_ids": self.subnet_ids, "rds_security_group_ids": [self.group_id]}
        return self.run(*arguments, **OWN | given | variables)

    def found(self, name: str) -> dict[str, Any]:
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])


OWN = {
    "rds_identifier": "shop-db", "rds_engine": "mysql", "rds_engine_version": "8.0", "rds_database": "shop", "rds_username": "shop_admin",
    "rds_storage_type": "standard", "rds_subnet_group_name": "shop", "rds_secret_name": "shop/database", "rds_wait_delay": 1,
    "rds_parameter_group_name": "shop", "rds_parameter_group_family": "mysql8.0", "rds_parameters": {"max_connections": 60},
    "rds_tags": {"Stack": "shop"},
}  # fmt: skip
BORROWED = {"rds_borrowed": True, "rds_identifier": "inventory-db", "rds_wait_delay": 1}


def changed(output: str) -> int:
    assert "failed=0" in output, output[-4000:]
    return int(output.rsplit("changed=", 1)[1].split()[0])


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    lab = settings.load("test-database-role")
    lifecycle.down(lab, forget=True, say=print)
    lifecycle.up(lab, print)
    yield Account(lab)
    lifecycle.down(lab, forget=True, say=print)


def quiet(account: Account, run: Any, **variables: Any) -> None:
    """A second run changes nothing and sends no mutating request."""
    since = time.time()
    assert changed(run(**variables)) == 0
    assert list(requests.read(account.lab.request_log, mutating=True, since=since, source="controller")) == []


def test_it_makes_an_encrypted_private_instance_and_shows_its_password_nowhere(account: Account) -> None:
    output = account.own("-vvvv", rds_allocated_storage=5)
    assert changed(output) > 0
    instance = account.found("shop-db")
    assert (instance["Engine"], instance["Endpoint"]["Port"], instance["AllocatedStorage"]) == ("mysql", 3306, 5)
    assert (instance["StorageEncrypted"], instance["PubliclyAccessible"], instance["MultiAZ"]) == (True, False, False)
    assert instance["DBParameterGroups"][0] == {"DBParameterGroupName": "shop", "ParameterApplyStatus": "in-sync"}
    assert json.loads(account.secrets.get_secret_value(SecretId="shop/database")["SecretString"])["password"] not in output


def test_a_second_run_is_quiet(account: Account) -> None:
    quiet(account, account.own, rds_allocated_storage=5)


def test_class_storage_and_a_standby_are_one_variable_each(account: Account) -> None:
    wanted = {"rds_allocated_storage": 10, "rds_instance_class": "db.t4g.small", "rds_multi_az": True}
    assert changed(account.own(**wanted)) > 0
    instance = account.found("shop-db")
    assert (instance["AllocatedStorage"], instance["DBInstanceClass"], instance["MultiAZ"]) == (10, "db.t4g.small", True)
    assert (instance["DBInstanceStatus"], instance["PendingModifiedValues"]) == ("available", {})
    quiet(account, account.own, **wanted)


def test_what_may_wait_is_said_and_applied_later_when_asked(account: Account) -> None:
    wanted = {"rds_allocated_storage": 10, "rds_instance_class": "db.t4g.medium", "rds_multi_az": True}
    day = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    window = f"{day}:10:00-{day}:10:30"  # not now
    account.rds.modify_db_instance(DBInstanceIdentifier="shop-db", PreferredMaintenanceWindow=window)
    output = account.own(**wanted, rds_apply_immediately=False)
    assert f"waits for its maintenance window {window}" in " ".join(output.split())
    assert "db_instance_class: db.t4g.small -> db.t4g.medium" in " ".join(output.split())
    quiet(account, account.own, **wanted, rds_apply_immediately=False)
    assert account.found("shop-db")["DBInstanceClass"] == "db.t4g.small"
    assert changed(account.own(**wanted)) == 1
    assert account.found("shop-db")["DBInstanceClass"] == "db.t4g.medium"


def test_what_cannot_be_changed_is_refused_with_the_reason(account: Account) -> None:
    output = " ".join(account.own(rds_allocated_storage=5).split())
    assert "rds_allocated_storage is 5, the DB instance has 10 GiB" in output
    assert account.found("shop-db")["AllocatedStorage"] == 10


def test_a_replacement_that_is_asked_for_keeps_the_data_as_a_snapshot(account: Account) -> None:
    before = account.found("shop-db")["DbiResourceId"]
    assert changed(account.own(rds_allocated_storage=5, rds_replace=True)) > 0
    assert account.found("shop-db")["DbiResourceId"] != before
    [snapshot] = account.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"].startswith("shop-db-replaced-")
    assert snapshot["Status"] == "available"


def test_another_major_version_is_an_upgrade_with_a_parameter_group_of_its_family(account: Account) -> None:
    before = account.found("shop-db")["DbiResourceId"]
    wanted = {"rds_allocated_storage": 5, "rds_engine_version": "8.4"}
    wanted |= {"rds_parameter_group_name": "shop84", "rds_parameter_group_family": "mysql8.4"}
    assert changed(account.own(**wanted)) > 0
    instance = account.found("shop-db")
    assert (instance["DbiResourceId"], instance["EngineVersion"]) == (before, "8.4.6")
    assert instance["DBParameterGroups"][0]["DBParameterGroupName"] == "shop84"
    quiet(account, account.own, **wanted)
    account.rds.modify_db_instance(DBInstanceIdentifier="shop-db", AutoMinorVersionUpgrade=False)
    quiet(account, account.own, **wanted, rds_auto_minor_version_upgrade=False)


def test_a_minor_version_that_aws_has_moved_on_to_is_left(account: Account) -> None:
    wanted = {"rds_allocated_storage": 5, "rds_engine_version": "8.4.5", "rds_auto_minor_version_upgrade": False}
    wanted |= {"rds_parameter_group_name": "shop84", "rds_parameter_group_family": "mysql8.4"}
    quiet(account, account.own, **wanted)


def test_an_instance_to_borrow_must_be_there(account: Account) -> None:
    output = " ".join(account.run(**BORROWED).split())
    assert "There is no DB instance inventory-db to borrow" in output


def test_a_borrowed_instance_is_changed_in_what_is_set_alone(account: Account) -> None:
    account.rds.create_db_instance(
        DBInstanceIdentifier="inventory-db", Engine="mysql", DBInstanceClass="db.t3.micro", StorageType="standard", AllocatedStorage=5,
        MasterUsername="dbadmin", MasterUserPassword="Abcdefgh12345678", DBName="inventory", DBSubnetGroupName="shop",
        VpcSecurityGroupIds=[account.group_id], BackupRetentionPeriod=3, Tags=[{"Key": "Name", "Value": "somebody's"}],
    )  # fmt: skip
    waiter = {"Delay": 1, "MaxAttempts": 60}
    account.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="inventory-db", WaiterConfig=waiter)
    before = account.found("inventory-db")
    quiet(account, account.run, **BORROWED)
    assert changed(account.run(**BORROWED, rds_multi_az=True)) == 1
    after = account.found("inventory-db")
    differs = {key for key in before | after if before.get(key) != after.get(key)} - {"LatestRestorableTime"}
    assert differs == {"MultiAZ", "SecondaryAvailabilityZone"}
    challenge = {"rds_instance_class": "db.t3.small", "rds_allocated_storage": 10}
    assert changed(account.run(**BORROWED, **challenge)) == 1
    found = account.found("inventory-db")
    assert (found["DBInstanceClass"], found["AllocatedStorage"], found["PendingModifiedValues"]) == ("db.t3.small", 10, {})
    quiet(account, account.run, **BORROWED, **challenge)


def test_a_borrowed_instance_gets_back_what_it_had_and_keeps_its_storage(account: Account) -> None:
    absent = BORROWED | {"rds_state": "absent", "rds_former": {"instance_class": "db.t3.micro", "multi_az": False}}
    assert changed(account.run(**absent)) == 1
    found = account.found("inventory-db")
    assert (found["DBInstanceClass"], found["MultiAZ"], found["AllocatedStorage"]) == ("db.t3.micro", False, 10)
    assert (found["DBInstanceStatus"], found["PendingModifiedValues"]) == ("available", {})
    quiet(account, account.run, **absent)


def test_a_borrowed_instance_is_never_deleted(account: Account) -> None:
    since = time.time()
    assert changed(account.run(**BORROWED, rds_state="absent")) == 0
    assert list(requests.read(account.lab.request_log, mutating=True, since=since, source="controller")) == []
    assert account.found("inventory-db")["DBInstanceStatus"] == "available"


def test_absent_keeps_a_last_snapshot_and_takes_the_groups(account: Account) -> None:
    account.rds.delete_db_instance(DBInstanceIdentifier="inventory-db", SkipFinalSnapshot=True)
    account.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="inventory-db", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    account.own(rds_state="absent", rds_parameter_group_name="shop84")
    assert account.rds.describe_db_instances()["DBInstances"] == []
    assert account.rds.describe_db_subnet_groups()["DBSubnetGroups"] == []
    names = [group["DBParameterGroupName"] for group in account.rds.describe_db_parameter_groups()["DBParameterGroups"]]
    assert [name for name in names if not name.startswith("default.")] == ["shop"]  # of the version before, which it is not told of
    kept = [snapshot["DBSnapshotIdentifier"] for snapshot in account.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]]
    assert [name for name in kept if name.startswith("shop-db-final-")] != []
