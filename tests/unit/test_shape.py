"""From AWS's words to facts, on values and on moto in process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from ansible.module_utils.stack.read import SERVICES, read
from ansible.module_utils.stack.shape import IDENTITY, AmbiguityError, shape
from moto import mock_aws

REGION = "ap-northeast-1"
NOTHING: dict[str, list[dict[str, Any]]] = {kind: [] for kind in IDENTITY}


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def subnet(identity: str, key: str, tier: str = "public") -> dict[str, Any]:
    return {"SubnetId": identity, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": f"{REGION}a", "Tags": tags(Key=key, Role=tier)}


def image(identity: str, created: str, **labels: str) -> dict[str, Any]:
    return {"ImageId": identity, "Name": identity, "State": "available", "CreationDate": created, "Tags": tags(**labels)}


def test_nothing_is_none_and_empty() -> None:
    facts = shape(NOTHING)
    assert facts["vpc_id"] is None
    assert facts["subnet_ids"] == {}
    assert facts["database"]["endpoint"] is None
    assert facts["load_balancer"]["dns_name"] is None
    assert facts["fleet"] == {"name": None, "instances": []}
    assert facts["resources"] == {}


def test_subnet_ids_come_by_tier_in_the_order_of_keys() -> None:
    found = {**NOTHING, "subnets": [subnet("subnet-2", "b"), subnet("subnet-1", "a"), subnet("subnet-3", "c", "private")]}
    assert shape(found)["subnet_ids"] == {"public": ["subnet-1", "subnet-2"], "private": ["subnet-3"]}


def test_two_resources_with_one_key_are_told_by_both_ids() -> None:
    found = {**NOTHING, "subnets": [subnet("subnet-2", "a"), subnet("subnet-1", "a")]}
    with pytest.raises(AmbiguityError) as refused:
        shape(found)
    assert str(refused.value) == (
        "two resources of kind subnet carry the tag Key=a: subnet-1, subnet-2. "
        "Remove the tag Stack from the one that is not the stack's, or delete it"
    )


def test_two_vpcs_are_an_error_but_not_for_who_clears_up() -> None:
    found = {**NOTHING, "vpcs": [{"VpcId": "vpc-2"}, {"VpcId": "vpc-1"}]}
    with pytest.raises(AmbiguityError, match="2 resources of kind VPC where one is expected: vpc-1, vpc-2"):
        shape(found)
    assert shape(found, strict=False)["resources"] == {"vpcs": ["vpc-1", "vpc-2"]}


def test_images_come_newest_first_with_recipe_and_verdict() -> None:
    found = {
        **NOTHING,
        "images": [image("ami-1", "2026-01-01", Recipe="aa", Verified="true"), image("ami-2", "2026-02-01", Recipe="bb")],
    }
    assert [(item["id"], item["recipe"], item["verified"]) for item in shape(found)["images"]] == [
        ("ami-2", "bb", False),
        ("ami-1", "aa", True),
    ]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield {service: boto3.client(service, region_name=REGION) for service in SERVICES}


def test_only_resources_of_the_stack_are_read(clients: dict[str, Any]) -> None:
    ec2 = clients["ec2"]
    for name in ("uda", "students"):
        specification = [{"ResourceType": "vpc", "Tags": tags(Stack=name)}]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"]["VpcId"]
        balancer_subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
            for n, zone in enumerate("ac")
        ]
        clients["elbv2"].create_load_balancer(Name=f"{name}-alb", Subnets=balancer_subnets, Tags=tags(Stack=name))
        clients["secretsmanager"].create_secret(Name=f"{name}/database", SecretString="{}", Tags=tags(Stack=name, Role="database"))
        clients["iam"].create_role(RoleName=f"{name}-web", Path=f"/{name}/", AssumeRolePolicyDocument="{}")
    facts = shape(read(clients, "uda"))
    assert facts["load_balancer"]["name"] == "uda-alb"
    assert facts["database"]["secret_name"] == "uda/database"  # noqa: S105 the secret's name
    assert facts["resources"] == {
        "vpcs": [facts["vpc_id"]],
        "load_balancers": ["uda-alb"],
        "secrets": ["uda/database"],
        "roles": ["uda-web"],
    }
