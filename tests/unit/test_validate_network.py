"""Wrong networks, told by variable, value and remedy: NAT gateways, route tables, endpoints, and VPCs that are borrowed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible.module_utils.stack.validate import validate

from .wanted import replaced, wanted

HTTPS = {"port": 443, "cidrs": ["10.0.0.0/16"]}


def grown() -> dict[str, Any]:
    """The reference stack with a NAT gateway for each zone of its private tier and both kinds of endpoint."""
    result = wanted()
    result["vpc_nat_gateways"] = {"a": {"name": "nat-a", "subnet": "public_1"}, "c": {"name": "nat-c", "subnet": "public_2"}}
    result["vpc_route_tables"] = {
        "public": {"name": "public", "tier": "public", "internet": True},
        "private_1": {"name": "private-1", "subnets": ["private_1"], "nat_gateway": "a"},
        "private_2": {"name": "private-2", "subnets": ["private_2"], "nat_gateway": "c"},
    }
    result["security_groups_map"]["endpoints"] = {"name": "endpoints", "description": "HTTPS from the VPC", "ingress": [HTTPS]}
    result["vpc_endpoints_map"] = {
        "secrets": {"name": "secrets", "service": "secretsmanager", "tier": "private", "security_group": "endpoints"},
        "files": {"name": "files", "service": "s3", "type": "gateway", "route_tables": ["private_1", "private_2"]},
    }
    return result


def lent() -> dict[str, Any]:
    """A stack in a borrowed VPC, with a route table and a NAT gateway of its own and a borrowed group."""
    result = wanted()
    for name in ("vpc_cidr", "vpc_internet_gateway_name"):
        del result[name]
    result |= {
        "vpc_borrowed": True,
        "vpc_name": "Office",
        "vpc_subnets": {
            "public_1": {"name": "Public Subnet 1", "tier": "public"},
            "private_1": {"name": "Private Subnet 1", "tier": "private"},
            "private_2": {"name": "Private Subnet 2", "tier": "private", "route_table": "private"},
        },
        "vpc_nat_gateways": {"b": {"name": "my-nat-gateway", "subnet": "public_1"}},
        "vpc_route_tables": {
            "private": {"borrowed": True, "name": "Private Route Table"},
            "private_2": {"name": "Private Route Table 2", "subnets": ["private_2"], "nat_gateway": "b"},
        },
    }
    result["security_groups_map"]["database"] = {
        "borrowed": True, "id": "sg-0123456789abcdef0",
        "ingress": [{"port": 5432, "group": "web"}], "replaces": [{"port": 5432, "cidrs": ["10.0.0.0/20"]}],
    }  # fmt: skip
    return result


@pytest.mark.parametrize("stack", [grown, lent])
def test_right_ones_are_right(stack: Any) -> None:
    assert validate(stack()) == []


def test_one_nat_gateway_for_all_and_none_are_right() -> None:
    one = grown()
    del one["vpc_nat_gateways"]["c"]
    one["vpc_route_tables"]["private_2"]["nat_gateway"] = "a"
    assert validate(one) == []


def test_a_bastion_stands_in_a_tier_that_has_subnets() -> None:
    group = {"name": "bastion", "description": "SSH from the operator", "ingress": [{"port": 22, "cidrs": ["203.0.113.10/32"]}]}
    stack = replaced(wanted(), "security_groups_map.bastion", group) | {"stack_bastion_tier": "edge"}
    assert validate(stack) == []
    told = "stack_bastion_tier is 'edge': no subnet in vpc_subnets is of this tier. Choose one of private, public"
    assert validate(stack | {"stack_bastion": True}) == [told]
    assert validate(stack | {"stack_bastion": True, "stack_bastion_tier": "public"}) == []


def test_a_third_tier_without_a_way_out_is_right() -> None:
    third = grown()
    for number, key in enumerate(("private_1", "private_2"), 1):
        third["vpc_subnets"][f"database_{number}"] = third["vpc_subnets"][key] | {"cidr": f"10.0.9{number}.0/24", "tier": "database"}
    third["vpc_route_tables"]["database"] = {"name": "database", "tier": "database"}
    assert validate(third | {"stack_database_tier": "database"}) == []


NAT, TABLES, ENDPOINTS = "vpc_nat_gateways.a", "vpc_route_tables", "vpc_endpoints_map"
GROUPS = "database, endpoints, load_balancer, web"
WRONG = [
    (f"{NAT}.subnet", "private_1", f"{NAT}.subnet is 'private_1': its route table does not lead to the internet gateway. "
     "Choose a public one: public_1, public_2"),
    (f"{NAT}.subnet", "public_9", f"{NAT}.subnet is 'public_9': no such subnet in vpc_subnets. "
     "Choose one of private_1, private_2, public_1, public_2"),
    (f"{NAT}.subnet", None, f"{NAT}: missing required arguments: subnet"),
    ("vpc_nat_gateways.c.subnet", "public_1", "vpc_nat_gateways.c.subnet is 'public_1': vpc_nat_gateways.a is in ap-northeast-1a already. "
     "Keep one for each availability zone"),
    (f"{TABLES}.private_2.nat_gateway", "b", f"{TABLES}.private_2.nat_gateway is 'b': no such gateway in vpc_nat_gateways. "
     "Choose one of a, c"),
    (f"{TABLES}.private_2.nat_gateway", "a", "vpc_nat_gateways.c costs money and serves nobody: no route table has nat_gateway: c. "
     "Set it in vpc_route_tables, or take the gateway away"),
    (f"{TABLES}.private_2.internet", True, f"{TABLES}.private_2.nat_gateway is 'c': the table leads to the internet gateway already. "
     "Keep one of internet and nat_gateway"),
    (f"{TABLES}.private_2.subnets", ["private_9"], f"{TABLES}.private_2.subnets is 'private_9': no such subnet in vpc_subnets. "
     "Choose from private_1, private_2, public_1, public_2"),
    (f"{TABLES}.private_2.subnets", ["private_1"], f"{TABLES}.private_2.subnets is ['private_1']: "
     "vpc_route_tables.private_1 serves the subnet private_1 already. Keep one route table for each subnet"),
    (f"{TABLES}.private_2.tier", "private", f"{TABLES}.private_2 is {{'tier': 'private', 'subnets': ['private_2']}}: "
     "a route table serves a tier or some subnets. Give exactly one of them"),
    (f"{TABLES}.private_2.subnets", None, f"{TABLES}.private_2 is {{'tier': None, 'subnets': None}}: "
     "a route table serves a tier or some subnets. Give exactly one of them"),
    (f"{TABLES}.theirs", {"borrowed": True, "name": "Theirs"}, f"{TABLES}.theirs.borrowed is True: the VPC is the stack's own. "
     "Take it away, or set vpc_borrowed: true"),
    ("vpc_lookup", {"id": "vpc-0123456789abcdef0"}, "vpc_lookup is {'id': 'vpc-0123456789abcdef0'}: the stack makes a VPC of its own. "
     "Take it away, or set vpc_borrowed: true"),
    (f"{ENDPOINTS}.secrets.service", "secretmanager", f"{ENDPOINTS}.secrets.service is 'secretmanager': "
     "no service that has interface endpoints here. Did you mean secretsmanager?"),
    (f"{ENDPOINTS}.files.service", "sqs", f"{ENDPOINTS}.files.service is 'sqs': no service that has gateway endpoints here. "
     "Choose one of dynamodb, s3"),
    (f"{ENDPOINTS}.secrets.type", "both", f"{ENDPOINTS}.secrets: value of type must be one of: interface, gateway, got: both"),
    (f"{ENDPOINTS}.secrets.security_group", None, f"{ENDPOINTS}.secrets.security_group is None: "
     "an interface endpoint needs a security group of security_groups_map. "
     f"Choose one of {GROUPS}, or describe one that lets in 443 from the VPC"),
    (f"{ENDPOINTS}.secrets.security_group", "web", f"{ENDPOINTS}.secrets.security_group is 'web': "
     "it lets in nothing on port 443, so nobody would reach the endpoint. "
     "Add to security_groups_map.web.ingress a rule with port: 443 from the VPC's addresses"),
    (f"{ENDPOINTS}.secrets.tier", "isolated", f"{ENDPOINTS}.secrets.tier is 'isolated': "
     "an interface endpoint stands in the subnets of a tier of vpc_subnets. Choose one of private, public"),
    ("vpc_subnets.private_2.az", "ap-northeast-1c", f"{ENDPOINTS}.secrets.tier is 'private': "
     "two of its subnets are in ap-northeast-1c, and AWS takes one for each availability zone. Use a tier with one subnet in a zone"),
    (f"{ENDPOINTS}.secrets.route_tables", ["private_1"], f"{ENDPOINTS}.secrets.route_tables is ['private_1']: "
     "an interface endpoint has none. Take them away, or set type: gateway"),
    (f"{ENDPOINTS}.files.route_tables", None, f"{ENDPOINTS}.files.route_tables is None: a gateway endpoint serves nobody without them. "
     "Choose from private_1, private_2, public"),
    (f"{ENDPOINTS}.files.route_tables", ["main"], f"{ENDPOINTS}.files.route_tables is 'main': no such route table in vpc_route_tables. "
     "Choose from private_1, private_2, public"),
    (f"{ENDPOINTS}.files.security_group", "web", f"{ENDPOINTS}.files.security_group is 'web': a gateway endpoint has none. "
     "Take it away, or set type: interface"),
    (f"{ENDPOINTS}.more", {"name": "m", "service": "secretsmanager", "tier": "private", "security_group": "endpoints"},
     f"{ENDPOINTS}.more.service is 'secretsmanager': {ENDPOINTS}.secrets serves secretsmanager's name already. Keep one of them"),
    (f"{ENDPOINTS}.more", {"name": "m", "service": "s3", "type": "gateway", "route_tables": ["private_1"]},
     f"{ENDPOINTS}.more.service is 's3': {ENDPOINTS}.files serves s3 in the route table private_1 already. Keep one of them"),
]  # fmt: skip

DATABASE = "security_groups_map.database"
WRONG_LENT = [
    ("vpc_name", None, "vpc_borrowed is True, but nothing says which VPC. Set vpc_name to its tag Name, or vpc_lookup to its id or tags"),
    ("vpc_lookup", {"id": "Office"}, "vpc_lookup.id is 'Office': no id of a VPC. Use a form such as vpc-0123456789abcdef0"),
    ("vpc_lookup", {"name": "Office"}, "vpc_lookup is {'name': 'Office'}: not one of id and tags. Use {id: vpc-...} or {tags: {...}}"),
    ("vpc_internet_gateway_name", "igw", "vpc_internet_gateway_name is 'igw': a borrowed VPC keeps its own gateway. Take it away"),
    ("vpc_cidr", "10.0.0.1/20", "vpc_cidr is '10.0.0.1/20': the address has bits beyond its prefix. Did you mean 10.0.0.0/20?"),
    ("vpc_subnets.public_1.name", None, "vpc_subnets.public_1 is {'id': None, 'name': None}: "
     "something borrowed is found by one of id and name. Give exactly one of them"),
    ("vpc_subnets.public_1.cidr", "10.0.0.0/24", "vpc_subnets.public_1: cidr. Supported parameters include: id, name, route_table, tier."),
    ("vpc_subnets.private_2.route_table", None, "vpc_subnets.private_2.route_table is not set, and destroy must give one back. "
     "Name a borrowed one of vpc_route_tables (private), or main for the VPC's main one"),
    ("vpc_subnets.private_2.route_table", "private_2", "vpc_subnets.private_2.route_table is 'private_2': no borrowed route table. "
     "Name a borrowed one of vpc_route_tables (private), or main for the VPC's main one"),
    ("stack_database_tier", "isolated",
     "stack_database_tier is 'isolated': no subnet in vpc_subnets is of this tier. Choose one of private, public"),
    (f"{TABLES}.private.name", None, f"{TABLES}.private is {{'id': None, 'name': None}}: "
     "something borrowed is found by one of id and name. Give exactly one of them"),
    ("vpc_endpoints_map", {"files": {"name": "f", "service": "s3", "type": "gateway", "route_tables": ["private"]}},
     "vpc_endpoints_map.files.route_tables is 'private': a borrowed route table is not changed. Choose from private_2"),
    (f"{DATABASE}.name", "db", f"{DATABASE} is {{'id': 'sg-0123456789abcdef0', 'name': 'db'}}: "
     "something borrowed is found by one of id and name. Give exactly one of them"),
    (f"{DATABASE}.ingress", [], f"{DATABASE}.replaces is [{{'port': 5432, 'cidrs': ['10.0.0.0/20'], 'description': '', "
     "'protocol': 'tcp', 'group': None}]: nothing takes the place of it. Say in ingress who may come instead"),
    (f"{DATABASE}.ingress.0.group", "app", f"{DATABASE}.ingress[0].group is 'app': no such group in security_groups_map. "
     "Choose one of database, load_balancer, web"),
    (f"{DATABASE}.egress", [], f"{DATABASE}: egress. Supported parameters include: borrowed, id, ingress, name, replaces."),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[f"{path}={value}"[:60] for path, value, _ in WRONG])
def test_a_wrong_network_is_told(path: str, value: Any, message: str) -> None:
    assert message in validate(replaced(deepcopy(grown()), path, value))


@pytest.mark.parametrize(("path", "value", "message"), WRONG_LENT, ids=[f"{path}={value}"[:60] for path, value, _ in WRONG_LENT])
def test_a_wrong_borrowed_network_is_told(path: str, value: Any, message: str) -> None:
    assert message in validate(replaced(deepcopy(lent()), path, value))


def test_a_group_is_borrowed_only_together_with_its_vpc() -> None:
    stack = wanted()
    stack["security_groups_map"]["database"] = lent()["security_groups_map"]["database"]
    assert f"{DATABASE}.borrowed is True: the VPC is the stack's own. Take it away, or set vpc_borrowed: true" in validate(stack)
