"""Pieces of an account that is not a stack's: each is found by its name or made. What `lab/fixtures/` is put together from."""

from __future__ import annotations

import json
import secrets
from typing import Any

Found = list[dict[str, Any]]
OWNER = {"Key": "Owner", "Value": "somebody else"}
PLURALS = {"vpc": "vpcs", "subnet": "subnets", "internet-gateway": "internet_gateways", "route-table": "route_tables"}
ANSWERS = {
    "vpc": ("Vpcs", "VpcId"),
    "subnet": ("Subnets", "SubnetId"),
    "internet-gateway": ("InternetGateways", "InternetGatewayId"),
    "route-table": ("RouteTables", "RouteTableId"),
}


def tags(name: str) -> list[dict[str, str]]:
    """What its owner has tagged it with."""
    return [{"Key": "Name", "Value": name}, OWNER]


def named(ec2: Any, kind: str, name: str) -> list[str]:
    """Ids of the resources of a kind that have this name."""
    answer, key = ANSWERS[kind]
    filters = [{"Name": "tag:Name", "Values": [name]}, {"Name": "tag:Owner", "Values": [OWNER["Value"]]}]
    return [found[key] for found in getattr(ec2, f"describe_{PLURALS[kind]}")(Filters=filters)[answer]]


def vpc(ec2: Any, name: str, cidr: str) -> str:
    for found in named(ec2, "vpc", name):
        return found
    vpc_id = str(ec2.create_vpc(CidrBlock=cidr, TagSpecifications=_tagged("vpc", name))["Vpc"]["VpcId"])
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    return vpc_id


def subnet(ec2: Any, vpc_id: str, name: str, cidr: str, zone: str, *, public: bool) -> str:
    for found in named(ec2, "subnet", name):
        return found
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone, TagSpecifications=_tagged("subnet", name))
    subnet_id = str(made["Subnet"]["SubnetId"])
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": public})
    return subnet_id


def internet_gateway(ec2: Any, name: str, vpc_id: str) -> str:
    found = named(ec2, "internet-gateway", name)
    made = found or [
        ec2.create_internet_gateway(TagSpecifications=_tagged("internet-gateway", name))["InternetGateway"]["InternetGatewayId"]
    ]
    attached = ec2.describe_internet_gateways(InternetGatewayIds=made)["InternetGateways"][0]["Attachments"]
    if not attached:
        ec2.attach_internet_gateway(InternetGatewayId=made[0], VpcId=vpc_id)
    return str(made[0])


def nat_gateway(ec2: Any, name: str, subnet_id: str) -> str:
    """A NAT gateway with an address of its own."""
    for found in _nat_gateways(ec2, "subnet-id", subnet_id):
        return str(found["NatGatewayId"])
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=_tagged("elastic-ip", name))["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address, TagSpecifications=_tagged("natgateway", name))
    nat_id = str(made["NatGateway"]["NatGatewayId"])
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[nat_id], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return nat_id


def route_table(ec2: Any, name: str, vpc_id: str, subnet_ids: list[str], **target: str) -> str:
    """A route table for these subnets, whose way to everywhere else is `target`."""
    found = named(ec2, "route-table", name)
    if not found:
        made = ec2.create_route_table(VpcId=vpc_id, TagSpecifications=_tagged("route-table", name))
        found = [made["RouteTable"]["RouteTableId"]]
    table = ec2.describe_route_tables(RouteTableIds=found)["RouteTables"][0]
    if "0.0.0.0/0" not in [route.get("DestinationCidrBlock") for route in table["Routes"]]:
        ec2.create_route(RouteTableId=found[0], DestinationCidrBlock="0.0.0.0/0", **target)
    associated = {association.get("SubnetId") for association in table["Associations"]}
    for subnet_id in subnet_ids:
        if subnet_id not in associated:
            ec2.associate_route_table(RouteTableId=found[0], SubnetId=subnet_id)
    return str(found[0])


def open_group(ec2: Any, vpc_id: str, name: str, description: str, port: int, cidr: str) -> str:
    """A security group that lets a whole range in on one port."""
    filters = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc_id]}]
    for found in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
        return str(found["GroupId"])
    specification = _tagged("security-group", name)
    group_id = ec2.create_security_group(GroupName=name, Description=description, VpcId=vpc_id, TagSpecifications=specification)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr, "Description": "The whole VPC"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    return str(group_id)


def secret(secretsmanager: Any, name: str) -> Found:
    """The secret of this name, in a list, or none."""
    found = secretsmanager.list_secrets(Filters=[{"Key": "name", "Values": [name]}])["SecretList"]
    return [entry for entry in found if entry["Name"] == name]


def password(secretsmanager: Any, name: str, user: str) -> str:
    """The password in this secret, which is made with a new one when there is none."""
    if not secret(secretsmanager, name):
        new = json.dumps({"username": user, "password": secrets.token_urlsafe(24)})
        secretsmanager.create_secret(Name=name, Description="Master user of the database", SecretString=new, Tags=tags(name))
    return str(json.loads(secretsmanager.get_secret_value(SecretId=name)["SecretString"])["password"])


def describe_vpc(ec2: Any, vpc_ids: list[str], group: str) -> dict[str, Found]:
    """The owner's resources in the VPC. Interfaces and addresses that come and go with others' machines are none of them."""
    inside, owned = {"Name": "vpc-id", "Values": vpc_ids}, {"Name": "tag:Owner", "Values": [OWNER["Value"]]}
    subnets = ec2.describe_subnets(Filters=[inside, owned])["Subnets"]
    return {
        "vpcs": list(ec2.describe_vpcs(VpcIds=vpc_ids)["Vpcs"]),
        "subnets": [{key: value for key, value in found.items() if key != "AvailableIpAddressCount"} for found in subnets],
        "internet gateways": list(ec2.describe_internet_gateways(Filters=[owned])["InternetGateways"]),
        "NAT gateways": [found for vpc_id in vpc_ids for found in _nat_gateways(ec2, "vpc-id", vpc_id) if OWNER in found.get("Tags", [])],
        "addresses": list(ec2.describe_addresses(Filters=[owned])["Addresses"]),
        "route tables": list(ec2.describe_route_tables(Filters=[inside, owned])["RouteTables"]),
        "security groups": list(
            ec2.describe_security_groups(Filters=[inside, {"Name": "group-name", "Values": [group]}])["SecurityGroups"]
        ),
    }


def remove_vpc(ec2: Any, vpc_id: str) -> None:
    """Everything that this module makes in a VPC, and the VPC, in AWS's order."""
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    for nat in _nat_gateways(ec2, "vpc-id", vpc_id):
        ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
        ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[nat["NatGatewayId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        for address in nat["NatGatewayAddresses"]:
            ec2.release_address(AllocationId=address["AllocationId"])
    for table in ec2.describe_route_tables(Filters=inside)["RouteTables"]:
        if not any(association.get("Main") for association in table["Associations"]):
            for association in table["Associations"]:
                ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
            ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    for gateway in ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc_id]}])["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc_id)
        ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
    for found in ec2.describe_subnets(Filters=inside)["Subnets"]:
        ec2.delete_subnet(SubnetId=found["SubnetId"])
    for group in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]:
        if group["GroupName"] != "default":
            ec2.delete_security_group(GroupId=group["GroupId"])
    ec2.delete_vpc(VpcId=vpc_id)


def _nat_gateways(ec2: Any, filter_name: str, value: str) -> Found:
    found = ec2.describe_nat_gateways(Filters=[{"Name": filter_name, "Values": [value]}])["NatGateways"]
    return [nat for nat in found if nat["State"] in ("pending", "available")]


def _tagged(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": tags(name)}]
