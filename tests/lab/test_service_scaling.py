"""Application Auto Scaling of ECS services on moto, with the lab's services and an engine that keeps containers in a dictionary."""

from __future__ import annotations

from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from lab.services.service_policies import ServiceScaling
from lab.services.watching import Event
from lab.settings import ACCOUNT_ID
from tests.lab.conftest import REGION, SESSION
from tests.lab.fargate import Fargate

RESOURCE = {"ServiceNamespace": "ecs", "ResourceId": "service/meibo/meibo", "ScalableDimension": "ecs:service:DesiredCount"}


class Scaled:
    """A service of two tasks, two to four, that keeps its CPU at 70 percent."""

    def __init__(self, fargate: Fargate) -> None:
        self.fargate, self.cloud = fargate, fargate.cloud
        self.cloud.watching._scalers = [*self.cloud.watching._scalers, ServiceScaling()]
        self.scaling = SESSION.create_client("application-autoscaling", region_name=REGION)
        self.group = fargate.serve(fargate.revision())
        fargate.settle(self.group)
        self.scaling.register_scalable_target(**RESOURCE, MinCapacity=2, MaxCapacity=4)

    def policy(self, **changes: Any) -> dict[str, Any]:
        metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        wanted = {"TargetValue": 70.0, "PredefinedMetricSpecification": metric, "ScaleOutCooldown": 0, "ScaleInCooldown": 0} | changes
        return dict(
            self.scaling.put_scaling_policy(
                **RESOURCE, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=wanted
            )
        )

    def alarms(self) -> dict[str, dict[str, Any]]:
        found = self.cloud.cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-service/meibo/meibo-")["MetricAlarms"]
        return {alarm["AlarmName"].split("-Alarm")[1].split("-")[0]: alarm for alarm in found}

    @property
    def desired(self) -> int:
        return int(self.fargate.service()["desiredCount"])


@pytest.fixture
def scaled(fargate: Fargate) -> Scaled:
    return Scaled(fargate)


def test_a_policy_has_alarms_at_its_target_which_stay_the_same_when_it_is_put_again(scaled: Scaled) -> None:
    first = scaled.policy()
    assert {kind: alarm["Threshold"] for kind, alarm in scaled.alarms().items()} == {"High": 70.0, "Low": 63.0}
    assert scaled.alarms()["High"]["Dimensions"] == [{"Name": "ClusterName", "Value": "meibo"}, {"Name": "ServiceName", "Value": "meibo"}]
    again = scaled.policy(TargetValue=50.0)
    assert again["PolicyARN"] == first["PolicyARN"]
    assert {alarm["AlarmName"] for alarm in again["Alarms"]} == {alarm["AlarmName"] for alarm in first["Alarms"]}
    assert scaled.alarms()["High"]["Threshold"] == 50.0
    scaled.policy(DisableScaleIn=True)
    assert list(scaled.alarms()) == ["High"]


def test_a_policy_needs_a_registered_target_and_goes_with_it(scaled: Scaled) -> None:
    scaled.policy()
    scaled.scaling.deregister_scalable_target(**RESOURCE)
    assert scaled.alarms() == {}
    assert scaled.scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    with pytest.raises(scaled.scaling.exceptions.ObjectNotFoundException, match="No scalable target registered"):
        scaled.policy()


def test_busy_tasks_are_joined_by_others_up_to_the_maximum_and_leave_when_they_are_idle(scaled: Scaled) -> None:
    """A task has a quarter of a vCPU: a quarter of a machine's time is all of its own."""
    scaled.policy()
    scaled.cloud.minutes(5, cpu=24.0)
    assert scaled.desired == 3
    scaled.fargate.settle(scaled.group)
    scaled.cloud.minutes(4, cpu=24.0)
    scaled.fargate.settle(scaled.group)
    scaled.cloud.minutes(4, cpu=24.0)
    assert scaled.desired == 4
    activities = scaled.scaling.describe_scaling_activities(**RESOURCE)["ScalingActivities"]
    assert activities[0]["Description"] == "Setting desired count to 4."
    assert activities[0]["Cause"].endswith("in state ALARM triggered policy cpu")
    scaled.fargate.settle(scaled.group)
    scaled.cloud.minutes(17, cpu=0.0)
    assert scaled.desired < 4


def test_scaling_in_waits_for_a_deployment_to_end(scaled: Scaled) -> None:
    arn = scaled.policy()["PolicyARN"]
    ecs = scaled.fargate.ecs
    ecs.update_service(cluster="meibo", service="meibo", desiredCount=3)
    scaled.fargate.settle(scaled.group)
    ecs.update_service(cluster="meibo", service="meibo", forceNewDeployment=True)
    idle = Event("idle", "ALARM", 0.0, 63.0, "LessThanThreshold")
    assert ServiceScaling().scale(arn, idle, scaled.cloud.now) == ""
    assert scaled.desired == 3
    scaled.fargate.settle(scaled.group, rounds=12)
    assert "from 3 to 2" in str(ServiceScaling().scale(arn, idle, scaled.cloud.now))


def test_a_suspended_target_is_left_alone_and_a_policy_of_others_is_not_its_own(scaled: Scaled) -> None:
    arn = scaled.policy()["PolicyARN"]
    scaled.scaling.register_scalable_target(**RESOURCE, SuspendedState={"DynamicScalingOutSuspended": True})
    busy = Event("busy", "ALARM", 100.0, 70.0, "GreaterThanThreshold")
    assert ServiceScaling().scale(arn, busy, scaled.cloud.now) == ""
    assert ServiceScaling().scale("arn:aws:autoscaling:x", busy, scaled.cloud.now) is None


def test_step_policies_are_carried_out_by_their_steps_and_rest_for_their_cooldown(scaled: Scaled) -> None:
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    wanted = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps, "Cooldown": 60}
    put = scaled.scaling.put_scaling_policy
    arn = put(**RESOURCE, PolicyName="step", PolicyType="StepScaling", StepScalingPolicyConfiguration=wanted)["PolicyARN"]
    busy = Event("busy", "ALARM", 90.0, 70.0, "GreaterThanThreshold")
    assert "from 2 to 3" in str(ServiceScaling().scale(arn, busy, scaled.cloud.now))
    scaled.fargate.settle(scaled.group)
    assert ServiceScaling().scale(arn, busy, scaled.cloud.now - 30) == ""
    assert "from 3 to 4" in str(ServiceScaling().scale(arn, busy, scaled.cloud.now + 120))


def test_the_services_figures_are_measured_of_what_its_tasks_reserve(scaled: Scaled) -> None:
    scaled.cloud.minutes(3, cpu=10.0)
    dimensions = [{"Name": "ClusterName", "Value": "meibo"}, {"Name": "ServiceName", "Value": "meibo"}]
    found = scaled.cloud.cloudwatch.list_metrics(Namespace="AWS/ECS", Dimensions=dimensions)["Metrics"]
    assert {metric["MetricName"] for metric in found} == {"CPUUtilization", "MemoryUtilization"}
    points = list(cloudwatch_backends[ACCOUNT_ID][REGION].metric_data)
    values = [point.value for point in points if (point.namespace, point.name) == ("AWS/ECS", "CPUUtilization")]
    assert values
    assert values == pytest.approx([40.0] * len(values))
