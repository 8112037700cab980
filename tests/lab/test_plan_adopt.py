"""playbooks/adopt.yml on the lab's API, without machines: it lists, adopts and removes what the plan has found, and nothing unless named.

So it is with the saved plan, which is refused once the world has moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.utils.vars import merge_hash

from tests.unit.wanted import wanted

from .conftest import Cloud
from .mutations.identity import ANYTHING
from .mutations.network import ingress
from .test_plan import Planned
from .test_plan_identity import REGION

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(1200)]

LAYERS = ("network", "security", "identity")


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    (tmp_path / "account").mkdir()
    made = Planned(tmp_path / "account", "uda", REGION)
    yield made
    made.close()


def printed_lines(output: str) -> dict[str, Any]:
    """The YAML that is printed."""
    printed = output[output.index("# Merge into") :].split("\nok: ")[0].split("\nTASK")[0]
    return dict(yaml.safe_load(printed))


def strange(account: Planned) -> dict[str, str]:
    """Strangers' things in and on the stack; their ids."""
    ids = account.ids()
    vpc, web, table = ids["vpc", "vpc"], ids["security_group", "web"], ids["route_table", "private"]
    ingress(account, web, {})
    for way, port in (("ingress", 8080), ("egress", 25)):
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "198.51.100.0/24", "Description": "mine"}]}
        getattr(account.ec2, f"authorize_security_group_{way}")(GroupId=web, IpPermissions=[rule])
    gateway = ids["internet_gateway", "internet_gateway"]
    for destination in ("0.0.0.0/0", "198.51.100.0/24"):
        account.ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination, GatewayId=gateway)
    role = next(key for kind, key in ids if kind == "role")
    arn = account.iam.create_policy(PolicyName="AdministratorAccess", PolicyDocument=json.dumps(ANYTHING))["Policy"]["Arn"]
    account.iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    account.iam.put_role_policy(RoleName=role, PolicyName="strangers", PolicyDocument=json.dumps(ANYTHING))
    group = account.ec2.create_security_group(GroupName="Back office", Description="somebody else's", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": web}]}
    account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    subnet = account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="ap-northeast-1a")["Subnet"]["SubnetId"]
    other = account.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    endpoint = account.ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table])
    endpoint_id = endpoint["VpcEndpoint"]["VpcEndpointId"]
    return {"role": role, "arn": arn, "security_group": group, "subnet": subnet, "route_table": other, "vpc_endpoint": endpoint_id}


def test_what_is_found_is_listed_adopted_or_removed_by_name_and_stops_who_follows_a_saved_plan(account: Planned, tmp_path: Path) -> None:
    keys, saved = {"stack_ssh_key_file": str(tmp_path / "key")}, {"plan_file": str(tmp_path / "saved.json")}
    account.must(keys | saved, *LAYERS, "plan")
    follow = {"plan_saved": saved["plan_file"]}
    ids = strange(account)
    rules = [f"rule/web/{way}" for way in ("ingress/tcp/22/0.0.0.0/0", "ingress/tcp/8080/198.51.100.0/24", "egress/tcp/25/198.51.100.0/24")]
    routes = ["route/private/0.0.0.0/0", "route/private/198.51.100.0/24"]
    policies = [f"policy/{ids['role']}/{name}" for name in ("AdministratorAccess", "strangers")]
    whole = [f"{kind}/{ids[kind]}" for kind in ("security_group", "subnet", "route_table", "vpc_endpoint")]

    account.mutations()
    listed = account.play(keys | follow, "adopt", "plan")
    assert account.failed
    assert "security_group uda_sg_web: nothing was planned, now update" in listed
    assert [name for name in (*rules, *routes, *policies, *whole) if name not in listed] == []
    assert account.mutations() == []

    adopted = [rules[1], routes[0], policies[0], *(ids[kind] for kind in ("security_group", "subnet", "vpc_endpoint"))]
    lines = printed_lines(account.must(keys | {"adopt": adopted}, "adopt"))
    assert set(account.mutations()) == {"CreateTags"}
    inventory = json.loads(json.dumps(wanted("uda")))  # plain strings
    merged = merge_hash({name: inventory[name] for name in lines if name in inventory}, lines, list_merge="append")
    plan = account.plan(**keys, **merged)
    assert [(change["kind"], change["key"]) for change in plan["changes"] if change["action"] == "foreign"] == [
        ("route_table", ids["route_table"])
    ]
    left = {
        (change["kind"], field["field"]): field["old"]
        for change in plan["changes"]
        if change["action"] == "update"
        for field in change["fields"]
        if field["field"] in ("ingress", "egress", "routes", "managed_policies")
    }
    assert {words for field, old in left.items() if field[1] == "ingress" for words in old} >= {"tcp 22 0.0.0.0/0"}
    assert ("role", "managed_policies") not in left

    account.must(keys | {"remove": rules[0]}, "adopt")
    assert account.mutations() == ["RevokeSecurityGroupIngress"]
    rest = [*rules[1:], *routes, *policies, *(ids[kind] for kind in ("security_group", "subnet", "route_table", "vpc_endpoint"))]
    account.must(keys | follow | {"remove": rest}, "adopt", "plan")  # the plan of before holds again
