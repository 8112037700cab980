"""What AWS refuses to delete, the lab refuses too; and an address belongs to one interface."""

from __future__ import annotations

from typing import Any

import boto3

from lab import aws


def test_install_may_be_called_twice(cloud: Any) -> None:
    aws.install()
    assert cloud.load_balancer()
    assert len(cloud.interfaces("ELB")) == 2


def test_addresses_are_unique_in_their_subnet_and_the_first_four_are_aws_s_own(cloud: Any) -> None:
    cloud.load_balancer()
    cloud.database()
    cloud.ec2.run_instances(ImageId=cloud.image_id, MinCount=5, MaxCount=5, SubnetId=cloud.subnet_ids[0], SecurityGroupIds=[cloud.group_id])
    cloud.ec2.create_network_interface(SubnetId=cloud.subnet_ids[0])
    found = [interface["PrivateIpAddress"] for interface in cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]]
    assert len(found) == len(set(found)) == 9
    assert sorted(address for address in found if address.startswith("10.0.0."))[0] == "10.0.0.10"
    assert "10.0.0.4" in found
    assert not {f"10.0.0.{number}" for number in (0, 1, 2, 3, 255)} & set(found)


def test_a_full_subnet_is_told_as_such(cloud: Any, refused: Any) -> None:
    small = cloud.subnet("10.0.9.0/28", "d")
    launch = {"ImageId": cloud.image_id, "SubnetId": small}
    cloud.ec2.run_instances(MinCount=11, MaxCount=11, **launch)
    assert refused(cloud.ec2.run_instances, MinCount=1, MaxCount=1, **launch) == "InsufficientFreeAddressesInSubnet"


def test_an_instances_interface_ends_with_it(cloud: Any) -> None:
    launched = cloud.ec2.run_instances(ImageId=cloud.image_id, MinCount=1, MaxCount=1, SubnetId=cloud.subnet_ids[0])
    cloud.ec2.terminate_instances(InstanceIds=[launched["Instances"][0]["InstanceId"]])
    assert cloud.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_security_group_in_use_stays(cloud: Any, refused: Any) -> None:
    load_balancer = cloud.load_balancer()
    assert refused(cloud.ec2.delete_security_group, GroupId=cloud.group_id) == "DependencyViolation"
    cloud.elbv2.delete_load_balancer(LoadBalancerArn=load_balancer)
    cloud.ec2.delete_security_group(GroupId=cloud.group_id)


def test_a_security_group_that_another_ones_rule_names_stays(cloud: Any, refused: Any) -> None:
    other = cloud.ec2.create_security_group(GroupName="db", Description="db", VpcId=cloud.vpc_id)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": cloud.group_id}]}
    cloud.ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    assert refused(cloud.ec2.delete_security_group, GroupId=cloud.group_id) == "DependencyViolation"
    cloud.ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])
    cloud.ec2.delete_security_group(GroupId=cloud.group_id)


def test_a_group_may_name_itself_and_the_default_one_cannot_be_deleted(cloud: Any, refused: Any) -> None:
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": cloud.group_id}]}
    cloud.ec2.authorize_security_group_ingress(GroupId=cloud.group_id, IpPermissions=[rule])
    cloud.ec2.delete_security_group(GroupId=cloud.group_id)
    default = cloud.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [cloud.vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"][0]["GroupId"]
    assert refused(cloud.ec2.delete_security_group, GroupId=default) == "CannotDelete"


def test_a_subnet_with_interfaces_stays(cloud: Any, refused: Any) -> None:
    cloud.load_balancer()
    assert refused(cloud.ec2.delete_subnet, SubnetId=cloud.subnet_ids[0]) == "DependencyViolation"


def test_a_route_table_is_free_once_its_subnet_is_gone(cloud: Any) -> None:
    table = cloud.ec2.create_route_table(VpcId=cloud.vpc_id)["RouteTable"]["RouteTableId"]
    cloud.ec2.associate_route_table(RouteTableId=table, SubnetId=cloud.subnet_ids[0])
    cloud.ec2.delete_subnet(SubnetId=cloud.subnet_ids[0])
    cloud.ec2.delete_route_table(RouteTableId=table)


def test_an_internet_gateway_stays_while_public_addresses_are_mapped(cloud: Any, refused: Any) -> None:
    load_balancer = cloud.load_balancer()
    gateway = {"VpcId": cloud.vpc_id, "InternetGatewayId": cloud.gateway_id}
    assert refused(cloud.ec2.detach_internet_gateway, **gateway) == "DependencyViolation"
    cloud.elbv2.delete_load_balancer(LoadBalancerArn=load_balancer)
    cloud.ec2.detach_internet_gateway(**gateway)


def test_a_vpc_goes_only_when_it_is_empty(cloud: Any, refused: Any) -> None:
    for subnet_id in cloud.subnet_ids:
        cloud.ec2.delete_subnet(SubnetId=subnet_id)
    assert refused(cloud.ec2.delete_vpc, VpcId=cloud.vpc_id) == "DependencyViolation"
    cloud.ec2.delete_security_group(GroupId=cloud.group_id)
    assert refused(cloud.ec2.delete_vpc, VpcId=cloud.vpc_id) == "DependencyViolation"
    cloud.ec2.detach_internet_gateway(VpcId=cloud.vpc_id, InternetGatewayId=cloud.gateway_id)
    cloud.ec2.delete_vpc(VpcId=cloud.vpc_id)


def test_a_nat_gateway_keeps_its_address_and_its_subnet_until_it_ends(cloud: Any, refused: Any) -> None:
    address = cloud.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = cloud.ec2.create_nat_gateway(SubnetId=cloud.subnet_ids[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert refused(cloud.ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    assert refused(cloud.ec2.delete_subnet, SubnetId=cloud.subnet_ids[0]) == "DependencyViolation"
    cloud.round()
    cloud.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert refused(cloud.ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    cloud.round()
    cloud.ec2.release_address(AllocationId=address)
    cloud.ec2.delete_subnet(SubnetId=cloud.subnet_ids[0])


def test_a_nat_gateways_tags_are_found_under_the_name_that_aws_uses(cloud: Any) -> None:
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Name", "Value": "nat"}]}]
    made = cloud.ec2.create_nat_gateway(SubnetId=cloud.subnet_ids[0], ConnectivityType="private", TagSpecifications=tags)
    filters = [
        {"Name": "resource-id", "Values": [made["NatGateway"]["NatGatewayId"]]},
        {"Name": "resource-type", "Values": ["natgateway"]},
    ]
    assert cloud.ec2.describe_tags(Filters=filters)["Tags"][0]["Value"] == "nat"


def test_an_image_and_its_snapshot_are_tagged_together(cloud: Any) -> None:
    launched = cloud.ec2.run_instances(ImageId=cloud.image_id, MinCount=1, MaxCount=1, SubnetId=cloud.subnet_ids[0])
    tags = [{"ResourceType": kind, "Tags": [{"Key": "Role", "Value": "web"}]} for kind in ("image", "snapshot")]
    made = cloud.ec2.create_image(InstanceId=launched["Instances"][0]["InstanceId"], Name="web", TagSpecifications=tags)
    image = cloud.ec2.describe_images(ImageIds=[made["ImageId"]])["Images"][0]
    snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    snapshot = cloud.ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]
    assert image["Tags"] == snapshot["Tags"] == [{"Key": "Role", "Value": "web"}]


def test_another_region_is_another_world(cloud: Any) -> None:
    cloud.load_balancer()
    assert boto3.client("ec2", "us-west-2").describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_rule_is_revoked_without_its_description(cloud: Any) -> None:
    source = cloud.ec2.create_security_group(GroupName="source", Description="source", VpcId=cloud.vpc_id)["GroupId"]
    pair = {"GroupId": source, "Description": "from the source"}
    rule = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
    cloud.ec2.authorize_security_group_ingress(GroupId=cloud.group_id, IpPermissions=[rule | {"UserIdGroupPairs": [pair]}])
    cloud.ec2.revoke_security_group_ingress(GroupId=cloud.group_id, IpPermissions=[rule | {"UserIdGroupPairs": [{"GroupId": source}]}])
    assert cloud.ec2.describe_security_groups(GroupIds=[cloud.group_id])["SecurityGroups"][0]["IpPermissions"] == []
