"""The pure parts of the network: permissions, changes of endpoints, route tables, and what a borrowed VPC has."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible.module_utils.stack.borrowed import borrow
from ansible.module_utils.stack.endpoint_changes import changes, tag_changes
from ansible.module_utils.stack.permissions import Permission, found, ip_permission, wanted

from .test_filters import load
from .test_validate_network import lent

WEB = Permission("tcp", 5432, 5432, "sg-web")
WIDE = Permission("tcp", 5432, 5432, "10.0.0.0/20")


def test_a_rule_permits_each_of_its_sources() -> None:
    rules = [
        {"port": 5432, "group": "web", "description": "PostgreSQL"},
        {"port": 80, "protocol": "udp", "cidrs": ["10.0.0.0/8", "1.1.1.1/32"]},
    ]
    assert wanted(rules, {"web": "sg-web"}) == {
        WEB: "PostgreSQL", Permission("udp", 80, 80, "10.0.0.0/8"): "", Permission("udp", 80, 80, "1.1.1.1/32"): ""
    }  # fmt: skip


def test_a_rule_for_a_group_that_does_not_stand_permits_nobody() -> None:
    assert wanted([{"port": 5432, "group": "web"}], {}) == {}


@pytest.mark.parametrize("permission", [WEB, WIDE, Permission("-1", None, None, "10.0.0.0/8")])
def test_a_permission_is_found_again_as_ec2_tells_it(permission: Permission) -> None:
    assert found([ip_permission(permission, "said")]) == {permission}


STANDING = {
    "VpcEndpointType": "Interface", "SubnetIds": ["subnet-1", "subnet-2"], "Groups": [{"GroupId": "sg-1"}], "RouteTableIds": [],
    "PrivateDnsEnabled": True,
}  # fmt: skip


def test_an_endpoint_that_is_as_wanted_needs_no_change() -> None:
    assert changes(STANDING, ["subnet-2", "subnet-1"], ["sg-1"], [], private_dns=True) == {}


def test_an_endpoint_is_told_only_what_is_different() -> None:
    assert changes(STANDING, ["subnet-2", "subnet-3"], ["sg-1"], [], private_dns=False) == {
        "AddSubnetIds": ["subnet-3"], "RemoveSubnetIds": ["subnet-1"], "PrivateDnsEnabled": False
    }  # fmt: skip


def test_a_gateway_endpoint_has_no_private_name() -> None:
    gateway = {"VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-1"]}
    assert changes(gateway, [], [], ["rtb-1", "rtb-2"], private_dns=True) == {"AddRouteTableIds": ["rtb-2"]}


def test_tags_of_an_endpoint_are_set_and_taken_away_and_those_of_aws_stay() -> None:
    standing = {"Tags": [{"Key": key, "Value": "x"} for key in ("Name", "Stack", "Owner", "aws:cloudformation:stack-name")]}
    assert tag_changes(standing, {"Name": "x", "Stack": "uda", "Key": "files"}) == ({"Stack": "uda", "Key": "files"}, ["Owner"])
    assert tag_changes({}, {}) == ({}, [])


def test_subnets_use_the_table_that_names_them_or_their_tier() -> None:
    subnets = {key: {"tier": key.split("_")[0]} for key in ("public_1", "private_1", "private_2")}
    tables = {"public": {"tier": "public"}, "own": {"subnets": ["private_2"]}, "theirs": {"borrowed": True}}
    associations = load("network", "route_table_associations")
    assert associations(tables, subnets, {key: f"subnet-{key}" for key in subnets}, {"public": "rtb-1", "own": "rtb-2"}) == {
        "subnet-public_1": "rtb-1", "subnet-private_2": "rtb-2"
    }  # fmt: skip
    assert load("network", "route_table_tier")(tables["own"], subnets) == "private"


def test_a_default_route_leads_to_one_gateway_or_nowhere() -> None:
    routes = load("network", "route_table_routes")
    assert routes({"internet": True}, "igw-1", {}) == [{"dest": "0.0.0.0/0", "gateway_id": "igw-1"}]
    assert routes({"nat_gateway": "a"}, "igw-1", {"a": "nat-1"}) == [{"dest": "0.0.0.0/0", "gateway_id": "nat-1"}]
    assert routes({}, "igw-1", {}) == []


def named(name: str, **values: Any) -> dict[str, Any]:
    return {**values, "Tags": [{"Key": "Name", "Value": name}]}


def account() -> dict[str, list[dict[str, Any]]]:
    """What stands in the lender's account, in AWS's words."""
    subnets = {"subnet-1": ("Public Subnet 1", "a"), "subnet-2": ("Private Subnet 1", "a"), "subnet-3": ("Private Subnet 2", "c")}
    return {
        "vpcs": [named("Office", VpcId="vpc-1", CidrBlock="10.0.0.0/20")],
        "subnets": [
            named(name, SubnetId=subnet_id, CidrBlock="10.0.0.0/24", AvailabilityZone=f"ap-northeast-1{zone}")
            for subnet_id, (name, zone) in subnets.items()
        ],
        "internet_gateways": [{"InternetGatewayId": "igw-1"}],
        "route_tables": [
            {"RouteTableId": "rtb-main", "Associations": [{"Main": True}], "Routes": [{"GatewayId": "igw-1"}]},
            named("Private Route Table", RouteTableId="rtb-1", Associations=[{"Main": False, "SubnetId": "subnet-3"}], Routes=[]),
        ],
        "security_groups": [{"GroupId": "sg-0123456789abcdef0", "GroupName": "db", "IpPermissions": [ip_permission(WIDE)]}],
        "vpc_endpoints": [],
    }


def asked() -> dict[str, Any]:
    return lent() | {"stack_load_balancer_tier": "private"}  # its two subnets are in two zones


def test_a_borrowed_vpc_is_told_in_the_words_of_an_own_one() -> None:
    facts, problems = borrow(account(), asked(), {"web": "sg-web"}, {"private_2": "rtb-9"})
    assert problems == []
    assert (facts["vpc_id"], facts["vpc_cidr"], facts["igw_id"]) == ("vpc-1", "10.0.0.0/20", "igw-1")
    assert facts["subnet_ids"] == {"public": ["subnet-1"], "private": ["subnet-2", "subnet-3"]}
    assert facts["security_group_ids"] == {"web": "sg-web", "database": "sg-0123456789abcdef0"}
    assert facts["route_table_ids"] == {"private": "rtb-1", "private_2": "rtb-9"}
    assert facts["borrowed"] == {
        "security_group_ids": {"database": "sg-0123456789abcdef0"}, "former_route_table_ids": {"subnet-3": "rtb-1"}
    }  # fmt: skip


def test_what_the_stack_has_replaced_already_is_no_problem() -> None:
    standing = account()
    standing["security_groups"][0]["IpPermissions"] = [ip_permission(WEB)]
    standing["route_tables"][1]["Associations"] = []
    standing["route_tables"].append({"RouteTableId": "rtb-9", "Associations": [{"Main": False, "SubnetId": "subnet-3"}], "Routes": []})
    assert borrow(standing, asked(), {"web": "sg-web"}, {"private_2": "rtb-9"})[1] == []


def test_a_subnet_whose_own_table_is_not_wanted_any_more_is_given_back_too() -> None:
    """Also when the stack's tables are known by their ids alone, as destroy knows them."""
    standing, stack = account(), asked()
    standing["route_tables"][1]["Associations"] = []
    standing["route_tables"].append({"RouteTableId": "rtb-9", "Associations": [{"Main": False, "SubnetId": "subnet-3"}], "Routes": []})
    stack["vpc_route_tables"] = {"private": stack["vpc_route_tables"]["private"]}
    stack["vpc_nat_gateways"] = {}
    for own in ({"private_2": "rtb-9"}, {"rtb-9": "rtb-9"}):
        facts, problems = borrow(standing, stack, {"web": "sg-web"}, own)
        assert (facts["borrowed"]["former_route_table_ids"], problems) == ({"subnet-3": "rtb-1"}, [])


def lacks(change: Any) -> list[str]:
    standing, stack = account(), deepcopy(asked())
    change(standing, stack)
    return list(borrow(standing, stack, {}, {})[1])


CASES = [
    (lambda aws, stack: aws["vpcs"].clear(), "No VPC in this region and account fits tag:Name=Office. "
     "A borrowed VPC must stand: correct vpc_name or vpc_lookup, or unset vpc_borrowed"),
    (lambda aws, stack: aws["vpcs"].append(named("Office", VpcId="vpc-2")), "2 VPCs fit tag:Name=Office: vpc-1, vpc-2. "
     "Give the id of the one to borrow: vpc_lookup: {id: vpc-...}"),
    (lambda aws, stack: stack.update(vpc_lookup={"tags": {"Owner": "us"}}) or aws["vpcs"].clear(),
     "No VPC in this region and account fits tag:Owner=us. "
     "A borrowed VPC must stand: correct vpc_name or vpc_lookup, or unset vpc_borrowed"),
    (lambda aws, stack: stack.update(vpc_cidr="10.0.0.0/16"), "vpc_cidr is '10.0.0.0/16': vpc-1 has 10.0.0.0/20. Say the same, or nothing"),
    (lambda aws, stack: aws["security_groups"].clear(),
     "security_groups_map.database.id is 'sg-0123456789abcdef0': nothing in vpc-1 has it. There are: none"),
    (lambda aws, stack: aws["subnets"][2].update(AvailabilityZone="ap-northeast-1a"), "stack_database_tier is 'private': "
     "its subnets are all in ap-northeast-1a. A database needs subnets in two availability zones: add one in another"),
    (lambda aws, stack: aws["route_tables"][0].update(Routes=[]), "vpc_nat_gateways.b.subnet is 'public_1': "
     "its route table does not lead to an internet gateway. Choose a public subnet"),
    (lambda aws, stack: aws["route_tables"][1].update(Associations=[]), "vpc_subnets.private_2.route_table is 'private': "
     "subnet-3 uses the main route table, and destroy would give it another one back. "
     "Name the one that it uses, or main for none of its own"),
    (lambda aws, stack: aws["security_groups"][0].update(IpPermissions=[]), "security_groups_map.database.replaces is "
     "[{'port': 5432, 'cidrs': ['10.0.0.0/20']}]: sg-0123456789abcdef0 has no such rule, and destroy would give it one. "
     "Name rules that it has: none"),
    (lambda aws, stack: stack.update(vpc_endpoints_map={"s": {"service": "ssm"}}) or aws["vpc_endpoints"].append(
        {"VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.ap-northeast-1.ssm", "PrivateDnsEnabled": True, "State": "available"}),
     "vpc_endpoints_map.s.service is 'ssm': the VPC has an endpoint for it, vpce-1. Take it away here: that one serves the stack too"),
]  # fmt: skip


FITTING = {
    "a gateway endpoint of somebody else's, which is in no route table of the stack": lambda aws, stack: (
        stack.update(vpc_endpoints_map={"s": {"service": "s3", "type": "gateway", "route_tables": ["private_2"]}})
        or aws["vpc_endpoints"].append({"VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.ap-northeast-1.s3", "State": "available"})
    ),
    "an endpoint that has not taken the service's name": lambda aws, stack: (
        stack.update(vpc_endpoints_map={"s": {"service": "ssm"}})
        or aws["vpc_endpoints"].append(
            {"VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.ap-northeast-1.ssm", "PrivateDnsEnabled": False, "State": "available"}
        )
    ),
    "an endpoint that goes": lambda aws, stack: (
        stack.update(vpc_endpoints_map={"s": {"service": "ssm"}})
        or aws["vpc_endpoints"].append(
            {"VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.ap-northeast-1.ssm", "PrivateDnsEnabled": True, "State": "deleting"}
        )
    ),
    "a subnet that the stack's own route table is going to lead to the internet": lambda aws, stack: (
        stack["vpc_route_tables"].update(way={"name": "Way", "subnets": ["public_1"], "internet": True})
        or stack["vpc_subnets"]["public_1"].update(route_table="main")
        or aws["route_tables"][0].update(Routes=[])
    ),
}


@pytest.mark.parametrize("change", FITTING.values(), ids=list(FITTING))
def test_what_stands_beside_it_in_a_borrowed_vpc_is_no_problem(change: Any) -> None:
    assert lacks(change) == []


@pytest.mark.parametrize(("change", "message"), CASES, ids=[message[:50] for _, message in CASES])
def test_what_a_borrowed_vpc_lacks_is_told(change: Any, message: str) -> None:
    assert message in lacks(change)
