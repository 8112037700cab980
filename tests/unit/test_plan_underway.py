"""What a killed run has left to AWS: the next run goes through its layer and waits, although every field is as wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.plan.model import Change, Difference, Resource
from ansible.module_utils.plan.render import as_json, counted
from ansible.module_utils.plan.underway import underway

GROUP = {"AutoScalingGroupName": "g", "DesiredCapacity": 2, "TargetGroupARNs": ["arn"]}
SERVICE = {"serviceName": "api", "runningCount": 2, "desiredCount": 2, "deployments": [{"rolloutState": "COMPLETED"}]}
TAGS = [{"Key": "Key", "Value": "main"}]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, {}),
        ({"databases": [{"DBInstanceIdentifier": "db", "DBInstanceStatus": "creating"}]}, {("db_instance", "db"): "creating"}),
        ({"databases": [{"DBInstanceIdentifier": "db", "DBInstanceStatus": "available"}]}, {}),
        ({"load_balancers": [{"LoadBalancerName": "a", "State": {"Code": "provisioning"}}]}, {("load_balancer", "a"): "provisioning"}),
        ({"nat_gateways": [{"State": "pending", "Tags": TAGS}]}, {("nat_gateway", "main"): "pending"}),
        ({"vpc_endpoints": [{"State": "Pending", "Tags": TAGS}]}, {("vpc_endpoint", "main"): "pending"}),
        ({"images": [{"Name": "image", "State": "pending"}]}, {("image", "image"): "pending"}),
        ({"groups": [GROUP], "target_health": {"arn": ["healthy", "initial"]}}, {("auto_scaling_group", "g"): "1 of 2 instances healthy"}),
        ({"groups": [GROUP], "target_health": {"arn": ["healthy", "healthy", "draining"]}}, {}),
        ({"groups": [GROUP | {"TargetGroupARNs": []}]}, {}),
        ({"groups": [GROUP], "target_health": {"arn": ["healthy"] * 3}, "instance_refreshes": {"g": {"Status": "InProgress"}}},
         {("auto_scaling_group", "g"): "instance refresh InProgress"}),
        ({"ecs_services": [SERVICE]}, {}),
        ({"ecs_services": [SERVICE | {"runningCount": 1}]}, {("ecs_service", "api"): "1 of 2 tasks run"}),
        ({"ecs_services": [SERVICE | {"deployments": [{"rolloutState": "IN_PROGRESS"}]}]}, {("ecs_service", "api"): "2 of 2 tasks run"}),
    ],
)  # fmt: skip
def test_what_aws_works_on_is_told_by_its_state(found: dict[str, Any], told: dict[tuple[str, str], str]) -> None:
    assert underway(found) == told


def test_a_layer_in_which_aws_still_works_is_not_passed_over_though_nothing_is_to_do() -> None:
    wanted = [Resource("db_instance", "db", {}), Resource("vpc", "vpc", {})]
    plan = as_json([], wanted, KINDS, {("db_instance", "db"): "creating", ("image", "an older one"): "pending"})
    assert (plan["empty"], plan["layers"]) == (True, ["database"])
    assert "network" in plan["settled"]
    assert counted(plan) == "Nothing to do: 2 unchanged.\nUnder way: db_instance db (creating)."


def test_a_resource_belongs_to_the_layer_that_makes_it_this_time() -> None:
    bucket = Resource("bucket", "deploy", {}, layer="fleet")
    plan = as_json([Change("update", Resource("bucket", "deploy", {}), (Difference("tags", {}, {"a": "b"}),))], [bucket], KINDS)
    assert plan["layers"] == ["fleet"]
    assert plan["changes"][0]["layer"] == "fleet"
    assert "release" in plan["settled"]


def test_what_refers_to_a_replaced_resource_brings_its_layer_along() -> None:
    replaced = Change(
        "replace", Resource("vpc", "vpc", {}, id="vpc-1"), (Difference("cidr", "a", "b", True),), follows=("security_group web",)
    )
    plan = as_json([replaced], [Resource("vpc", "vpc", {}), Resource("security_group", "web", {}, "web")], KINDS)
    assert plan["layers"] == ["network", "security"]
