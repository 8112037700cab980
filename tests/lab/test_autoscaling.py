from __future__ import annotations

from collections import Counter
from typing import Any

import pytest


@pytest.fixture
def web(cloud: Any) -> str:
    """A fleet of two behind a load balancer, in service and healthy; its target group."""
    group = cloud.target_group(cloud.load_balancer())
    cloud.fleet(cloud.launch_template(), TargetGroupARNs=[group], HealthCheckType="ELB", HealthCheckGracePeriod=60)
    cloud.round(3)
    cloud.see(group)
    return str(group)


def states(cloud: Any) -> dict[str, str]:
    return {member["InstanceId"]: member["LifecycleState"] for member in cloud.members()}


def refreshes(cloud: Any) -> dict[str, Any]:
    return dict(cloud.autoscaling.describe_instance_refreshes(AutoScalingGroupName="web")["InstanceRefreshes"][0])


def test_a_fleet_is_pending_then_in_service_over_all_zones_and_registered(cloud: Any) -> None:
    group = cloud.target_group(cloud.load_balancer())
    cloud.fleet(cloud.launch_template(), TargetGroupARNs=[group])
    assert cloud.members() == []
    cloud.round()
    assert set(states(cloud).values()) == {"Pending"}
    cloud.round(2)
    assert set(states(cloud).values()) == {"InService"}
    assert Counter(member["AvailabilityZone"][-1] for member in cloud.members()) == {"a": 1, "c": 1}
    assert set(cloud.target_health(group)) == set(states(cloud))


def test_an_instance_is_what_its_template_says(cloud: Any) -> None:
    nic = {"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [cloud.group_id]}
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Role", "Value": "web"}]}]
    made = cloud.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": cloud.image_id, "InstanceType": "t3.micro", "UserData": "aGVsbG8=", "NetworkInterfaces": [nic],
            "TagSpecifications": tags, "MetadataOptions": {"HttpTokens": "required"},
        },
    )  # fmt: skip
    propagated = {"Key": "Name", "Value": "uda-web", "PropagateAtLaunch": True}
    kept = {"Key": "Kept", "Value": "no", "PropagateAtLaunch": False}
    cloud.fleet(made["LaunchTemplate"]["LaunchTemplateId"], Tags=[propagated, kept])
    cloud.round()
    instance = cloud.ec2.describe_instances()["Reservations"][0]["Instances"][0]
    found = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert found.items() >= {"Role": "web", "Name": "uda-web", "aws:autoscaling:groupName": "web"}.items()
    assert "Kept" not in found
    assert instance["InstanceType"] == "t3.micro"
    assert instance["PublicIpAddress"]
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [cloud.group_id]
    assert instance["MetadataOptions"]["HttpTokens"] == "required"


def test_the_types_of_a_mixed_instances_policy_go_before_the_templates_and_are_told_again(cloud: Any) -> None:
    specification = {"LaunchTemplateId": cloud.launch_template(), "Version": "1"}
    overrides = [{"InstanceType": "t2.nano"}, {"InstanceType": "t2.micro"}]
    template = {"LaunchTemplateSpecification": specification, "Overrides": overrides}
    cloud.fleet("", LaunchTemplate=None, MixedInstancesPolicy={"LaunchTemplate": template})
    cloud.round(3)
    group = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert {member["InstanceType"] for member in group["Instances"]} == {"t2.nano"}
    assert group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == overrides
    distribution = group["MixedInstancesPolicy"]["InstancesDistribution"]
    assert distribution["OnDemandPercentageAboveBaseCapacity"] == 100
    assert "LaunchTemplate" not in group
    cloud.autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", LaunchTemplate=specification)
    group = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert (group["LaunchTemplate"]["Version"], "MixedInstancesPolicy" in group) == ("1", False)


def test_latest_is_resolved_at_each_launch_and_each_member_tells_its_version(cloud: Any, web: str) -> None:
    template = cloud.ec2.describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateId"]
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    cloud.round(2)
    assert sorted(member["LaunchTemplate"]["Version"] for member in cloud.members()) == ["1", "1", "2"]


def test_a_terminated_member_is_replaced_and_the_new_one_registered(cloud: Any, web: str) -> None:
    gone = next(iter(states(cloud)))
    cloud.ec2.terminate_instances(InstanceIds=[gone])
    cloud.round()
    assert cloud.target_health(web)[gone]["State"] == "draining"
    for _ in range(4):
        cloud.see(web)
        cloud.round()
    assert gone not in states(cloud)
    assert list(states(cloud).values()) == ["InService", "InService"]
    assert set(cloud.target_health(web)) == set(states(cloud))


def test_an_unhealthy_target_is_replaced_after_the_grace_period_after_it_has_drained(cloud: Any, web: str) -> None:
    cloud.see(web, "unhealthy")
    cloud.round()
    assert set(states(cloud).values()) == {"InService"}
    cloud.backdate(100)
    cloud.round()
    assert Counter(states(cloud).values()) == {"Terminating": 2, "Pending": 2}
    running = [one for page in cloud.ec2.describe_instances()["Reservations"] for one in page["Instances"]]
    assert not any(instance["State"]["Name"] in ("shutting-down", "terminated") for instance in running)  # still draining
    cloud.see(web)
    cloud.round(3)
    assert Counter(states(cloud).values()) == {"InService": 2}


def test_set_instance_health_respects_the_grace_period_unless_told_otherwise(cloud: Any, web: str) -> None:
    sick = next(iter(states(cloud)))
    cloud.autoscaling.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy")
    assert {member["HealthStatus"] for member in cloud.members()} == {"Healthy"}
    cloud.autoscaling.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    cloud.round()
    assert states(cloud)[sick] == "Terminating"


def test_scaling_in_and_out_keeps_within_the_bounds(cloud: Any, web: str, refused: Any) -> None:
    scale = cloud.autoscaling.set_desired_capacity
    assert refused(scale, AutoScalingGroupName="web", DesiredCapacity=5) == "ValidationError"
    assert refused(scale, AutoScalingGroupName="web", DesiredCapacity=1) == "ValidationError"
    cloud.autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=3)
    cloud.round(2)
    assert len(cloud.members()) == 3
    assert cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["DesiredCapacity"] == 3


def test_terminate_instance_in_auto_scaling_group_can_shrink_the_group_but_not_below_its_minimum(
    cloud: Any, web: str, refused: Any
) -> None:
    member, terminate = next(iter(states(cloud))), cloud.autoscaling.terminate_instance_in_auto_scaling_group
    assert refused(terminate, InstanceId=member, ShouldDecrementDesiredCapacity=True) == "ValidationError"
    cloud.autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", MinSize=1)
    activity = terminate(InstanceId=member, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert activity["Description"] == f"Terminating EC2 instance: {member}"
    assert "shrinking the capacity from 2 to 1" in activity["Cause"]
    cloud.see(web)
    cloud.round(4)
    assert len(cloud.members()) == 1


def test_activities_tell_the_story(cloud: Any, web: str) -> None:
    found = cloud.autoscaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    assert len(found) == 2
    assert {activity["StatusCode"] for activity in found} == {"Successful"}
    assert found[0]["Description"].startswith("Launching a new EC2 instance: i-")
    assert "increasing the capacity from 0 to 2" in found[0]["Cause"]


def test_a_launch_that_ec2_refuses_is_a_failed_activity(cloud: Any) -> None:
    cloud.fleet(cloud.launch_template(ImageId="ami-0123456789abcdef0"))
    cloud.round(2)
    found = cloud.autoscaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    assert {activity["StatusCode"] for activity in found} == {"Failed"}
    assert "does not exist" in found[0]["StatusMessage"]
    assert cloud.members() == []


def test_a_refresh_replaces_everybody_one_after_another_and_never_goes_below_two(cloud: Any, web: str) -> None:
    template = cloud.ec2.describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateId"]
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    before = set(states(cloud))
    preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "InstanceWarmup": 0, "SkipMatching": True}
    cloud.autoscaling.start_instance_refresh(AutoScalingGroupName="web", Preferences=preferences)
    assert refreshes(cloud)["Status"] == "Pending"
    for _ in range(30):
        cloud.round()
        healthy = [health for health in cloud.target_health(web).values() if health["State"] == "healthy"]
        assert len(healthy) >= 2
        if refreshes(cloud)["Status"] == "Successful":
            break
        cloud.see(web)
    assert refreshes(cloud)["Status"] == "Successful"
    assert refreshes(cloud)["PercentageComplete"] == 100
    assert not before & set(states(cloud))
    assert {member["LaunchTemplate"]["Version"] for member in cloud.members()} == {"2"}
    assert {member["AvailabilityZone"][-1] for member in cloud.members()} == {"a", "c"}


def test_skip_matching_leaves_those_alone_that_are_up_to_date(cloud: Any, web: str) -> None:
    before = set(states(cloud))
    cloud.autoscaling.start_instance_refresh(AutoScalingGroupName="web", Preferences={"SkipMatching": True})
    cloud.round(2)
    assert (refreshes(cloud)["Status"], set(states(cloud))) == ("Successful", before)


def test_there_is_one_refresh_at_a_time_and_it_can_be_cancelled(cloud: Any, web: str, refused: Any) -> None:
    start, cancel = cloud.autoscaling.start_instance_refresh, cloud.autoscaling.cancel_instance_refresh
    assert refused(cancel, AutoScalingGroupName="web") == "ActiveInstanceRefreshNotFound"
    start(AutoScalingGroupName="web")
    assert refused(start, AutoScalingGroupName="web") == "InstanceRefreshInProgress"
    cancel(AutoScalingGroupName="web")
    cloud.round()
    assert refreshes(cloud)["Status"] == "Cancelled"
    assert set(states(cloud).values()) == {"InService"}


def test_a_refresh_to_a_desired_configuration_changes_the_group_only_when_it_succeeds_and_can_be_rolled_back(cloud: Any, web: str) -> None:
    template = cloud.ec2.describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateId"]
    cloud.autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", LaunchTemplate={"LaunchTemplateId": template, "Version": "1"})
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    wanted = {"LaunchTemplate": {"LaunchTemplateId": template, "Version": "2"}}
    preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 0}

    def refresh(rounds: int) -> None:
        for _ in range(rounds):
            cloud.round()
            cloud.see(web)

    cloud.autoscaling.start_instance_refresh(AutoScalingGroupName="web", DesiredConfiguration=wanted, Preferences=preferences)
    refresh(3)
    cloud.autoscaling.rollback_instance_refresh(AutoScalingGroupName="web")
    refresh(12)
    assert refreshes(cloud)["Status"] == "RollbackSuccessful"
    assert {member["LaunchTemplate"]["Version"] for member in cloud.members()} == {"1"}
    cloud.autoscaling.start_instance_refresh(AutoScalingGroupName="web", DesiredConfiguration=wanted, Preferences=preferences)
    refresh(12)
    assert refreshes(cloud)["Status"] == "Successful"
    group = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert group["LaunchTemplate"]["Version"] == "2"


def test_a_group_with_instances_goes_only_by_force_and_after_them(cloud: Any, web: str, refused: Any) -> None:
    delete = cloud.autoscaling.delete_auto_scaling_group
    assert refused(delete, AutoScalingGroupName="web") == "ResourceInUse"
    delete(AutoScalingGroupName="web", ForceDelete=True)
    group = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert group["Status"] == "Delete in progress"
    cloud.round()
    cloud.see(web)
    cloud.round(5)
    assert cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert not [machine_id for machine_id in cloud.engine.machines() if machine_id.startswith("i-")]


def test_what_the_collections_module_needs_to_see_no_change(cloud: Any) -> None:
    tags = [{"Key": key, "Value": "x", "PropagateAtLaunch": True} for key in ("Name", "Alpha")]
    cloud.fleet(cloud.launch_template(), Tags=tags, HealthCheckGracePeriod=0)
    cloud.autoscaling.disable_metrics_collection(AutoScalingGroupName="web")
    group = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert [tag["Key"] for tag in group["Tags"]] == ["Alpha", "Name"]
    assert group["HealthCheckGracePeriod"] == 0
    cloud.autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", DefaultCooldown=30, TerminationPolicies=["OldestInstance"])
    group = cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert (group["DefaultCooldown"], group["TerminationPolicies"]) == (30, ["OldestInstance"])
