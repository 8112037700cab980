"""What somebody could change of the network, its security groups and endpoints."""

from __future__ import annotations

from ..account import Account
from .words import Fields, Mutations, default_group, tag


def dns_support(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_vpc_attribute(VpcId=resource_id, EnableDnsSupport={"Value": False})


def dns_hostnames(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_vpc_attribute(VpcId=resource_id, EnableDnsHostnames={"Value": False})


def public_addresses(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_subnet_attribute(SubnetId=resource_id, MapPublicIpOnLaunch={"Value": not fields["public_addresses"]})


def routes(account: Account, resource_id: str, fields: Fields) -> None:
    for destination in fields["routes"]:
        account.ec2.delete_route(RouteTableId=resource_id, DestinationCidrBlock=destination)
    if not fields["routes"]:
        gateway = account.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [fields["vpc"]]}])
        gateway_id = gateway["InternetGateways"][0]["InternetGatewayId"]
        account.ec2.create_route(RouteTableId=resource_id, DestinationCidrBlock="198.51.100.0/24", GatewayId=gateway_id)


def subnets(account: Account, resource_id: str, fields: Fields) -> None:
    table = account.ec2.describe_route_tables(RouteTableIds=[resource_id])["RouteTables"][0]
    association = next(one for one in table["Associations"] if one["SubnetId"] == fields["subnets"][0])
    account.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])


def ingress(account: Account, resource_id: str, fields: Fields) -> None:
    """Port 22 to the world."""
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    account.ec2.authorize_security_group_ingress(GroupId=resource_id, IpPermissions=[rule])


def egress(account: Account, resource_id: str, fields: Fields) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 25, "ToPort": 25, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    account.ec2.authorize_security_group_egress(GroupId=resource_id, IpPermissions=[rule])


def endpoint_subnets(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_vpc_endpoint(VpcEndpointId=resource_id, RemoveSubnetIds=fields["subnets"][:1])


def endpoint_groups(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_vpc_endpoint(VpcEndpointId=resource_id, AddSecurityGroupIds=[default_group(account, fields["vpc"])])


def endpoint_tables(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_vpc_endpoint(VpcEndpointId=resource_id, RemoveRouteTableIds=fields["route_tables"][:1])


def private_dns(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_vpc_endpoint(VpcEndpointId=resource_id, PrivateDnsEnabled=not fields["private_dns"])


MUTATIONS: Mutations = {
    ("vpc", "dns_support"): dns_support,
    ("vpc", "dns_hostnames"): dns_hostnames,
    ("vpc", "tags"): tag,
    ("internet_gateway", "tags"): tag,
    ("subnet", "public_addresses"): public_addresses,
    ("subnet", "tags"): tag,
    ("nat_gateway", "tags"): tag,
    ("elastic_address", "tags"): tag,
    ("route_table", "routes"): routes,
    ("route_table", "subnets"): subnets,
    ("route_table", "tags"): tag,
    ("security_group", "ingress"): ingress,
    ("security_group", "egress"): egress,
    ("security_group", "tags"): tag,
    ("vpc_endpoint", "subnets"): endpoint_subnets,
    ("vpc_endpoint", "security_groups"): endpoint_groups,
    ("vpc_endpoint", "route_tables"): endpoint_tables,
    ("vpc_endpoint", "private_dns"): private_dns,
    ("vpc_endpoint", "tags"): tag,
}
