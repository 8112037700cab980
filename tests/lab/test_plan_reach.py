"""Who reaches whom as AWS tells it: a reference stack made in moto, opened by hand, and a stack in a VPC that it borrows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.plan.facts import coming
from ansible.module_utils.plan.families import find, want
from ansible.module_utils.plan.model import LATER, Resource
from ansible.module_utils.stack.read import SERVICES
from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from lab.aws import nat
from lab.fixtures import inventory_app
from lab.settings import ACCOUNT_ID, Settings
from plugins.action import stack_plan
from plugins.modules.stack_info import facts_of
from tests.lab.conftest import Cloud
from tests.unit.called import called
from tests.unit.wanted import wanted

ROLES = ("vpc", "security_groups", "vpc_endpoints", "rds", "alb", "bastion", "launch_template", "asg", "ecs")
Ids = dict[str, str]


class Stack:
    """A stack's variables and the account that it is in."""

    def __init__(self, cloud: Cloud, name: str, region: str) -> None:
        self.name, self.region, self.variables = name, region, wanted(name)
        self.variables |= {"stack_deploy_bucket": f"{name}-deploy", "stack_parameters_path": f"/{name}"}  # those that others would tell
        self._wants: tuple[list[str], list[Resource]] = ([], [])
        self.clients = {service: cloud.client(service, region) for service in SERVICES}

    def traced(self) -> dict[str, Any]:
        """As stack_plan traces it, out of what stack_info reads."""
        module = SimpleNamespace(
            params={"name": self.name, "wanted": self.variables, "strict": True, "details": True, "live": False}, fail_json=refuse
        )
        told = json.loads(json.dumps(facts_of(module, self.clients), default=str))
        action = stack_plan.ActionModule.__new__(stack_plan.ActionModule)
        action.wanted = self.variables
        ids = sorted(told["resources"])
        if self._wants[0] != ids or not ids:  # it takes seconds, and hangs on what stands alone
            self._wants = ids, want(called(self.name, told, ROLES))
        seen = stack_plan.Seen(self._wants[1], find(told["found"]), [], told, coming(told, self.variables))
        result: dict[str, Any] = action.reachability(seen, removing=False)
        return result


def refuse(msg: str) -> None:
    raise AssertionError(msg)


def broken(traced: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["side"], one["from"], one["to"]) for one in traced["broken"]]


def reasons(traced: Mapping[str, Any], source: str, target: str) -> dict[str, str]:
    return {one["side"]: one["reason"] for one in traced["answers"] if (one["from"], one["to"]) == (source, target)}


def permissions(rules: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rules in AWS's words."""
    result = []
    for rule in rules:
        protocol, *port, peer = rule.split(" ")
        source = {"UserIdGroupPairs": [{"GroupId": peer}]} if peer.startswith("sg-") else {"IpRanges": [{"CidrIp": peer}]}
        ports = {"FromPort": int(port[0]), "ToPort": int(port[0])} if port else {}
        result.append({"IpProtocol": "-1" if protocol == "all" else protocol, **ports, **source})
    return result


def make(stack: Stack) -> Ids:
    """The stack's network, groups, database, load balancer and fleet, with the fields that their roles want; ids by their promises."""
    ec2, rds, elbv2 = (stack.clients[name] for name in ("ec2", "rds", "elbv2"))
    ids: Ids = {}

    def tags(item: Resource, kind: str) -> dict[str, Any]:
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": listed(item)}]}

    def listed(item: Resource) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in item.fields["tags"].items()]

    def gateway(item: Resource) -> str:
        made = str(ec2.create_internet_gateway(**tags(item, "internet-gateway"))["InternetGateway"]["InternetGatewayId"])
        ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=item.fields["vpc"])
        return made

    def subnet(item: Resource) -> str:
        fields = item.fields
        where = {"VpcId": fields["vpc"], "CidrBlock": fields["cidr"], "AvailabilityZone": fields["zone"]}
        made = str(ec2.create_subnet(**where, **tags(item, "subnet"))["Subnet"]["SubnetId"])
        ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": fields["public_addresses"]})
        return made

    def table(item: Resource) -> str:
        made = str(ec2.create_route_table(VpcId=item.fields["vpc"], **tags(item, "route-table"))["RouteTable"]["RouteTableId"])
        for to, by in item.fields["routes"].items():
            ec2.create_route(RouteTableId=made, DestinationCidrBlock=to, GatewayId=by)
        for one in item.fields["subnets"]:
            ec2.associate_route_table(RouteTableId=made, SubnetId=one)
        return made

    def group(item: Resource) -> str:
        named = {"GroupName": item.fields["name"], "Description": item.fields["description"], "VpcId": item.fields["vpc"]}
        return str(ec2.create_security_group(**named, **tags(item, "security-group"))["GroupId"])

    def subnets_of_database(item: Resource) -> str:
        named = {"DBSubnetGroupName": item.key, "DBSubnetGroupDescription": item.fields["description"]}
        rds.create_db_subnet_group(**named, SubnetIds=item.fields["subnets"], Tags=listed(item))
        return item.key

    def database(item: Resource) -> str:
        fields = item.fields
        rds.create_db_instance(
            DBInstanceIdentifier=item.key, DBInstanceClass="db.t3.micro", Engine=fields["engine"], AllocatedStorage=20, Port=fields["port"],
            MasterUsername=fields["username"], MasterUserPassword="one-two-three", DBSubnetGroupName=fields["subnet_group"],
            VpcSecurityGroupIds=fields["security_groups"], PubliclyAccessible=fields["public"], Tags=listed(item),
        )  # fmt: skip
        what_it_waits_for_comes(stack.region)
        return item.key

    def targets(item: Resource) -> str:
        named = {"Name": item.fields["name"], "Protocol": "HTTP", "Port": item.fields["port"], "VpcId": item.fields["vpc"]}
        return str(elbv2.create_target_group(**named, Tags=listed(item))["TargetGroups"][0]["TargetGroupArn"])

    def balancer(item: Resource) -> str:
        where = {"Subnets": item.fields["subnets"], "SecurityGroups": item.fields["security_groups"], "Scheme": item.fields["scheme"]}
        return str(elbv2.create_load_balancer(Name=item.key, **where, Tags=listed(item))["LoadBalancers"][0]["LoadBalancerArn"])

    def listener(item: Resource) -> str:
        (arn,) = (value for key, value in ids.items() if key.startswith("<load_balancer/"))
        (target,) = (value for key, value in ids.items() if key.startswith("<target_group/"))
        action = {"Type": "forward", "TargetGroupArn": target}
        made = elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=item.fields["port"], DefaultActions=[action])
        return str(made["Listeners"][0]["ListenerArn"])

    def template(item: Resource) -> str:
        data = {"ImageId": "ami-12345678", "InstanceType": "t3.micro", "SecurityGroupIds": item.fields["security_groups"]}
        made = ec2.create_launch_template(LaunchTemplateName=item.key, LaunchTemplateData=data, **tags(item, "launch-template"))
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def fleet(item: Resource) -> str:
        own = [{**tag, "PropagateAtLaunch": False, "ResourceId": item.key, "ResourceType": "auto-scaling-group"} for tag in listed(item)]
        stack.clients["autoscaling"].create_auto_scaling_group(
            AutoScalingGroupName=item.key, MinSize=0, MaxSize=1, DesiredCapacity=0, VPCZoneIdentifier=",".join(item.fields["subnets"]),
            LaunchTemplate={"LaunchTemplateId": item.fields["launch_template"], "Version": "1"}, Tags=own,
        )  # fmt: skip
        return item.key

    makers: dict[str, Callable[[Resource], str]] = {
        "vpc": lambda item: str(ec2.create_vpc(CidrBlock=item.fields["cidr"], **tags(item, "vpc"))["Vpc"]["VpcId"]),
        "internet_gateway": gateway, "subnet": subnet, "route_table": table, "security_group": group,
        "db_subnet_group": subnets_of_database, "db_instance": database, "target_group": targets, "load_balancer": balancer,
        "listener": listener, "launch_template": template, "auto_scaling_group": fleet,
    }  # fmt: skip
    wanted_of_all = want(called(stack.name, empty(stack), ROLES))
    kinds = {item.kind for item in wanted_of_all}
    for kind in (kind for kind in makers if kind in kinds):
        for item in (one for one in wanted_of_all if one.kind == kind):
            standing = resolved(item.fields, ids)
            ids[f"<{kind}/{item.key}#id>"] = makers[kind](Resource(kind, item.key, standing, item.name))
    for item in (one for one in wanted_of_all if one.kind == "security_group"):
        identity = ids[f"<security_group/{item.key}#id>"]
        ec2.authorize_security_group_ingress(GroupId=identity, IpPermissions=permissions(resolved(item.fields["ingress"], ids)))
        if not item.fields["egress"]:
            ec2.revoke_security_group_egress(GroupId=identity, IpPermissions=permissions({"all 0.0.0.0/0": ""}))
    return ids


def asked(stack: Stack, *, details: bool) -> SimpleNamespace:
    """The module stack_info with its arguments."""
    params = {"name": stack.name, "wanted": stack.variables, "strict": True, "details": details, "live": False}
    return SimpleNamespace(params=params, fail_json=refuse)


def empty(stack: Stack) -> dict[str, Any]:
    module = SimpleNamespace(
        params={"name": stack.name, "wanted": stack.variables, "strict": True, "details": False, "live": False}, fail_json=refuse
    )
    return facts_of(module, stack.clients)


def resolved(value: Any, ids: Ids) -> Any:
    """A value with the ids in place of their promises."""
    if isinstance(value, Mapping):
        return {resolved(key, ids): resolved(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, ids) for item in value]
    return LATER.sub(lambda match: ids.get(match[0], match[0]), value) if isinstance(value, str) else value


def test_a_stack_as_wanted_holds_and_a_database_that_somebody_opens_is_found_by_its_rule_and_route(cloud: Cloud) -> None:
    stack = Stack(cloud, "uda", "ap-northeast-1")
    before = stack.traced()
    assert ({one["side"] for one in before["answers"]}, before["expectations"]) == ({"wanted"}, 4)
    ids = make(stack)
    standing = stack.traced()
    assert (standing["broken"], standing["expectations"]) == ([], 8)
    sides = {side: {str(one | {"side": ""}) for one in standing["answers"] if one["side"] == side} for side in ("wanted", "found")}
    assert sides["found"] == sides["wanted"]

    ec2, rds, group, table = stack.clients["ec2"], stack.clients["rds"], "<security_group/database#id>", "<route_table/private#id>"
    ec2.authorize_security_group_ingress(GroupId=ids[group], IpPermissions=permissions({"tcp 5432 0.0.0.0/0": ""}))
    ec2.create_route(RouteTableId=ids[table], DestinationCidrBlock="0.0.0.0/0", GatewayId=ids["<internet_gateway/internet_gateway#id>"])
    private = stack.traced()
    assert broken(private) == []
    assert reasons(private, "internet", "database")["found"].startswith("it has no public address (though rule `tcp 5432 from 0.0.0.0/0`")
    rds.modify_db_instance(DBInstanceIdentifier="uda-psql-db", PubliclyAccessible=True)
    opened = stack.traced()
    assert broken(opened) == [("found", "internet", "database")]
    message = opened["broken"][0]["message"]
    assert "internet must not reach database on port 5432, and does (found): rule `tcp 5432 from 0.0.0.0/0` of security group" in message
    assert "route 0.0.0.0/0 of route table uda_route_table_private leads to the internet gateway. A run of site.yml takes away" in message

    ec2.revoke_security_group_ingress(GroupId=ids[group], IpPermissions=permissions({"tcp 5432 0.0.0.0/0": ""}))
    web = ids["<security_group/web#id>"]
    ec2.revoke_security_group_ingress(GroupId=ids[group], IpPermissions=permissions({f"tcp 5432 {web}": ""}))
    assert broken(stack.traced()) == [("found", "app", "database")]


def test_a_subnet_that_lost_its_table_goes_by_the_main_one_whoever_has_changed_it(cloud: Cloud) -> None:
    stack = Stack(cloud, "uda", "ap-northeast-1")
    ids = make(stack)
    ec2, subnet = stack.clients["ec2"], ids["<subnet/private_1#id>"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ids["<vpc/vpc#id>"]]}])["RouteTables"]
    main = next(table for table in tables if any(one.get("Main") for one in table["Associations"]))
    own = next(table for table in tables if table["RouteTableId"] == ids["<route_table/private#id>"])
    association = next(one for one in own["Associations"] if one["SubnetId"] == subnet)
    ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    assert (
        reasons(stack.traced(), "private_1", "internet")["found"] == "route table the VPC's main route table has no route to the internet"
    )
    gateway = ids["<internet_gateway/internet_gateway#id>"]
    ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    found = reasons(stack.traced(), "private_1", "internet")
    assert found["found"].endswith("leads to the internet gateway, for what has a public address")
    assert found["wanted"] == "route table uda_route_table_private has no route to the internet"


def test_a_stack_in_a_borrowed_vpc_holds_with_what_it_adds_there(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_app, "client", lambda _lab, service, region: cloud.client(service, region))
    monkeypatch.setattr(inventory_app, "ENGINE", "postgres")  # what counts is where it stands
    monkeypatch.setattr(inventory_app.time, "sleep", lambda _seconds: what_it_waits_for_comes(inventory_app.REGION))
    inventory_app.apply(Settings("test", Path("/nowhere")))
    stack = Stack(cloud, "inventory_app", inventory_app.REGION)
    traced = stack.traced()
    assert (traced["broken"], traced["expectations"]) == ([], 5)  # of what is found only that the internet does not reach the database
    to_database = reasons(traced, "app", "database")
    assert to_database == {"wanted": "rule `tcp 3306 from Inventory-App` of security group Inventory-DB lets it in"}
    for side in ("wanted", "found"):
        assert reasons(traced, "private_1", "internet")[side].endswith("leads to NAT gateway Inventory NAT in its own zone")
        assert reasons(traced, "private_2", "internet")[side].endswith("in us-west-2a, another zone than its own us-west-2b")
    stack.variables |= {"stack_reachability": [{"from": "load_balancer", "to": "database", "reachable": True}]}
    assert broken(stack.traced()) == [("wanted", "load_balancer", "database")]  # the rule for the whole VPC is replaced


def what_it_waits_for_comes(region: str) -> None:
    for gateway in list(ec2_backends[ACCOUNT_ID][region].nat_gateways.values()):
        nat.settle(gateway)
    for database in rds_backends[ACCOUNT_ID][region].databases.values():
        database.status, database.lab_ready = "available", True
