"""VPC endpoints in the plan: wanted and found are equal after a run, and every attribute that somebody changes is named."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible.module_utils.plan import endpoints

from .planned import brief, planned
from .wanted import wanted

TAGS = {"Stack": "uda", "Environment": "dev", "ManagedBy": "ansible"}
MAP = {
    "secrets": {"name": "secrets", "service": "secretsmanager", "tier": "private", "security_group": "endpoints"},
    "files": {"name": "files", "service": "s3", "type": "gateway", "route_tables": ["b", "a"]},
}
ARGUMENTS = {
    "vpc_endpoints_map": MAP,
    "vpc_endpoints_region": "us-west-2",
    "vpc_endpoints_vpc_id": "vpc-1",
    "vpc_endpoints_subnet_ids": {"private": ["subnet-2", "subnet-1"]},
    "vpc_endpoints_security_group_ids": {"endpoints": "sg-1"},
    "vpc_endpoints_route_table_ids": {"a": "rtb-1", "b": "rtb-2"},
    "vpc_endpoints_tags": TAGS,
}


def tags(key: str, **changed: str) -> list[dict[str, str]]:
    every = TAGS | {"Name": key, "Role": "network", "Key": key} | changed
    return [{"Key": name, "Value": value} for name, value in every.items() if value]


def interface(**changed: Any) -> dict[str, Any]:
    return {
        "VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.us-west-2.secretsmanager", "State": "Available",
        "VpcEndpointType": "Interface", "SubnetIds": ["subnet-1", "subnet-2"], "Groups": [{"GroupId": "sg-1", "GroupName": "e"}],
        "RouteTableIds": [], "PrivateDnsEnabled": True, "Tags": tags("secrets"),
    } | changed  # fmt: skip


def gateway(**changed: Any) -> dict[str, Any]:
    return {
        "VpcEndpointId": "vpce-2", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.us-west-2.s3", "State": "available",
        "VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-2", "rtb-1"], "PrivateDnsEnabled": False, "Tags": tags("files"),
    } | changed  # fmt: skip


def plan(tagged: list[dict[str, Any]], everything: list[dict[str, Any]] | None = None) -> list[tuple[str, str, str, list[str]]]:
    keys = {"secretsmanager": "secrets", "s3": "files"}
    found = {"vpc_endpoints": tagged, "all_vpc_endpoints": everything or tagged, "vpc_endpoint_keys": keys}
    return brief(planned(endpoints, endpoints.want_endpoints(ARGUMENTS), endpoints.found_endpoints(found)))


def test_what_a_run_has_made_is_no_change() -> None:
    assert plan([interface(), gateway()]) == []
    assert plan([]) == [
        ("create", "vpc_endpoint", key, ["vpc", "service", "type", "subnets", "security_groups", "route_tables", "private_dns", "tags"])
        for key in ("files", "secrets")
    ]


@pytest.mark.parametrize(
    ("changed", "action", "field"),
    [
        ({"SubnetIds": ["subnet-1"]}, "update", "subnets"),
        ({"Groups": [{"GroupId": "sg-1"}, {"GroupId": "sg-9"}]}, "update", "security_groups"),
        ({"PrivateDnsEnabled": False}, "update", "private_dns"),
        ({"Tags": tags("secrets", Name="other")}, "update", "tags"),
        ({"Tags": tags("secrets", Key="")}, "update", "tags"),
        ({"VpcId": "vpc-9"}, "replace", "vpc"),
        ({"ServiceName": "com.amazonaws.us-west-2.logs"}, "replace", "service"),
        ({"VpcEndpointType": "GatewayLoadBalancer"}, "replace", "type"),
    ],
)
def test_every_attribute_of_an_interface_endpoint_is_named(changed: dict[str, Any], action: str, field: str) -> None:
    assert plan([interface(**changed), gateway()]) == [(action, "vpc_endpoint", "secrets", [field])]


def test_the_route_tables_of_a_gateway_endpoint_are_compared_without_their_order() -> None:
    assert plan([interface(), gateway(RouteTableIds=["rtb-1", "rtb-2"])]) == []
    assert plan([interface(), gateway(RouteTableIds=["rtb-1"])]) == [("update", "vpc_endpoint", "files", ["route_tables"])]


def test_one_that_goes_is_made_anew_and_one_that_the_inventory_has_no_more_goes() -> None:
    other = interface(VpcEndpointId="vpce-3", ServiceName="com.amazonaws.us-west-2.logs", Tags=tags("logs"))
    assert [one[:3] for one in plan([interface(State="deleting"), gateway(), other])] == [
        ("delete", "vpc_endpoint", "logs"), ("create", "vpc_endpoint", "secrets"),
    ]  # fmt: skip


def test_one_without_the_stacks_tags_is_taken_up_when_its_service_is_wanted_and_else_is_foreign() -> None:
    lost, stranger = interface(Tags=[]), interface(VpcEndpointId="vpce-9", ServiceName="com.amazonaws.us-west-2.ecr.api", Tags=[])
    assert [one[:3] for one in plan([gateway()], [gateway(), lost, stranger])] == [
        ("update", "vpc_endpoint", "secrets"), ("foreign", "vpc_endpoint", "vpce-9"),
    ]  # fmt: skip


def test_an_endpoint_of_a_stack_of_this_house() -> None:
    arguments = deepcopy(ARGUMENTS) | {"vpc_endpoints_map": wanted("students")["vpc_endpoints_map"], "vpc_endpoints_security_group_ids": {}}
    (endpoint,) = endpoints.want_endpoints(arguments)
    assert (endpoint.key, endpoint.name) == ("secrets", "students-secrets")
    assert endpoint.fields["security_groups"] == ["<security_group/endpoints#id>"]
