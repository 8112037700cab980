"""What AWS or others put beside the stack, in forms that the stack itself never uses, is read, told, and breaks nothing."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.plan import endpoints, fleet, listeners, network, reach, reach_world, render, security, watch
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.stack.shape import nat_gateway

ARN = "arn:aws:vpc-lattice:us-east-1:123456789012:servicenetwork/sn-1"
GUARDDUTY = [{"Key": "GuardDutyManaged", "Value": "true"}]
VPC: dict[str, Any] = {
    "VpcId": "vpc-1",
    "CidrBlock": "10.0.0.0/16",
    "CidrBlockAssociationSet": [
        {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "100.64.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "disassociated"}},
    ],
}
SUBNET = {"VpcId": "vpc-1", "AvailabilityZone": "us-east-1a", "MapPublicIpOnLaunch": False}
NETWORK: dict[str, Any] = {
    "vpcs": [], "internet_gateways": [], "addresses": [], "route_tables": [], "nat_gateways": [], "vpc_attributes": {}, "subnets": [],
}  # fmt: skip


def endpoint(**words: Any) -> dict[str, Any]:
    return {"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "State": "available", "VpcEndpointType": "Interface"} | words


def group(**words: Any) -> dict[str, Any]:
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    base = {"GroupId": "sg-1", "GroupName": "g", "Description": "theirs", "VpcId": "vpc-1", "IpPermissions": [rule]}
    return base | {"IpPermissionsEgress": []} | words


def test_what_guardduty_puts_into_the_vpc_is_told_and_is_no_drift() -> None:
    def empty(tags: list[dict[str, str]]) -> bool:
        groups = security.found_security_groups({"security_groups": [], "vpc_security_groups": [group(Tags=tags)]})
        told = [endpoint(ServiceName="com.amazonaws.us-east-1.guardduty-data", Tags=tags)]
        places = endpoints.found_endpoints({"vpc_endpoints": [], "all_vpc_endpoints": told, "vpc_endpoint_keys": {}})
        plan = render.as_json(compare([], [*groups, *places], KINDS), [], KINDS)
        assert plan["counts"] == {"foreign": 2}
        return bool(plan["empty"])

    assert empty(GUARDDUTY)
    assert not empty([])


def test_a_default_certificate_that_is_additional_too_is_one() -> None:
    told = {"Port": 443, "Protocol": "HTTPS", "DefaultActions": []}
    fields = listeners._listener(told, ["arn:site", "arn:site", "arn:api"], {"arn:site": "site", "arn:api": "api"})
    assert (fields["certificate"], fields["more_certificates"]) == ("site", ["api"])


def test_an_endpoint_for_a_service_network_is_told_by_that() -> None:
    told = [endpoint(VpcEndpointType="ServiceNetwork", ServiceNetworkArn=ARN, Tags=[])]
    (found,) = endpoints.found_endpoints({"vpc_endpoints": [], "all_vpc_endpoints": told, "vpc_endpoint_keys": {"s3": "files"}})
    assert (found.fields["service"], found.foreign) == (ARN, True)


def test_a_nat_gateway_of_a_whole_vpc_is_in_no_subnet_and_leads_to_the_internet() -> None:
    told = {"NatGatewayId": "nat-1", "State": "available", "VpcId": "vpc-1", "AvailabilityMode": "regional", "Tags": []}
    assert nat_gateway(told)["subnet_id"] == ""
    private = {**SUBNET, "SubnetId": "subnet-1", "CidrBlock": "10.0.1.0/24"}
    routes = [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}]
    table = {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": routes, "Associations": [{"SubnetId": "subnet-1"}], "Tags": []}
    found = network.found_network({**NETWORK, "nat_gateways": [told], "subnets": [private], "route_tables": [table]})
    world = reach_world.world(found)
    assert reach.way_out(world, world.subnets["subnet-1"]).kind == "nat_gateway"


def test_a_subnet_for_ipv6_alone_is_told_without_addresses_and_nobody_reaches_it_by_ipv4() -> None:
    theirs = {**SUBNET, "SubnetId": "subnet-6", "Tags": []}
    (found,) = network.found_network({**NETWORK, "vpc_subnets": [theirs]})
    assert (found.fields["cidr"], found.foreign) == ("", True)
    assert reach_world.world([found]).subnets == {}


def test_all_addresses_of_a_borrowed_vpc_are_its_own() -> None:
    world = reach_world.world(reach_world.lent({"borrowed_vpc": {"vpcs": [VPC]}}, {}))
    assert [str(one) for one in world.own] == ["10.0.0.0/16", "100.64.0.0/16"]


def test_an_alarm_by_a_query_has_no_threshold_and_is_read() -> None:
    alarm = {
        "AlarmName": "theirs", "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:theirs", "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:uda-alarms"],
    }  # fmt: skip
    assert watch._found_alarm(alarm, by_name=False).fields["comparison"] is None
    assert fleet._found_alarm(alarm, "arn:policy")["periods"] is None


def subscriptions(*found: tuple[str, str]) -> list[tuple[str, list[str]]]:
    """What a topic is told to have, whose wanted address is me@example.com."""
    listed = [
        {"Protocol": "email", "Endpoint": address, "SubscriptionArn": arn, "Wanted": address == "me@example.com"} for address, arn in found
    ]
    topic = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:uda-alarms", "Subscriptions": listed, "Tags": [], "ByName": False}
    return [(one.key, one.fields.get("subscriptions", one.fields.get("state"))) for one in watch._topic(topic)]


def test_an_address_that_has_ended_its_subscription_is_told_as_long_as_aws_lists_it() -> None:
    assert subscriptions(("me@example.com", "Deleted")) == [
        ("uda-alarms", ["email me@example.com"]),
        ("uda-alarms/email me@example.com", "Deleted"),
    ]


def test_an_address_that_has_come_again_is_counted_once() -> None:
    both = (("me@example.com", "Deleted"), ("me@example.com", "arn:aws:sns:us-east-1:123456789012:uda-alarms:1"))
    assert subscriptions(*both) == [("uda-alarms", ["email me@example.com"])]
