"""Application Auto Scaling of ECS services: policies that keep their identity, with alarms at their target, and activities.

moto's alarms are at 6 percent whatever the target is, new ones each time, and stay when the target is deregistered; it knows no scaling
activities. They lie on the backend (`lab_activities`, newest first); lab/services/service_policies.py carries policies out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random

from ._patch import wrap
from .scaling_policies import requests_per_target, tracking_alarms

KEPT = 100  # activities; AWS keeps those of six weeks
METRICS = {"ECSServiceAverageCPUUtilization": "CPUUtilization", "ECSServiceAverageMemoryUtilization": "MemoryUtilization"}


def install() -> None:
    wrap(ApplicationAutoscalingBackend, "__init__")(_without_activities)
    wrap(ApplicationAutoscalingBackend, "put_scaling_policy")(_put)
    wrap(ApplicationAutoscalingBackend, "deregister_scalable_target")(_deregister)
    FakeApplicationAutoscalingPolicy.create_alarms = lambda _policy: None  # `_put` makes them
    ApplicationAutoScalingResponse.describe_scaling_activities = _describe_activities


def policies(backend: Any) -> list[Any]:
    return list(backend.policies.values())


def target_of(backend: Any, policy: Any) -> Any | None:
    """The scalable target that the policy scales."""
    return backend.targets.get(policy.scalable_dimension, {}).get(policy.resource_id)


def note(backend: Any, policy: Any, cause: str, count: int) -> None:
    """Tell an activity. The service's scheduler brings it about at once, or as soon as its tasks can start."""
    told = {
        "ActivityId": str(mock_random.uuid4()), "ServiceNamespace": policy.service_namespace, "ResourceId": policy.resource_id,
        "ScalableDimension": policy.scalable_dimension, "Description": f"Setting desired count to {count}.", "Cause": cause,
        "StartTime": time.time(), "EndTime": time.time(), "StatusCode": "Successful",
        "StatusMessage": f"Successfully set desired count to {count}. Change successfully fulfilled by ecs.",
    }  # fmt: skip
    backend.lab_activities = [told, *backend.lab_activities][:KEPT]


def _without_activities(original: Callable[..., None], backend: Any, *args: Any, **kwargs: Any) -> None:
    original(backend, *args, **kwargs)
    backend.lab_activities = []


def _put(original: Callable[..., Any], backend: Any, policy_name: str, service_namespace: str, resource_id: str, **given: Any) -> Any:
    """A policy needs a registered target; one that is put again keeps its ARN and its alarms."""
    dimension = given["scalable_dimension"]
    if resource_id not in backend.targets.get(dimension, {}):
        raise JsonRESTError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {service_namespace}, resource ID: {resource_id},"
            f" scalable dimension: {dimension}",
        )
    key = FakeApplicationAutoscalingPolicy.formulate_key(service_namespace, resource_id, dimension, policy_name)
    before = backend.policies.get(key)
    policy = original(backend, policy_name=policy_name, service_namespace=service_namespace, resource_id=resource_id, **given)
    if before is not None:
        policy.policy_arn, policy.creation_time, policy.alarms = before.policy_arn, before.creation_time, before.alarms
    if service_namespace == "ecs":
        _set_alarms(backend, policy)
    return policy


def _set_alarms(backend: Any, policy: Any) -> None:
    cloudwatch = cloudwatch_backends[backend.account_id][backend.region_name]
    known, policy.alarms = [alarm.name for alarm in policy.alarms], []
    if policy.policy_type == "TargetTrackingScaling":
        wanted = policy.target_tracking_scaling_policy_configuration
        scale_in, target = not wanted.get("DisableScaleIn"), float(wanted["TargetValue"])
        policy.alarms = tracking_alarms(cloudwatch, policy.resource_id, policy.policy_arn, target, scale_in, _metric(policy), known)
    cloudwatch.delete_alarms([name for name in known if name not in {alarm.name for alarm in policy.alarms}])


def _metric(policy: Any) -> dict[str, Any]:
    """The metric that the policy follows: namespace, metric_name, dimensions, statistic."""
    wanted = policy.target_tracking_scaling_policy_configuration
    if custom := wanted.get("CustomizedMetricSpecification"):
        return {
            "namespace": custom["Namespace"], "metric_name": custom["MetricName"],
            "dimensions": custom.get("Dimensions") or [], "statistic": custom["Statistic"],
        }  # fmt: skip
    given = wanted["PredefinedMetricSpecification"]
    kind = given["PredefinedMetricType"]
    if kind == "ALBRequestCountPerTarget":
        return requests_per_target(given["ResourceLabel"])
    if kind not in METRICS:
        raise AWSValidationException(f"Unsupported predefined metric type: {kind}")
    _, cluster, service = policy.resource_id.split("/")
    dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    return {"namespace": "AWS/ECS", "metric_name": METRICS[kind], "dimensions": dimensions, "statistic": "Average"}


def _deregister(original: Callable[..., None], backend: Any, namespace: str, r_id: str, dimension: str) -> None:
    """DeregisterScalableTarget: "Deregistering a scalable target deletes the scaling policies ... associated with" it."""
    original(backend, namespace, r_id, dimension)
    for policy in policies(backend):
        if (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (namespace, r_id, dimension):
            backend.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)


def _describe_activities(response: Any) -> str:
    """DescribeScalingActivities, the newest first."""
    get, backend = response._get_param, response.applicationautoscaling_backend
    asked = {name: get(name) for name in ("ServiceNamespace", "ResourceId", "ScalableDimension") if get(name)}
    found = [activity for activity in backend.lab_activities if asked.items() <= activity.items()]
    return json.dumps({"ScalingActivities": found[: response._get_int_param("MaxResults") or 50]})
