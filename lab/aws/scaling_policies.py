"""Scaling policies of Auto Scaling groups: kept for each group, told as AWS tells them, with the alarms that target tracking owns.

moto keeps policies by name alone, whatever their group, and has one identity for all. Their execution is only noted here
(`lab_executions` on the backend); lab/services/group_policies.py carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeScalingPolicy
from moto.autoscaling.responses import AutoScalingResponse
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random

from ._patch import wrap

KINDS = ("SimpleScaling", "StepScaling", "TargetTrackingScaling")
ADJUSTMENTS = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
SCALE_IN_SHARE, OUT_PERIODS, IN_PERIODS = 0.9, 3, 15  # of target tracking's two alarms, as AWS makes them


def install() -> None:
    wrap(AutoScalingBackend, "__init__")(_without_executions)
    wrap(FakeScalingPolicy, "__init__")(_with_identity)
    wrap(AutoScalingBackend, "put_scaling_policy")(_put)
    AutoScalingResponse.put_scaling_policy = _put_request
    AutoScalingResponse.describe_policies = _describe
    AutoScalingResponse.delete_policy = _delete
    AutoScalingResponse.execute_policy = _execute
    FakeScalingPolicy.arn = property(arn_of)


def arn_of(policy: Any) -> str:
    backend = policy.autoscaling_backend
    return (
        f"arn:aws:autoscaling:{backend.region_name}:{backend.account_id}:scalingPolicy:{policy.lab_id}"
        f":autoScalingGroupName/{policy.auto_scaling_group_name}:policyName/{policy.name}"
    )


def of_group(backend: Any, group_name: str) -> list[Any]:
    """The group's policies."""
    return [policy for policy in list(backend.policies.values()) if policy.auto_scaling_group_name == group_name]


def by_arn(backend: Any, arn: str) -> Any | None:
    return next((policy for policy in list(backend.policies.values()) if arn_of(policy) == arn), None)


def remove(backend: Any, policy: Any) -> None:
    """The policy goes, and with it the alarms that AWS made for it."""
    _alarms(backend).delete_alarms(policy.lab_alarms)
    backend.policies.pop(_key(policy.auto_scaling_group_name, policy.name), None)


def _alarms(backend: Any) -> Any:
    return cloudwatch_backends[backend.account_id][backend.region_name]


def _key(group_name: str, name: str) -> str:
    return f"{group_name}/{name}"


def _without_executions(original: Callable[..., None], backend: Any, *args: Any, **kwargs: Any) -> None:
    original(backend, *args, **kwargs)
    backend.lab_executions = []


def _with_identity(original: Callable[..., None], policy: Any, *args: Any, **kwargs: Any) -> None:
    original(policy, *args, **kwargs)
    policy.lab_id = str(mock_random.uuid4())
    policy.lab_alarms = []  # names of the alarms that target tracking owns


def _put(original: Callable[..., Any], backend: Any, name: str, policy_type: str, *args: Any, **kwargs: Any) -> Any:
    """A policy that is put again keeps its identity and its alarms with their state."""
    group_name = kwargs["as_name"]
    if group_name not in backend.autoscaling_groups:
        raise ValidationError(f"Group {group_name} not found")
    _check(policy_type, kwargs)
    others = dict(backend.policies)
    policy = original(backend, name, policy_type, *args, **kwargs)
    backend.policies.clear()
    backend.policies.update(others)
    before = backend.policies.get(_key(group_name, name))
    if before is not None:
        policy.lab_id, policy.lab_alarms = before.lab_id, before.lab_alarms
    backend.policies[_key(group_name, name)] = policy
    _set_alarms(backend, policy)
    return policy


def _check(policy_type: str, given: dict[str, Any]) -> None:
    if policy_type not in KINDS:
        raise ValidationError(f"Unknown policy type {policy_type}: the lab knows {', '.join(KINDS)}")
    if policy_type == "TargetTrackingScaling":
        configuration = given["target_tracking_config"] or {}
        if float(configuration.get("TargetValue") or 0) <= 0:
            raise ValidationError("TargetValue must be greater than 0")
        metric = configuration.get("PredefinedMetricSpecification") or {}
        if metric.get("PredefinedMetricType") == "ALBRequestCountPerTarget" and not metric.get("ResourceLabel"):
            raise ValidationError("ResourceLabel is required for ALBRequestCountPerTarget")
    elif given["adjustment_type"] not in ADJUSTMENTS:
        raise ValidationError(f"AdjustmentType must be one of {', '.join(ADJUSTMENTS)}")
    elif policy_type == "StepScaling" and not given["step_adjustments"]:
        raise ValidationError("At least one StepAdjustment must be specified for StepScaling policy type")


def metric_of(policy: Any) -> dict[str, Any]:
    """The metric that target tracking follows: namespace, metric_name, dimensions, statistic."""
    configuration = policy.target_tracking_configuration
    custom = getattr(configuration, "CustomizedMetricSpecification", None)
    if custom:
        return {
            "namespace": custom["Namespace"], "metric_name": custom["MetricName"],
            "dimensions": custom.get("Dimensions") or [], "statistic": custom["Statistic"],
        }  # fmt: skip
    given = configuration.PredefinedMetricSpecification
    kind = given["PredefinedMetricType"]
    if kind == "ALBRequestCountPerTarget":
        return requests_per_target(given["ResourceLabel"])
    dimensions = [{"Name": "AutoScalingGroupName", "Value": policy.auto_scaling_group_name}]
    metric = {"ASGAverageCPUUtilization": "CPUUtilization", "ASGAverageNetworkIn": "NetworkIn", "ASGAverageNetworkOut": "NetworkOut"}[kind]
    return {"namespace": "AWS/EC2", "metric_name": metric, "dimensions": dimensions, "statistic": "Average"}


def requests_per_target(label: str) -> dict[str, Any]:
    """The metric behind ALBRequestCountPerTarget; its label names load balancer and target group."""
    dimensions = [{"Name": "TargetGroup", "Value": label[label.index("targetgroup/") :]}]
    return {"namespace": "AWS/ApplicationELB", "metric_name": "RequestCountPerTarget", "dimensions": dimensions, "statistic": "Sum"}


def _set_alarms(backend: Any, policy: Any) -> None:
    known, policy.lab_alarms = policy.lab_alarms, []
    if policy.policy_type == "TargetTrackingScaling":
        configuration = policy.target_tracking_configuration
        scale_in = not getattr(configuration, "DisableScaleIn", False)
        made = tracking_alarms(
            _alarms(backend), policy.auto_scaling_group_name, arn_of(policy), float(configuration.TargetValue), scale_in,
            metric_of(policy), known,
        )  # fmt: skip
        policy.lab_alarms = [alarm.name for alarm in made]
    _alarms(backend).delete_alarms([name for name in known if name not in policy.lab_alarms])


def tracking_alarms(
    cloudwatch: Any, subject: str, arn: str, target: float, scale_in: bool, metric: dict[str, Any], known: Iterable[str] = ()
) -> list[Any]:
    """The alarms of target tracking, for groups and services alike: three minutes above the target, fifteen below nine tenths of it.

    Those that are known already, by name, are changed and keep their name.
    """
    wanted = {"AlarmHigh": (target, OUT_PERIODS, "GreaterThanThreshold")}
    if scale_in:
        wanted["AlarmLow"] = (round(target * SCALE_IN_SHARE, 6), IN_PERIODS, "LessThanThreshold")
    names = {f"Alarm{name.rsplit('-Alarm', 1)[1].split('-', 1)[0]}": name for name in known}
    return [
        cloudwatch.put_metric_alarm(
            name=names.get(kind) or f"TargetTracking-{subject}-{kind}-{mock_random.uuid4()}", threshold=threshold,
            evaluation_periods=periods, comparison_operator=comparison, period=60,
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}.", alarm_actions=[arn], **metric,
        )
        for kind, (threshold, periods, comparison) in wanted.items()
    ]  # fmt: skip


def _owned_alarms(backend: Any, policy: Any) -> list[dict[str, str]]:
    """The alarms that set the policy off."""
    return [
        {"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn}
        for alarm in list(_alarms(backend).alarms.values())
        if arn_of(policy) in alarm.alarm_actions
    ]


def _put_request(response: Any) -> ActionResult:
    """moto answers with `PolicyArn`, where AWS says `PolicyARN`."""
    get, backend = response._get_params(), response.autoscaling_backend
    policy = backend.put_scaling_policy(
        name=get.get("PolicyName"),
        policy_type=get.get("PolicyType", "SimpleScaling"),
        metric_aggregation_type=get.get("MetricAggregationType"),
        adjustment_type=get.get("AdjustmentType"),
        as_name=get.get("AutoScalingGroupName"),
        min_adjustment_magnitude=get.get("MinAdjustmentMagnitude"),
        scaling_adjustment=response._get_int_param("ScalingAdjustment"),
        cooldown=response._get_int_param("Cooldown"),
        target_tracking_config=get.get("TargetTrackingConfiguration", {}),
        step_adjustments=get.get("StepAdjustments", []),
        estimated_instance_warmup=get.get("EstimatedInstanceWarmup"),
        predictive_scaling_configuration=None,
    )
    return ActionResult({"PolicyARN": arn_of(policy), "Alarms": _owned_alarms(backend, policy)})


def _describe(response: Any) -> ActionResult:
    """DescribePolicies: each kind with its own fields, `Enabled`, and nothing empty."""
    backend = response.autoscaling_backend
    found = backend.describe_policies(
        autoscaling_group_name=response._get_param("AutoScalingGroupName"),
        policy_names=response._get_param("PolicyNames", []),
        policy_types=response._get_param("PolicyTypes", []),
    )
    return ActionResult({"ScalingPolicies": [_told(backend, policy) for policy in found]})


def _told(backend: Any, policy: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "AutoScalingGroupName": policy.auto_scaling_group_name, "PolicyName": policy.name, "PolicyARN": arn_of(policy),
        "PolicyType": policy.policy_type, "StepAdjustments": [], "Alarms": _owned_alarms(backend, policy), "Enabled": True,
    }  # fmt: skip
    if policy.policy_type == "TargetTrackingScaling":
        configuration = dict(policy.target_tracking_configuration.__dict__)
        told["TargetTrackingConfiguration"] = {"DisableScaleIn": False} | configuration
    else:
        told |= {"AdjustmentType": policy.adjustment_type, "MinAdjustmentMagnitude": policy.min_adjustment_magnitude}
    if policy.policy_type == "StepScaling":
        told |= {"StepAdjustments": policy.step_adjustments, "MetricAggregationType": policy.metric_aggregation_type or "Average"}
    if policy.policy_type == "SimpleScaling":
        told |= {"ScalingAdjustment": policy.scaling_adjustment, "Cooldown": policy.cooldown}
    else:
        told["EstimatedInstanceWarmup"] = policy.estimated_instance_warmup
    return {key: value for key, value in told.items() if value is not None}


def _find(response: Any) -> Any:
    """By ARN, or by name within the group."""
    backend = response.autoscaling_backend
    name, group_name = response._get_param("PolicyName"), response._get_param("AutoScalingGroupName")
    for policy in list(backend.policies.values()):
        if arn_of(policy) == name or (policy.name == name and group_name in (None, policy.auto_scaling_group_name)):
            return policy
    raise ValidationError(f"Policy {name} not found in group {group_name}")


def _delete(response: Any) -> EmptyResult:
    remove(response.autoscaling_backend, _find(response))
    return EmptyResult()


def _execute(response: Any) -> EmptyResult:
    """ExecutePolicy: carried out a moment later."""
    policy = _find(response)
    value, threshold = response._get_param("MetricValue"), response._get_param("BreachThreshold")
    if policy.policy_type == "TargetTrackingScaling":
        raise ValidationError("ExecutePolicy is not supported for TargetTrackingScaling policies")
    if policy.policy_type == "StepScaling" and (value is None or threshold is None):
        raise ValidationError("MetricValue and BreachThreshold are required for StepScaling policies")
    response.autoscaling_backend.lab_executions.append(
        {
            "policy": arn_of(policy), "value": float(value or 0), "threshold": float(threshold or 0),
            "honor_cooldown": response._get_bool_param("HonorCooldown", False),
        }
    )  # fmt: skip
    return EmptyResult()
