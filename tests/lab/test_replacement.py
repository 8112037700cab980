"""The replacement of a fleet by another launch template version: to its end, or back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.stack.replacement import Replacement, ReplacementError, Wanted, desired_configuration, told, trouble

from lab.aws import consoles
from lab.services.ec2 import instances

PREFERENCES = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 0}


@pytest.fixture
def fleet(cloud: Any) -> tuple[str, str]:
    """A fleet of two of version 1, of a type of the group's own, that is to become version 2; its template and target group."""
    group, template = cloud.target_group(cloud.load_balancer()), cloud.launch_template()
    specification = {"LaunchTemplateId": template, "Version": "1"}
    mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": specification, "Overrides": [{"InstanceType": "t2.nano"}]}}
    cloud.fleet(template, TargetGroupARNs=[group], HealthCheckType="ELB", LaunchTemplate=None, MixedInstancesPolicy=mixed)
    cloud.round(3)
    cloud.see(group)
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"UserData": "aGVsbG8="})
    return template, group


def replacement(cloud: Any, template: str, look: Callable[[], None], version: str = "2", timeout: float = 60.0) -> Replacement:
    """A replacement in whose pauses the lab works, and the load balancer looks at its targets."""

    def pause(_seconds: float) -> None:
        cloud.round()
        look()

    wanted = Wanted("web", template, version, PREFERENCES, timeout)
    return Replacement(cloud.autoscaling, cloud.ec2, wanted, pause, delay=1.0)


def versions(cloud: Any) -> set[str]:
    return {member["LaunchTemplate"]["Version"] for member in cloud.members()}


def configured(cloud: Any) -> str:
    policy = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["MixedInstancesPolicy"]
    assert [override["InstanceType"] for override in policy["LaunchTemplate"]["Overrides"]] == ["t2.nano"]
    return str(policy["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"])


def test_a_good_version_replaces_everybody_and_becomes_the_groups(cloud: Any, fleet: tuple[str, str]) -> None:
    template, group = fleet
    made = replacement(cloud, template, lambda: cloud.see(group))
    assert made.bring() is True
    assert (versions(cloud), configured(cloud)) == ({"2"}, "2")
    assert {instance.instance_type for instance in instances() if instance.state == "running"} == {"t2.nano"}
    assert made.bring() is False


def test_a_version_whose_instances_do_not_become_healthy_goes_back_and_is_told_with_their_consoles(
    cloud: Any, fleet: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    template, group = fleet
    before = {member["InstanceId"] for member in cloud.members()}
    monkeypatch.setattr(consoles, "_read", lambda _id: "booting\nrelease_pull: FAILED: it is truncated\n[ OK ] Started\n")

    def look() -> None:
        cloud.see(group)
        cloud.see_some(group, set(cloud.target_health(group)) - before, "unhealthy")

    with pytest.raises(ReplacementError, match=r"version 2 ended as RollbackSuccessful.*release_pull: FAILED: it is truncated") as error:
        replacement(cloud, template, look, timeout=20).bring()
    assert "the instances of the former version serve" in str(error.value)
    assert (versions(cloud), configured(cloud)) == ({"1"}, "1")
    assert {member["InstanceId"] for member in cloud.members()} == before


def test_a_refresh_that_was_left_behind_is_awaited_and_what_counts_is_what_runs_then(cloud: Any, fleet: tuple[str, str]) -> None:
    template, group = fleet
    described = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    cloud.autoscaling.start_instance_refresh(
        AutoScalingGroupName="web", DesiredConfiguration=desired_configuration(described, template, "2"), Preferences=PREFERENCES
    )
    assert replacement(cloud, template, lambda: cloud.see(group)).bring() is False
    assert (versions(cloud), configured(cloud)) == ({"2"}, "2")


def test_a_group_that_is_not_there_is_told(cloud: Any) -> None:
    cloud.autoscaling.describe_instance_refreshes = lambda **_: {"InstanceRefreshes": []}
    with pytest.raises(ReplacementError, match="There is no Auto Scaling group web"):
        replacement(cloud, "lt-1", lambda: None).bring()


def test_trouble_is_the_newest_lines_with_an_error_each_once() -> None:
    console = "\n".join(["ok", *(f"Failed  to start {number}" for number in range(5)), "Failed to start 4", "ok"])
    assert trouble(console) == [f"Failed to start {number}" for number in range(1, 5)]


def test_an_end_that_is_no_rollback_sends_to_the_group() -> None:
    wanted = Wanted("web", "lt-1", "3", {})
    text = told({"Status": "Failed"}, wanted, "")
    assert text == (
        "The replacement of the instances of web by version 3 ended as Failed, look at what runs in the group now: no reason given."
        " Correct the cause and run again."
    )
