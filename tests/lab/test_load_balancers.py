from __future__ import annotations

from typing import Any

import pytest

from lab.services.balancer_state import addresses, configuration, load_balancers
from lab.services.haproxy_runtime import Server
from lab.services.load_balancers import target_health


def test_a_load_balancer_owns_a_public_interface_in_each_of_its_subnets(cloud: Any) -> None:
    arn = cloud.load_balancer()
    found = cloud.interfaces(f"ELB app/uda-alb/{arn.rsplit('/', 1)[1]}")
    assert {interface["SubnetId"] for interface in found} == set(cloud.subnet_ids)
    assert all(interface["RequesterManaged"] and interface["Association"]["PublicIp"] for interface in found)
    assert all([group["GroupId"] for group in interface["Groups"]] == [cloud.group_id] for interface in found)


def test_an_internal_load_balancer_has_no_public_address(cloud: Any) -> None:
    cloud.load_balancer(Scheme="internal")
    assert not any("Association" in interface and interface["Association"] for interface in cloud.interfaces("ELB"))
    elbv2, balancer = next(load_balancers())
    assert addresses(elbv2, balancer).public == ()
    assert balancer.dns_name.startswith("internal-uda-alb-")


def test_its_interfaces_follow_its_groups_and_its_subnets(cloud: Any) -> None:
    arn = cloud.load_balancer()
    other = cloud.ec2.create_security_group(GroupName="alb", Description="alb", VpcId=cloud.vpc_id)["GroupId"]
    cloud.elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[other])
    third = cloud.subnet("10.0.4.0/24", "d")
    cloud.elbv2.set_subnets(LoadBalancerArn=arn, Subnets=[cloud.subnet_ids[0], third])
    found = cloud.interfaces("ELB")
    assert {interface["SubnetId"] for interface in found} == {cloud.subnet_ids[0], third}
    assert {group["GroupId"] for interface in found for group in interface["Groups"]} == {other}


def test_they_end_with_it(cloud: Any) -> None:
    cloud.elbv2.delete_load_balancer(LoadBalancerArn=cloud.load_balancer())
    assert cloud.interfaces("ELB") == []


def test_it_becomes_a_machine_with_all_its_addresses_and_its_configuration(cloud: Any) -> None:
    cloud.target_group(cloud.load_balancer(), HealthCheckPath="/health")
    machine = next(machine for machine in cloud.round().machines.values() if machine.kind == "load_balancer")
    assert set(machine.addresses) == {interface["PrivateIpAddress"] for interface in cloud.interfaces("ELB")}
    assert "uri '/health'" in machine.files["haproxy.cfg"]
    assert machine.command is not None


def test_it_is_provisioning_until_it_answers(cloud: Any) -> None:
    cloud.load_balancer()
    assert cloud.elbv2.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "provisioning"
    cloud.round(2)  # nobody answers on the socket
    assert cloud.elbv2.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "provisioning"


def test_what_aws_refuses_about_load_balancers_is_refused(cloud: Any, refused: Any) -> None:
    arn = cloud.load_balancer()
    create, subnets = cloud.elbv2.create_load_balancer, cloud.subnet_ids
    assert cloud.load_balancer() == arn  # the same again is no error
    assert refused(create, Name="uda-alb", Subnets=subnets, Scheme="internal") == "DuplicateLoadBalancerName"
    assert refused(create, Name="b", Subnets=subnets[:1]) == "ValidationError"
    cloud.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}])
    assert refused(cloud.elbv2.delete_load_balancer, LoadBalancerArn=arn) == "OperationNotPermitted"


def test_an_internet_facing_one_needs_an_internet_gateway(cloud: Any, refused: Any) -> None:
    cloud.ec2.detach_internet_gateway(VpcId=cloud.vpc_id, InternetGatewayId=cloud.gateway_id)
    assert refused(cloud.elbv2.create_load_balancer, Name="b", Subnets=cloud.subnet_ids) == "InvalidSubnet"


def test_two_listeners_do_not_share_a_port(cloud: Any, refused: Any) -> None:
    arn = cloud.load_balancer()
    group = cloud.target_group(arn)
    action = {"Type": "forward", "TargetGroupArn": group}
    listener = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 80, "DefaultActions": [action]}
    assert refused(cloud.elbv2.create_listener, **listener) == "DuplicateListener"


def test_a_load_balancer_without_target_groups_has_none(cloud: Any) -> None:
    assert cloud.elbv2.describe_target_groups(LoadBalancerArn=cloud.load_balancer())["TargetGroups"] == []


def test_a_target_group_stays_while_a_listener_forwards_to_it_and_is_free_afterwards(cloud: Any, refused: Any) -> None:
    arn = cloud.load_balancer()
    group = cloud.target_group(arn)
    assert refused(cloud.elbv2.delete_target_group, TargetGroupArn=group) == "ResourceInUse"
    cloud.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    assert cloud.elbv2.describe_target_groups()["TargetGroups"][0]["LoadBalancerArns"] == []
    cloud.elbv2.delete_target_group(TargetGroupArn=group)


@pytest.fixture
def running(cloud: Any) -> str:
    launched = cloud.ec2.run_instances(ImageId=cloud.image_id, MinCount=1, MaxCount=1, SubnetId=cloud.subnet_ids[0])
    cloud.round(2)
    return str(launched["Instances"][0]["InstanceId"])


def test_a_target_is_initial_until_the_load_balancer_has_seen_it(cloud: Any, running: str) -> None:
    group = cloud.target_group(cloud.load_balancer())
    cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    assert cloud.target_health(group)[running]["Reason"] == "Elb.RegistrationInProgress"


def test_a_target_of_a_group_without_load_balancer_is_unused(cloud: Any, running: str) -> None:
    group = cloud.target_group()
    cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    assert cloud.target_health(group)[running]["Reason"] == "Target.NotInUse"


def test_a_stopped_target_is_unused_and_gets_no_requests(cloud: Any, running: str) -> None:
    group = cloud.target_group(cloud.load_balancer())
    cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    cloud.ec2.stop_instances(InstanceIds=[running])
    cloud.round(2)
    health = cloud.target_health(group)[running]
    assert (health["State"], health["Reason"]) == ("unused", "Target.InvalidState")
    assert health["Description"] == "Target is in the stopped state"
    assert configuration(*next(load_balancers())).groups[0].targets == ()


def test_a_deregistered_target_drains(cloud: Any, running: str) -> None:
    group = cloud.target_group(cloud.load_balancer())
    cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    cloud.elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    assert cloud.target_health(group)[running]["Reason"] == "Target.DeregistrationInProgress"
    cloud.see(group)
    assert cloud.target_health(group) == {}


def test_deregistering_a_stranger_is_no_error(cloud: Any, running: str) -> None:
    cloud.elbv2.deregister_targets(TargetGroupArn=cloud.target_group(), Targets=[{"Id": running}])


def test_a_terminated_target_leaves_its_group_by_itself(cloud: Any, running: str) -> None:
    group = cloud.target_group(cloud.load_balancer())
    cloud.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": running}])
    cloud.ec2.terminate_instances(InstanceIds=[running])
    cloud.round(3)
    cloud.see(group)
    assert cloud.target_health(group) == {}


class Seen:
    """As much of a target group as `target_health` looks at."""

    unhealthy_threshold_count, health_check_interval_seconds = 2, 10

    def __init__(self, before: str) -> None:
        self.lab_health = {"i-1": (before, None, None)}
        self.lab_registered: dict[str, float] = {}


@pytest.mark.parametrize(
    ("before", "server", "state", "reason"),
    [
        ("initial", Server("UP", "L7OK", "200", 0), "healthy", None),
        ("healthy", Server("UP 1/2", "L7STS", "500", 0), "healthy", None),
        ("initial", Server("DOWN", "INI", "", 0), "initial", "Elb.InitialHealthChecking"),
        ("initial", Server("DOWN 1/2", "L7OK", "200", 0), "initial", "Elb.InitialHealthChecking"),
        ("initial", Server("DOWN", "L4CON", "", 0), "unhealthy", "Target.FailedHealthChecks"),
        ("healthy", Server("DOWN", "L7STS", "503", 0), "unhealthy", "Target.ResponseCodeMismatch"),
        ("healthy", Server("DOWN", "L4TOUT", "", 0), "unhealthy", "Target.Timeout"),
        ("healthy", Server("DOWN", "L7TOUT", "", 0), "unhealthy", "Target.Timeout"),
        ("unhealthy", Server("DOWN 1/2", "L7OK", "200", 0), "unhealthy", "Target.FailedHealthChecks"),
    ],
)
def test_what_haproxy_sees_becomes_aws_s_state_and_reason(before: str, server: Server, state: str, reason: str | None) -> None:
    assert target_health(Seen(before), "i-1", server)[:2] == (state, reason)


def test_the_description_names_the_code_that_came() -> None:
    assert target_health(Seen("healthy"), "i-1", Server("DOWN", "L7STS", "503", 0))[2] == "Health checks failed with these codes: [503]"
