"""CloudWatch as its callers see it: metrics, alarms, their history and what they set off."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.autoscaling.models import autoscaling_backends

from lab.settings import ACCOUNT_ID

REGION = "ap-northeast-1"


@pytest.fixture
def web(cloud: Any) -> str:
    """A fleet of two in service; its name."""
    cloud.fleet(cloud.launch_template(), MinSize=1, DesiredCapacity=2, MaxSize=4)
    cloud.round(3)
    cloud.minutes(1)
    return "web"


def put(cloud: Any, name: str = "busy", **more: Any) -> None:
    rule = {
        "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "web"}],
        "Statistic": "Average", "Period": 60, "EvaluationPeriods": 2, "Threshold": 70.0, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, **(rule | more))


def alarm(cloud: Any, name: str = "busy") -> dict[str, Any]:
    return dict(cloud.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0])


def desired(cloud: Any) -> int:
    return int(cloud.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["DesiredCapacity"])


def activities(cloud: Any) -> list[dict[str, Any]]:
    return list(cloud.autoscaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"])


def track(cloud: Any, target: float = 50.0, **more: Any) -> dict[str, Any]:
    configuration = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": target}
    return dict(
        cloud.autoscaling.put_scaling_policy(
            AutoScalingGroupName="web", PolicyName="cpu", PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration=configuration | more.pop("configuration", {}), **more,
        )
    )  # fmt: skip


def step_policy(cloud: Any, name: str, adjustment: int, **more: Any) -> str:
    bound = "MetricIntervalLowerBound" if adjustment > 0 else "MetricIntervalUpperBound"
    given = {"PolicyType": "StepScaling", "StepAdjustments": [{bound: 0.0, "ScalingAdjustment": adjustment}]} | more
    made = cloud.autoscaling.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName=name, AdjustmentType="ChangeInCapacity", **given
    )  # fmt: skip
    return str(made["PolicyARN"])


def test_real_cpu_time_becomes_a_metric_of_each_instance_and_of_the_group(cloud: Any, web: str) -> None:
    cloud.minutes(3, cpu=40.0)
    metrics = cloud.cloudwatch.list_metrics(Namespace="AWS/EC2", MetricName="CPUUtilization")["Metrics"]
    told = {(dimension["Name"], dimension["Value"]) for metric in metrics for dimension in metric["Dimensions"]}
    assert told == {("AutoScalingGroupName", "web"), *(("InstanceId", member["InstanceId"]) for member in cloud.members())}
    now = datetime.fromtimestamp(cloud.now, UTC)
    found = cloud.cloudwatch.get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}],
        StartTime=now - timedelta(minutes=2, seconds=30), EndTime=now, Period=60, Statistics=["Average"],
    )["Datapoints"]  # fmt: skip
    assert [round(point["Average"]) for point in found] == [40, 40]


def test_an_instance_of_no_group_has_a_metric_of_its_own_alone_and_keeps_nobody_elses_from_being_told(cloud: Any, web: str) -> None:
    launched = cloud.ec2.run_instances(ImageId=cloud.image_id, MinCount=1, MaxCount=1, SubnetId=cloud.subnet_ids[0])
    builder = launched["Instances"][0]["InstanceId"]
    cloud.round(3)
    cloud.minutes(3, cpu=40.0)
    metrics = cloud.cloudwatch.list_metrics(Namespace="AWS/EC2", MetricName="CPUUtilization")["Metrics"]
    told = [(dimension["Name"], dimension["Value"]) for metric in metrics for dimension in metric["Dimensions"]]
    assert ("InstanceId", builder) in told
    assert ("AutoScalingGroupName", "web") in told


def test_a_new_alarm_has_no_data_and_a_changed_one_keeps_its_state(cloud: Any, web: str) -> None:
    put(cloud)
    assert alarm(cloud)["StateValue"] == "INSUFFICIENT_DATA"
    cloud.minutes(4, cpu=90.0)
    assert alarm(cloud)["StateValue"] == "ALARM"
    put(cloud, Threshold=80.0)
    assert alarm(cloud)["StateValue"] == "ALARM"
    cloud.minutes(1, cpu=10.0)
    assert alarm(cloud)["StateValue"] == "OK"
    assert "was not greater than the threshold (80.0)" in alarm(cloud)["StateReason"]


def test_an_alarms_history_tells_its_states_its_actions_and_its_changes(cloud: Any, web: str) -> None:
    topic = cloud.sns.create_topic(Name="alarms")["TopicArn"]
    put(cloud, AlarmActions=[topic])
    cloud.minutes(4, cpu=90.0)
    found = cloud.cloudwatch.describe_alarm_history(AlarmName="busy")["AlarmHistoryItems"]
    assert [(entry["HistoryItemType"], entry["HistorySummary"]) for entry in found] == [
        ("Action", f"Successfully executed action {topic}"),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("ConfigurationUpdate", 'Alarm "busy" created'),
    ]


def test_a_topic_gets_cloudwatchs_message_once_for_each_change(cloud: Any, web: str) -> None:
    topic, queue = cloud.sns.create_topic(Name="alarms")["TopicArn"], cloud.sqs.create_queue(QueueName="read")["QueueUrl"]
    arn = cloud.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    put(cloud, AlarmActions=[topic], OKActions=[topic])
    cloud.minutes(6, cpu=90.0)
    cloud.minutes(3, cpu=1.0)
    received = cloud.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    messages = [json.loads(json.loads(one["Body"])["Message"]) for one in received]
    assert [one["NewStateValue"] for one in messages if one["AlarmName"] == "busy"] == ["ALARM", "OK"]
    assert messages[0]["Trigger"]["Threshold"] == 70.0


def test_an_alarm_whose_actions_are_disabled_only_changes_its_state(cloud: Any, web: str) -> None:
    put(cloud, AlarmActions=[step_policy(cloud, "more", 1)], ActionsEnabled=False)
    cloud.minutes(5, cpu=90.0)
    assert (alarm(cloud)["StateValue"], desired(cloud)) == ("ALARM", 2)


def test_set_alarm_state_runs_the_actions_until_the_next_evaluation_corrects_it(cloud: Any, web: str) -> None:
    put(cloud, AlarmActions=[step_policy(cloud, "more", 1)])
    cloud.minutes(4, cpu=1.0)
    cloud.cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="a trial")
    cloud.watching.watch(cloud.now)
    cloud.watching.watch(cloud.now)
    assert desired(cloud) == 3
    cloud.minutes(1, cpu=1.0)
    assert alarm(cloud)["StateValue"] == "OK"


def test_set_alarm_state_runs_the_actions_also_when_the_next_evaluation_comes_first(cloud: Any, web: str) -> None:
    put(cloud, AlarmActions=[step_policy(cloud, "more", 1)])
    cloud.minutes(4, cpu=1.0)
    cloud.cloudwatch.set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="a trial")
    cloud.minutes(1, cpu=1.0)
    assert (alarm(cloud)["StateValue"], desired(cloud)) == ("OK", 3)


def test_periods_that_cloudwatch_does_not_know_are_refused(cloud: Any, web: str, refused: Any) -> None:
    assert refused(put, cloud=cloud, Period=45) == "InvalidParameterValue"


def test_a_measurement_that_came_late_stands_for_the_minutes_that_it_spans(cloud: Any, web: str) -> None:
    put(cloud, EvaluationPeriods=3)
    cloud.now += 180
    cloud.minutes(1, cpu=360.0)  # four minutes of work, 90 %, seen at once
    assert alarm(cloud)["StateValue"] == "ALARM"


def test_a_metric_is_its_name_with_exactly_these_dimensions(cloud: Any) -> None:
    balancer, group = {"Name": "LoadBalancer", "Value": "app/a/1"}, {"Name": "TargetGroup", "Value": "targetgroup/b/2"}
    for dimensions, value in (([balancer], 1.0), ([balancer, group], 2.0)):
        datum = {"MetricName": "RequestCount", "Value": value, "Dimensions": dimensions, "Timestamp": datetime.now(UTC)}
        cloud.cloudwatch.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[datum])
    around = {"StartTime": datetime.now(UTC) - timedelta(minutes=5), "EndTime": datetime.now(UTC) + timedelta(minutes=5)}

    def total(dimensions: list[dict[str, str]]) -> float:
        found = cloud.cloudwatch.get_metric_statistics(
            Namespace="AWS/ApplicationELB", MetricName="RequestCount", Dimensions=dimensions, Period=60, Statistics=["Sum"], **around
        )  # fmt: skip
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    assert (total([balancer]), total([group, balancer]), total([group])) == (1.0, 2.0, 0.0)


def test_old_figures_are_forgotten(cloud: Any, web: str) -> None:
    cloud.minutes(200, cpu=10.0)
    found = cloud.cloudwatch.get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}],
        StartTime=datetime.fromtimestamp(0, UTC), EndTime=datetime.fromtimestamp(cloud.now, UTC), Period=60, Statistics=["Average"],
    )["Datapoints"]  # fmt: skip
    assert 178 <= len(found) <= 181


def test_target_tracking_owns_two_alarms_that_go_with_it(cloud: Any, web: str) -> None:
    made = track(cloud)
    high, low = (alarm(cloud, told["AlarmName"]) for told in made["Alarms"])
    assert high["AlarmName"].startswith("TargetTracking-web-AlarmHigh-")
    assert (high["Threshold"], high["EvaluationPeriods"], high["ComparisonOperator"]) == (50.0, 3, "GreaterThanThreshold")
    assert (low["Threshold"], low["EvaluationPeriods"], low["ComparisonOperator"]) == (45.0, 15, "LessThanThreshold")
    assert high["AlarmActions"] == low["AlarmActions"] == [made["PolicyARN"]]
    assert track(cloud, 60.0)["PolicyARN"] == made["PolicyARN"]
    assert [told["AlarmName"] for told in track(cloud, 60.0)["Alarms"]] == [high["AlarmName"], low["AlarmName"]]
    cloud.autoscaling.delete_policy(AutoScalingGroupName="web", PolicyName="cpu")
    assert cloud.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_a_target_that_is_changed_leaves_the_alarms_their_state(cloud: Any, web: str) -> None:
    high, low = (told["AlarmName"] for told in track(cloud)["Alarms"])
    cloud.cloudwatch.set_alarm_state(AlarmName=high, StateValue="ALARM", StateReason="a trial")
    track(cloud, target=60.0)
    assert (alarm(cloud, high)["StateValue"], alarm(cloud, high)["Threshold"]) == ("ALARM", 60.0)
    assert [told["AlarmName"] for told in track(cloud, configuration={"DisableScaleIn": True})["Alarms"]] == [high]
    assert not cloud.cloudwatch.describe_alarms(AlarmNames=[low])["MetricAlarms"]
    step_policy(cloud, "cpu", 1)
    assert not cloud.cloudwatch.describe_alarms(AlarmNames=[high])["MetricAlarms"]


def test_policies_are_told_as_aws_tells_them(cloud: Any, web: str) -> None:
    track(cloud)
    step_policy(cloud, "more", 1)
    tracking, step = cloud.autoscaling.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"]
    assert tracking["TargetTrackingConfiguration"] == {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0, "DisableScaleIn": False,
    }  # fmt: skip
    assert (tracking["Enabled"], "AdjustmentType" in tracking, "PredictiveScalingConfiguration" in tracking) == (True, False, False)
    assert step["StepAdjustments"] == [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    assert (step["MetricAggregationType"], step["AdjustmentType"], "Cooldown" in step) == ("Average", "ChangeInCapacity", False)


def test_two_groups_may_have_policies_of_one_name(cloud: Any, web: str) -> None:
    cloud.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="other", MinSize=0, MaxSize=1, VPCZoneIdentifier=cloud.subnet_ids[0],
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"},
    )  # fmt: skip
    for group in ("web", "other"):
        cloud.autoscaling.put_scaling_policy(
            AutoScalingGroupName=group, PolicyName="more", PolicyType="SimpleScaling", AdjustmentType="ChangeInCapacity",
            ScalingAdjustment=1,
        )  # fmt: skip
    cloud.autoscaling.delete_policy(AutoScalingGroupName="other", PolicyName="more")
    left = cloud.autoscaling.describe_policies()["ScalingPolicies"]
    assert [policy["AutoScalingGroupName"] for policy in left] == ["web"]


@pytest.mark.parametrize(
    "given",
    [
        {"PolicyType": "PredictiveScaling"},
        {"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"},
        {"PolicyType": "SimpleScaling", "AdjustmentType": "Doubling", "ScalingAdjustment": 1},
        {"PolicyType": "TargetTrackingScaling", "TargetTrackingConfiguration": {
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}, "TargetValue": 10.0}},
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(cloud: Any, web: str, refused: Any, given: dict[str, Any]) -> None:
    assert refused(cloud.autoscaling.put_scaling_policy, AutoScalingGroupName="web", PolicyName="p", **given) == "ValidationError"


def test_under_load_target_tracking_grows_the_fleet_and_shrinks_it_slowly_when_the_load_is_gone(cloud: Any, web: str) -> None:
    track(cloud, EstimatedInstanceWarmup=60)
    cloud.minutes(2, cpu=95.0)
    assert desired(cloud) == 2  # three minutes are needed
    cloud.minutes(2, cpu=95.0)
    assert desired(cloud) == 4
    cloud.round(3)
    cloud.minutes(14, cpu=1.0)
    assert desired(cloud) == 4  # fifteen minutes are needed
    for left in (3, 2, 1):
        cloud.minutes(2 if left == 3 else 1, cpu=1.0)
        assert desired(cloud) == left
        cloud.round(4)
    cloud.minutes(5, cpu=1.0)
    assert desired(cloud) == 1


def test_activities_tell_which_alarm_and_policy_made_them(cloud: Any, web: str) -> None:
    high = track(cloud)["Alarms"][0]["AlarmName"]
    cloud.minutes(4, cpu=95.0)
    cloud.round(3)
    cause = activities(cloud)[0]["Cause"]
    assert f"a monitor alarm {high} in state ALARM triggered policy cpu changing the desired capacity from 2 to 4." in cause
    assert "increasing the capacity from 2 to 4" in cause


def test_a_user_who_sets_the_capacity_is_told_as_the_reason(cloud: Any, web: str) -> None:
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    cloud.round()
    assert (
        "a user request explicitly set group desired capacity changing the desired capacity from 2 to 3." in activities(cloud)[0]["Cause"]
    )


def test_a_replacement_does_not_repeat_an_old_reason(cloud: Any, web: str) -> None:
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    cloud.round(3)
    cloud.ec2.terminate_instances(InstanceIds=[cloud.members()[0]["InstanceId"]])
    cloud.round(2)
    assert "unhealthy instance needing to be replaced" in activities(cloud)[0]["Cause"]
    assert "user request" not in activities(cloud)[0]["Cause"]


def test_simple_scaling_waits_for_its_cooldown_and_then_goes_on_while_the_alarm_lasts(cloud: Any, web: str) -> None:
    put(
        cloud,
        AlarmActions=[step_policy(cloud, "more", 1, PolicyType="SimpleScaling", StepAdjustments=[], Cooldown=300, ScalingAdjustment=1)],
    )
    cloud.minutes(4, cpu=90.0)
    assert desired(cloud) == 3
    cloud.round(3)
    activity = autoscaling_backends[ACCOUNT_ID][REGION].lab_activities[0]
    activity["EndTime"] = datetime.fromtimestamp(cloud.now, UTC)  # it ended in the test's time
    cloud.minutes(2, cpu=90.0)
    assert desired(cloud) == 3
    cloud.minutes(5, cpu=90.0)
    assert desired(cloud) == 4


def test_a_policy_can_be_executed_by_hand(cloud: Any, web: str, refused: Any) -> None:
    step_policy(cloud, "more", 1)
    track(cloud)
    execute = cloud.autoscaling.execute_policy
    assert refused(execute, AutoScalingGroupName="web", PolicyName="more") == "ValidationError"
    assert refused(execute, AutoScalingGroupName="web", PolicyName="cpu") == "ValidationError"
    execute(AutoScalingGroupName="web", PolicyName="more", MetricValue=80.0, BreachThreshold=70.0)
    cloud.round()
    assert desired(cloud) == 3
    assert "a user request executed policy more changing the desired capacity from 2 to 3." in activities(cloud)[0]["Cause"]


def test_a_group_that_listens_to_no_alarm_does_not_scale(cloud: Any, web: str) -> None:
    track(cloud)
    cloud.autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["AlarmNotification"])
    cloud.minutes(6, cpu=95.0)
    assert desired(cloud) == 2


def test_the_alarms_of_target_tracking_go_with_the_group(cloud: Any, web: str) -> None:
    track(cloud)
    cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    for _ in range(6):
        cloud.round()
    assert cloud.autoscaling.describe_policies()["ScalingPolicies"] == []
    assert cloud.cloudwatch.describe_alarms()["MetricAlarms"] == []
