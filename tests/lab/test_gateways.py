"""NAT gateways and VPC endpoints come, work and go as on AWS, and are refused as there."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from lab.settings import S3_ADDRESS
from lab.state import read
from lab.world import World

SECRETS = "com.amazonaws.ap-northeast-1.secretsmanager"
S3 = "com.amazonaws.ap-northeast-1.s3"
PRIVATE_NAME = "secretsmanager.ap-northeast-1.amazonaws.com"


@pytest.fixture(autouse=True)
def names_in_the_vpc(cloud: Any) -> None:
    cloud.ec2.modify_vpc_attribute(VpcId=cloud.vpc_id, EnableDnsHostnames={"Value": True})


def interface_endpoint(cloud: Any, **options: Any) -> str:
    wanted = {
        "VpcId": cloud.vpc_id, "VpcEndpointType": "Interface", "ServiceName": SECRETS, "SubnetIds": cloud.subnet_ids,
        "SecurityGroupIds": [cloud.group_id], "PrivateDnsEnabled": True,
    } | options  # fmt: skip
    return str(cloud.ec2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"])


def gateway_endpoint(cloud: Any, *tables: str) -> str:
    made = cloud.ec2.create_vpc_endpoint(VpcId=cloud.vpc_id, ServiceName=S3, RouteTableIds=list(tables))
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def route_table(cloud: Any, *subnet_ids: str) -> str:
    table = str(cloud.ec2.create_route_table(VpcId=cloud.vpc_id)["RouteTable"]["RouteTableId"])
    for subnet_id in subnet_ids:
        cloud.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
    return table


def described(cloud: Any, endpoint_id: str) -> dict[str, Any]:
    return dict(cloud.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0])


def names(cloud: Any) -> dict[str, list[str]]:
    return dict(cloud.services[-1].names(cloud.vpc_id))


def addresses(cloud: Any) -> list[str]:
    return sorted(found["PrivateIpAddress"] for found in cloud.interfaces("VPC Endpoint Interface"))


def nat_gateway(cloud: Any) -> dict[str, Any]:
    address = cloud.ec2.allocate_address(Domain="vpc")["AllocationId"]
    return dict(cloud.ec2.create_nat_gateway(SubnetId=cloud.subnet_ids[0], AllocationId=address)["NatGateway"])


def test_an_interface_endpoint_is_ready_once_it_answers_at_an_address_in_each_of_its_subnets(cloud: Any) -> None:
    endpoint = interface_endpoint(cloud)
    assert described(cloud, endpoint)["State"] == "pending"
    cloud.round()
    assert described(cloud, endpoint)["State"] == "available"
    assert sorted(cloud.answering) == sorted(described(cloud, endpoint)["NetworkInterfaceIds"])
    assert [address.rsplit(".", 1)[0] for address in addresses(cloud)] == ["10.0.0", "10.0.3"]


def test_its_interfaces_carry_its_security_groups_and_need_no_container(cloud: Any) -> None:
    interface_endpoint(cloud)
    world: World = cloud.round()
    assert {group for machine in world.machines.values() for i in machine.interfaces for group in i.group_ids} == {cloud.group_id}
    assert cloud.engine.machines() == {}


def test_private_dns_leads_the_services_name_to_the_endpoint_and_its_own_names_always_do(cloud: Any) -> None:
    endpoint = interface_endpoint(cloud)
    assert names(cloud) == {}
    cloud.round()
    own = described(cloud, endpoint)["DnsEntries"][0]["DnsName"]
    assert own.startswith(f"{endpoint}-")
    assert own.endswith(".secretsmanager.ap-northeast-1.vpce.amazonaws.com")
    assert names(cloud)[PRIVATE_NAME] == names(cloud)[own] == addresses(cloud)
    cloud.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    assert PRIVATE_NAME not in names(cloud)
    assert names(cloud)[own] == addresses(cloud)


def told_names(cloud: Any, endpoint: str) -> list[str]:
    return [entry["DnsName"] for entry in described(cloud, endpoint).get("DnsEntries", [])]


def test_a_services_own_name_is_told_with_private_dns_alone(cloud: Any) -> None:
    endpoint = interface_endpoint(cloud)
    assert told_names(cloud, endpoint)[-1] == PRIVATE_NAME
    cloud.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    assert told_names(cloud, endpoint)
    assert PRIVATE_NAME not in told_names(cloud, endpoint)


def test_a_gateway_endpoint_has_no_names(cloud: Any) -> None:
    endpoint = gateway_endpoint(cloud)
    cloud.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[route_table(cloud)])
    assert told_names(cloud, endpoint) == []


def test_an_interface_endpoint_answers_for_its_own_service_alone(cloud: Any) -> None:
    interface_endpoint(cloud)
    cloud.round()
    assert all(PRIVATE_NAME in hosts and not any("sts" in host for host in hosts) for hosts in cloud.answering.values())


def test_a_zones_name_leads_to_the_interface_in_that_zone(cloud: Any) -> None:
    interface_endpoint(cloud)
    cloud.round()
    zonal = {name: found for name, found in names(cloud).items() if "-ap-northeast-1c." in name}
    assert list(zonal.values()) == [[address] for address in addresses(cloud) if address.startswith("10.0.3.")]


def test_changed_subnets_and_groups_change_its_interfaces(cloud: Any) -> None:
    endpoint = interface_endpoint(cloud)
    cloud.round()
    other = cloud.ec2.create_security_group(GroupName="other", Description="other", VpcId=cloud.vpc_id)["GroupId"]
    cloud.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, RemoveSubnetIds=cloud.subnet_ids[:1], AddSecurityGroupIds=[other], RemoveSecurityGroupIds=[cloud.group_id]
    )
    cloud.round()
    [interface] = cloud.interfaces("VPC Endpoint Interface")
    assert [group["GroupId"] for group in interface["Groups"]] == [other]
    assert list(cloud.answering) == [interface["NetworkInterfaceId"]]


def test_a_deleted_endpoint_holds_its_group_and_subnets_until_it_is_gone(cloud: Any, refused: Any) -> None:
    endpoint = interface_endpoint(cloud)
    cloud.round()
    cloud.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert described(cloud, endpoint)["State"] == "deleting"
    assert refused(cloud.ec2.delete_security_group, GroupId=cloud.group_id) == "DependencyViolation"
    assert refused(cloud.ec2.delete_subnet, SubnetId=cloud.subnet_ids[0]) == "DependencyViolation"
    cloud.round()
    assert refused(cloud.ec2.describe_vpc_endpoints, VpcEndpointIds=[endpoint]) == "InvalidVpcEndpointId.NotFound"
    assert cloud.answering == {}
    cloud.ec2.delete_security_group(GroupId=cloud.group_id)
    cloud.ec2.delete_subnet(SubnetId=cloud.subnet_ids[0])


def test_private_dns_is_refused_twice_for_one_service(cloud: Any, refused: Any) -> None:
    interface_endpoint(cloud)
    assert refused(interface_endpoint, cloud=cloud) == "InvalidParameter"
    interface_endpoint(cloud, PrivateDnsEnabled=False)


def test_private_dns_is_refused_in_a_vpc_that_gives_no_host_names(cloud: Any, refused: Any) -> None:
    cloud.ec2.modify_vpc_attribute(VpcId=cloud.vpc_id, EnableDnsHostnames={"Value": False})
    assert refused(interface_endpoint, cloud=cloud) == "InvalidParameter"


def test_an_unknown_service_and_two_subnets_of_one_zone_are_refused(cloud: Any, refused: Any) -> None:
    assert refused(interface_endpoint, cloud=cloud, ServiceName=SECRETS + "s") == "InvalidServiceName"
    twice = [cloud.subnet_ids[0], cloud.subnet("10.0.9.0/24", "a")]
    assert refused(interface_endpoint, cloud=cloud, SubnetIds=twice) == "DuplicateSubnetsInSameZone"


def test_without_groups_an_endpoint_has_the_vpcs_default_one(cloud: Any) -> None:
    endpoint = interface_endpoint(cloud, SecurityGroupIds=[])
    assert [group["GroupName"] for group in described(cloud, endpoint)["Groups"]] == ["default"]


def test_a_gateway_endpoint_routes_s3s_addresses_from_its_route_tables_until_it_goes(cloud: Any) -> None:
    table = route_table(cloud, cloud.subnet_ids[0])
    endpoint = gateway_endpoint(cloud, table)
    interface_endpoint(cloud)  # so that there is a machine in the VPC
    cloud.round()
    vpc = cloud.round().vpcs[cloud.vpc_id]
    assert vpc.gateway_endpoint_ids == (endpoint,)
    targets = {subnet.id: {route.cidr: route.target for route in subnet.routes} for subnet in vpc.subnets}
    assert targets[cloud.subnet_ids[0]][f"{S3_ADDRESS}/32"] == endpoint
    assert f"{S3_ADDRESS}/32" not in targets[cloud.subnet_ids[1]]
    cloud.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert len(cloud.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]) == 1


def test_a_second_gateway_endpoint_in_one_route_table_is_refused(cloud: Any, refused: Any) -> None:
    table = route_table(cloud)
    gateway_endpoint(cloud, table)
    wanted = {"VpcId": cloud.vpc_id, "ServiceName": S3, "RouteTableIds": [table]}
    assert refused(cloud.ec2.create_vpc_endpoint, **wanted) == "RouteAlreadyExists"


def test_a_vpc_with_an_endpoint_stays(cloud: Any, refused: Any) -> None:
    gateway_endpoint(cloud)
    assert refused(cloud.ec2.delete_vpc, VpcId=cloud.vpc_id) == "DependencyViolation"


def test_a_nat_gateway_is_pending_then_available_then_deleting_then_deleted(cloud: Any) -> None:
    nat = nat_gateway(cloud)["NatGatewayId"]

    def state() -> str:
        return str(cloud.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"])

    states = [state()]
    cloud.round()
    states.append(state())
    cloud.ec2.delete_nat_gateway(NatGatewayId=nat)
    states.append(state())
    cloud.round()
    states.append(state())
    assert states == ["pending", "available", "deleting", "deleted"]


def test_a_nat_gateway_fails_in_a_vpc_without_an_internet_gateway_and_keeps_no_address(cloud: Any) -> None:
    cloud.ec2.detach_internet_gateway(VpcId=cloud.vpc_id, InternetGatewayId=cloud.gateway_id)
    nat = nat_gateway(cloud)
    cloud.round()
    assert cloud.ec2.describe_nat_gateways(NatGatewayIds=[nat["NatGatewayId"]])["NatGateways"][0]["State"] == "failed"
    cloud.ec2.release_address(AllocationId=nat["NatGatewayAddresses"][0]["AllocationId"])


def test_the_route_to_a_deleted_nat_gateway_is_a_black_hole(cloud: Any) -> None:
    table, nat = route_table(cloud), nat_gateway(cloud)["NatGatewayId"]
    cloud.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    cloud.round()
    cloud.ec2.delete_nat_gateway(NatGatewayId=nat)
    routes = cloud.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert {route["DestinationCidrBlock"]: route["State"] for route in routes} == {"10.0.0.0/16": "active", "0.0.0.0/0": "blackhole"}


def test_only_available_nat_gateways_with_an_address_carry_anybody_out(cloud: Any) -> None:
    nat = nat_gateway(cloud)
    cloud.ec2.create_nat_gateway(SubnetId=cloud.subnet_ids[1], ConnectivityType="private")
    interface_endpoint(cloud)
    assert cloud.round().vpcs[cloud.vpc_id].nat_gateways == ()
    found = cloud.round().vpcs[cloud.vpc_id].nat_gateways
    assert [gateway.public_address for gateway in found] == [nat["NatGatewayAddresses"][0]["PublicIp"]]


def test_nat_gateways_are_found_by_their_tags(cloud: Any) -> None:
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Stack", "Value": "uda"}]}]
    mine = cloud.ec2.create_nat_gateway(SubnetId=cloud.subnet_ids[0], ConnectivityType="private", TagSpecifications=tags)
    cloud.ec2.create_nat_gateway(SubnetId=cloud.subnet_ids[1], ConnectivityType="private")
    found = cloud.ec2.describe_nat_gateways(Filters=[{"Name": "tag:Stack", "Values": ["uda"]}])["NatGateways"]
    assert [gateway["NatGatewayId"] for gateway in found] == [mine["NatGateway"]["NatGatewayId"]]


def test_nothing_is_read_for_a_vpc_without_machines(cloud: Any) -> None:
    nat_gateway(cloud)
    assert read([]).vpcs == {}


def test_an_elastic_address_is_a_public_one(cloud: Any) -> None:
    address = ipaddress.ip_address(cloud.ec2.allocate_address(Domain="vpc")["PublicIp"])
    assert address.is_global
