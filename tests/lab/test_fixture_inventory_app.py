"""The account that the stack inventory_app finds furnished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from lab.aws import nat, rds
from lab.fixtures import inventory_app
from lab.settings import ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY, Settings
from tests.lab.conftest import SESSION, Cloud

LAB = Settings("test", Path("/nowhere"))


def client(_lab: Settings, service: str, region: str) -> Any:
    return SESSION.create_client(service, region_name=region, aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY)


@pytest.fixture
def told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The account laid down; whenever the fixture waits, what it waits for comes."""
    monkeypatch.setattr(inventory_app, "client", client)
    monkeypatch.setattr(inventory_app, "ENGINE", "postgres")  # any will do: what is told here is the same for all
    monkeypatch.setattr(inventory_app.time, "sleep", lambda _seconds: what_it_waits_for_comes())
    return inventory_app.apply(LAB)


def what_it_waits_for_comes() -> None:
    for gateway in list(ec2_backends[ACCOUNT_ID][inventory_app.REGION].nat_gateways.values()):
        nat.settle(gateway)
    backend = rds_backends[ACCOUNT_ID][inventory_app.REGION]
    for database in list(backend.databases.values()):
        if database.status == "deleting":
            rds.forget(backend, database)
        else:
            database.status, database.lab_ready = "available", True


def names(found: list[dict[str, Any]]) -> list[str]:
    return sorted(next(tag["Value"] for tag in entry["Tags"] if tag["Key"] == "Name") for entry in found)


def test_the_network_is_that_of_the_reference_stack(told: dict[str, str]) -> None:
    found = inventory_app.describe(LAB)
    assert [vpc["CidrBlock"] for vpc in found["vpcs"]] == ["10.0.0.0/20"]
    assert names(found["subnets"]) == ["Private Subnet 1", "Private Subnet 2", "Public Subnet 1", "Public Subnet 2"]
    assert {subnet["AvailabilityZone"] for subnet in found["subnets"]} == {"us-west-2a", "us-west-2b"}
    (nat,) = found["NAT gateways"]
    (public,) = (subnet for subnet in found["subnets"] if names([subnet]) == ["Public Subnet 1"])
    assert nat["SubnetId"] == public["SubnetId"]
    private = next(table for table in found["route tables"] if names([table]) == ["Private Route Table"])
    assert len([association for association in private["Associations"] if association.get("SubnetId")]) == 2
    assert nat["NatGatewayId"] in [route.get("NatGatewayId") for route in private["Routes"]]


def test_the_database_is_small_private_and_open_to_the_whole_vpc(told: dict[str, str]) -> None:
    found = inventory_app.describe(LAB)
    (database,) = found["databases"]
    wanted = ("db.t3.micro", "standard", 5, False, False)
    keys = ("DBInstanceClass", "StorageType", "AllocatedStorage", "PubliclyAccessible", "MultiAZ")
    assert tuple(database[key] for key in keys) == wanted
    (group,) = found["security groups"]
    (rule,) = group["IpPermissions"]
    assert (rule["FromPort"], rule["ToPort"], [entry["CidrIp"] for entry in rule["IpRanges"]]) == (3306, 3306, ["10.0.0.0/20"])
    assert told["endpoint"] == database["Endpoint"]["Address"]


def test_nothing_carries_a_stacks_tag(told: dict[str, str]) -> None:
    found = inventory_app.describe(LAB)
    keys = {tag["Key"] for entries in found.values() for entry in entries for tag in entry.get("Tags") or entry.get("TagList") or []}
    assert keys == {"Name", "Owner"}


def test_laying_it_down_again_keeps_what_stands(told: dict[str, str]) -> None:
    before = inventory_app.describe(LAB)
    assert inventory_app.apply(LAB) == told
    assert inventory_app.describe(LAB) == before


def test_a_change_of_anything_borrowed_is_seen(told: dict[str, str]) -> None:
    before = inventory_app.describe(LAB)
    ec2 = client(LAB, "ec2", "us-west-2")
    group_id = before["security groups"][0]["GroupId"]
    rules = before["security groups"][0]["IpPermissions"]
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=rules)
    assert inventory_app.describe(LAB) != before
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=rules)
    assert inventory_app.describe(LAB) == before
    ec2.create_tags(Resources=[told["vpc_id"]], Tags=[{"Key": "Stack", "Value": "inventory_app"}])
    assert inventory_app.describe(LAB) != before


def test_it_is_taken_away_without_a_trace_and_twice_is_no_error(told: dict[str, str]) -> None:
    ec2 = client(LAB, "ec2", "us-west-2")
    inventory_app.remove(LAB)
    inventory_app.remove(LAB)
    assert [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc.get("IsDefault")] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert client(LAB, "rds", "us-west-2").describe_db_subnet_groups()["DBSubnetGroups"] == []
    assert client(LAB, "secretsmanager", "us-west-2").list_secrets()["SecretList"] == []
