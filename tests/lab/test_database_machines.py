"""DB instances are real servers: their users log in over TCP, their rows outlive a snapshot, a failover and the lab itself."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab import lifecycle, settings
from lab.engine.podman import Podman
from lab.errors import LabError

pytestmark = pytest.mark.machines
PASSWORD, NEW_PASSWORD, USER, DATABASE = "Abcdefgh12345678", "Ijklmnop12345678", "shop_user", "shop"
CLIENTS = {  # the password comes on the first line of standard input
    "mysql": "read -r p; MYSQL_PWD=$p exec mariadb --no-defaults --batch --skip-column-names -h {host} -u {user} {database} -e {sql}",
    "postgres": "read -r p; PGPASSWORD=$p PGSSLMODE=require PGCONNECT_TIMEOUT=5 exec psql -XAtq -h {host} -U {user} {database} -c {sql}",
}
ENCRYPTED = {
    "mysql": "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'",
    "postgres": "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[settings.Settings]:
    found = settings.load("test-databases")
    lifecycle.down(found, forget=True, say=print)
    lifecycle.up(found, print)
    yield found
    lifecycle.down(found, forget=True, say=print)
    assert not list(Path("/run/netns").glob("lab-test-databases.*"))
    assert Podman(found).machines() == {}


class Databases:
    """DB instances of one engine, and a way to ask each one what its clients would ask."""

    def __init__(self, lab: settings.Settings, engine: str) -> None:
        self.lab, self.engine, self.podman = lab, engine, Podman(lab)
        self.name = f"{engine}-db"
        self.rds, self.ec2 = (
            boto3.client(
                service, region_name="us-west-2", endpoint_url=lab.endpoint_url,
                aws_access_key_id=settings.ACCESS_KEY_ID, aws_secret_access_key=settings.SECRET_ACCESS_KEY,
            )
            for service in ("rds", "ec2")
        )  # fmt: skip

    def create(self) -> None:
        vpc_id = self.ec2.create_vpc(CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"]
        subnet_ids = [
            self.ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for cidr, zone in (("10.0.2.0/23", "us-west-2a"), ("10.0.4.0/23", "us-west-2b"))
        ]
        group_id = self.ec2.create_security_group(GroupName=self.name, Description="databases", VpcId=vpc_id)["GroupId"]
        pair = {"UserIdGroupPairs": [{"GroupId": group_id}], "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 5432}
        self.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[pair])
        self.rds.create_db_subnet_group(DBSubnetGroupName=self.name, DBSubnetGroupDescription="d", SubnetIds=subnet_ids)
        self.rds.create_db_instance(
            DBInstanceIdentifier=self.name, Engine=self.engine, DBInstanceClass="db.t3.micro", StorageType="standard", AllocatedStorage=5,
            MasterUsername=USER, MasterUserPassword=PASSWORD, DBName=DATABASE, DBSubnetGroupName=self.name,
            VpcSecurityGroupIds=[group_id],
        )  # fmt: skip
        self.wait(self.name)

    def wait(self, name: str, seconds: float = 90.0) -> dict[str, Any]:
        until(lambda: bool(self.found(name)["DBInstanceStatus"] == "available"), seconds)
        return self.found(name)

    def found(self, name: str) -> dict[str, Any]:
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])

    def machine(self, name: str) -> str:
        resource = self.found(name)["DbiResourceId"].lower()
        return next(machine for machine in self.podman.machines() if machine.startswith(resource))

    def address(self, name: str) -> str:
        """What the endpoint's name resolves to, inside the VPC."""
        return self.podman.run(self.machine(name), ["getent", "ahostsv4", self.found(name)["Endpoint"]["Address"]]).split()[0]

    def ask(self, name: str, sql: str, password: str = PASSWORD, on: str | None = None) -> str:
        """What a client gets that runs on the machine of the DB instance `on` and logs in over TCP."""
        host = self.found(name)["Endpoint"]["Address"]
        command = CLIENTS[self.engine].format(host=host, user=USER, database=DATABASE, sql=shlex.quote(sql))
        return self.podman.run(self.machine(on or name), ["sh", "-c", command], stdin=password + "\n").strip()


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="module", params=["mysql", "postgres"])
def databases(request: Any, lab: settings.Settings) -> Databases:
    made = Databases(lab, request.param)
    made.create()
    made.ask(made.name, "CREATE TABLE item (id int PRIMARY KEY, name varchar(50)); INSERT INTO item VALUES (1, 'first')")
    return made


def rows(databases: Databases, name: str, password: str = PASSWORD, on: str | None = None) -> str:
    return databases.ask(name, "SELECT name FROM item ORDER BY id", password, on)


def test_the_master_user_logs_in_over_tcp_with_tls_and_his_password_alone(databases: Databases) -> None:
    assert rows(databases, databases.name) == "first"
    assert databases.ask(databases.name, ENCRYPTED[databases.engine]) == "1"
    with pytest.raises(LabError, match=r"(?i)denied|password authentication failed"):
        rows(databases, databases.name, "wrong")


def test_the_master_user_makes_databases_but_is_no_superuser(databases: Databases) -> None:
    databases.ask(databases.name, "CREATE DATABASE other")
    forbidden = {"mysql": "SET GLOBAL general_log_file = '/tmp/x'", "postgres": "COPY item TO '/tmp/x'"}[databases.engine]
    with pytest.raises(LabError, match=r"(?i)denied|must be superuser|permission"):
        databases.ask(databases.name, forbidden)


def test_the_password_is_in_no_file_and_no_process_of_the_machine(databases: Databases) -> None:
    script = "grep -rlF -f - /lab /etc /var /tmp /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true"
    found = databases.podman.run(databases.machine(databases.name), ["sh", "-c", script], stdin=PASSWORD + "\n")
    assert found.strip() == ""
    assert databases.podman.run(databases.machine(databases.name), ["sh", "-c", script], stdin="Debian\n").strip()  # what is there is found


def test_a_snapshot_keeps_the_rows_of_its_moment(databases: Databases) -> None:
    databases.rds.create_db_snapshot(DBInstanceIdentifier=databases.name, DBSnapshotIdentifier=f"{databases.engine}-first")
    waiter = {"Delay": 1, "MaxAttempts": 60}
    databases.rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier=f"{databases.engine}-first", WaiterConfig=waiter)
    databases.ask(databases.name, "INSERT INTO item VALUES (2, 'second')")
    copy = f"{databases.engine}-copy"
    databases.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=copy, DBSnapshotIdentifier=f"{databases.engine}-first", DBSubnetGroupName=databases.name,
        VpcSecurityGroupIds=[group["VpcSecurityGroupId"] for group in databases.found(databases.name)["VpcSecurityGroups"]],
    )  # fmt: skip
    databases.wait(copy)
    assert rows(databases, copy, on=databases.name) == "first"
    assert rows(databases, databases.name, on=copy) == "first\nsecond"


def test_a_new_password_replaces_the_old_one(databases: Databases) -> None:
    copy = f"{databases.engine}-copy"
    databases.rds.modify_db_instance(DBInstanceIdentifier=copy, MasterUserPassword=NEW_PASSWORD, ApplyImmediately=True)
    databases.wait(copy)
    assert rows(databases, copy, NEW_PASSWORD) == "first"
    with pytest.raises(LabError, match=r"(?i)denied|password authentication failed"):
        rows(databases, copy, PASSWORD)


def test_a_parameter_reaches_the_running_server(databases: Databases) -> None:
    name, family, show = {
        "mysql": ("max_connections", "mysql8.0", "SELECT @@global.max_connections"),
        "postgres": ("statement_timeout", "postgres15", "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'"),
    }[databases.engine]
    copy, group = f"{databases.engine}-copy", f"{databases.engine}-own"
    databases.rds.create_db_parameter_group(DBParameterGroupName=group, DBParameterGroupFamily=family, Description="own")
    databases.rds.modify_db_instance(DBInstanceIdentifier=copy, DBParameterGroupName=group, ApplyImmediately=True)
    databases.wait(copy)
    databases.rds.reboot_db_instance(DBInstanceIdentifier=copy)
    databases.wait(copy)
    parameter = {"ParameterName": name, "ParameterValue": "51000", "ApplyMethod": "immediate"}
    databases.rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[parameter])
    until(lambda: databases.ask(copy, show, NEW_PASSWORD) == "51000", 15)


def test_a_larger_class_and_more_storage_are_applied_at_once_and_keep_the_rows(databases: Databases) -> None:
    databases.rds.modify_db_instance(
        DBInstanceIdentifier=databases.name, DBInstanceClass="db.t3.small", AllocatedStorage=10, ApplyImmediately=True
    )
    found = databases.wait(databases.name)
    assert (found["DBInstanceClass"], found["AllocatedStorage"], found["PendingModifiedValues"]) == ("db.t3.small", 10, {})
    assert rows(databases, databases.name) == "first\nsecond"


def test_a_failover_moves_to_the_other_zone_and_keeps_name_and_rows(databases: Databases) -> None:
    databases.rds.modify_db_instance(DBInstanceIdentifier=databases.name, MultiAZ=True, ApplyImmediately=True)
    before = databases.wait(databases.name)
    address = databases.address(databases.name)
    began = time.monotonic()
    databases.rds.reboot_db_instance(DBInstanceIdentifier=databases.name, ForceFailover=True)
    after = databases.wait(databases.name, 60)
    assert rows(databases, databases.name, on=f"{databases.engine}-copy") == "first\nsecond"
    print(f"{databases.engine}: rows again {time.monotonic() - began:.1f} s after the failover was asked for")
    assert after["Endpoint"] == before["Endpoint"]
    assert (after["AvailabilityZone"], after["SecondaryAvailabilityZone"]) == (
        before["SecondaryAvailabilityZone"], before["AvailabilityZone"],
    )  # fmt: skip
    assert databases.address(databases.name) != address
    databases.rds.reboot_db_instance(DBInstanceIdentifier=databases.name, ForceFailover=True)
    databases.wait(databases.name, 60)
    assert databases.address(databases.name) == address
    assert rows(databases, databases.name) == "first\nsecond"


def test_rows_survive_the_labs_stop_and_start(databases: Databases) -> None:
    lifecycle.down(databases.lab, forget=False, say=print)
    lifecycle.up(databases.lab, print)
    databases.wait(databases.name)
    assert rows(databases, databases.name) == "first\nsecond"


def test_the_last_snapshot_of_a_deleted_instance_can_be_restored(databases: Databases) -> None:
    last = f"{databases.engine}-last"
    databases.rds.delete_db_instance(DBInstanceIdentifier=databases.name, FinalDBSnapshotIdentifier=last)
    databases.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=databases.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    databases.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier=databases.name, DBSnapshotIdentifier=last, DBSubnetGroupName=databases.name
    )
    databases.wait(databases.name)
    assert rows(databases, databases.name) == "first\nsecond"
