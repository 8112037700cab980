"""A group of real machines grows under load and shrinks again, and its activities tell why; the load balancer's figures are counted.

The lab's pace is 20: a minute of alarms lasts three seconds.
"""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from lab import lifecycle, settings
from lab.engine.podman import Podman

pytestmark = pytest.mark.machines
REGION = "eu-west-1"
USER_DATA = "IyEvYmluL3NoCmNkIC9ydW4gJiYgc3lzdGVtZC1ydW4gLS11bml0IHdlYiBweXRob24zIC1tIGh0dHAuc2VydmVyIDgwCg=="  # serves files on port 80


@pytest.fixture(scope="module")
def lab() -> Iterator[settings.Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_PACE", "20")
        found = settings.load("test-scaling")
        lifecycle.down(found, forget=True, say=print)
        lifecycle.up(found, print)
        yield found
        lifecycle.down(found, forget=True, say=print)


@pytest.fixture(scope="module")
def aws(lab: settings.Settings) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=lab.endpoint_url,
            aws_access_key_id=settings.ACCESS_KEY_ID, aws_secret_access_key=settings.SECRET_ACCESS_KEY,
        )  # fmt: skip

    return client


@pytest.fixture(scope="module")
def fleet(aws: Callable[[str], Any]) -> None:
    """One to three web servers in two zones behind a load balancer, target tracking on CPU."""
    ec2, elbv2, autoscaling = aws("ec2"), aws("elbv2"), aws("autoscaling")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway_id = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
    subnet_ids = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]
    group_id = ec2.create_security_group(GroupName="web", Description="HTTP", VpcId=vpc_id)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    balancer = elbv2.create_load_balancer(Name="web", Subnets=subnet_ids, SecurityGroups=[group_id])["LoadBalancers"][0]["LoadBalancerArn"]
    checks = {"HealthCheckIntervalSeconds": 5, "HealthyThresholdCount": 2, "HealthCheckTimeoutSeconds": 2}
    group = elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc_id, **checks)["TargetGroups"][0]["TargetGroupArn"]
    action = {"Type": "forward", "TargetGroupArn": group}
    elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
    image_id = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    data = {"ImageId": image_id, "InstanceType": "t3.micro", "SecurityGroupIds": [group_id], "UserData": USER_DATA}
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=1, MaxSize=3, VPCZoneIdentifier=",".join(subnet_ids), TargetGroupARNs=[group],
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"},
    )  # fmt: skip
    configuration = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 15.0}
    autoscaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="cpu", PolicyType="TargetTrackingScaling", EstimatedInstanceWarmup=60,
        TargetTrackingConfiguration=configuration,
    )  # fmt: skip
    until(lambda: len(in_service(aws)) == 1)


def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)


def in_service(aws: Callable[[str], Any]) -> list[str]:
    group = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]
    return [member["InstanceId"] for member in group["Instances"] if member["LifecycleState"] == "InService"]


def causes(aws: Callable[[str], Any]) -> list[str]:
    """Newest first."""
    return [activity["Cause"] for activity in aws("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")["Activities"]]


def test_a_fleet_grows_under_load_and_shrinks_without_it(lab: settings.Settings, aws: Callable[[str], Any], fleet: None) -> None:
    first = in_service(aws)
    engine = Podman(lab)
    engine.run(first[0], ["systemd-run", "--unit", "burn", "sh", "-c", "while :; do :; done"])
    until(lambda: len(in_service(aws)) > 1)
    assert "-AlarmHigh-" in causes(aws)[0]
    assert "triggered policy cpu changing the desired capacity from 1 to" in causes(aws)[0]

    engine.run(first[0], ["systemctl", "stop", "burn"])
    until(lambda: len(in_service(aws)) == 1, 240)
    assert causes(aws)[0].count("-AlarmLow-") == 1
    assert "shrinking the capacity from 2 to 1" in causes(aws)[0]


def test_requests_are_counted_where_the_load_balancer_takes_them(lab: settings.Settings, aws: Callable[[str], Any], fleet: None) -> None:
    elbv2, cloudwatch = aws("elbv2"), aws("cloudwatch")
    group = elbv2.describe_target_groups(Names=["web"])["TargetGroups"][0]["TargetGroupArn"]
    until(lambda: healthy(elbv2, group))
    until(lambda: (lifecycle.status(lab) or {})["published"])
    url = (lifecycle.status(lab) or {})["published"]["web"]
    before, wanted = requests(cloudwatch), 40
    for _ in range(wanted):
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 the lab publishes http alone
            assert answer.status == 200
    until(lambda: requests(cloudwatch) - before >= wanted - 0.5, 30)


def healthy(elbv2: Any, group: str) -> bool:
    targets = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return any(target["TargetHealth"]["State"] == "healthy" for target in targets)


def requests(cloudwatch: Any) -> float:
    """How many the metric tells of, all in all."""
    metrics = cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", MetricName="RequestCount")["Metrics"]
    alone = [metric["Dimensions"] for metric in metrics if len(metric["Dimensions"]) == 1]
    if not alone:
        return 0.0
    now = datetime.now(UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/ApplicationELB", MetricName="RequestCount", Dimensions=alone[0], StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1), Period=60, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    return float(sum(point["Sum"] for point in found))
