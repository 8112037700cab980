"""Auto Scaling: the API only notes what is wanted; lab/services/autoscaling.py launches, replaces and ends instances.

moto launches at once, all into the first subnet, and forgets target groups, versions and activities. What the lab's loop and the API
share lies in plain attributes: on the backend `lab_activities` and `lab_refreshes` (newest first, in the API's own
shape), on a group `lab_deleting` and `lab_reason` (why its desired capacity changed), on a member `lab_template`, `lab_launched`,
`lab_in_service`, `lab_failed`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random

from . import instance_refreshes, scaling_policies
from ._patch import wrap


def install() -> None:
    wrap(AutoScalingBackend, "__init__")(_without_history)
    wrap(AutoScalingBackend, "create_auto_scaling_group")(_create_group)
    wrap(AutoScalingBackend, "update_auto_scaling_group")(_update_group)
    wrap(AutoScalingBackend, "set_desired_capacity")(_set_desired_capacity)
    wrap(AutoScalingBackend, "delete_auto_scaling_group")(_delete_group)
    wrap(AutoScalingBackend, "detach_instances")(_detach_instances)
    wrap(AutoScalingBackend, "set_instance_health")(_set_instance_health)
    for left_to_the_loop in ("notify_terminate_instances", "update_attached_target_groups", "update_attached_elbs"):
        wrap(AutoScalingBackend, left_to_the_loop)(_left_to_the_loop)
    wrap(FakeAutoScalingGroup, "set_desired_capacity")(_note_desired_capacity)
    wrap(InstanceState, "__init__")(_new_member)
    wrap(AutoScalingResponse, "delete_auto_scaling_group")(_delete_group_request)
    wrap(AutoScalingResponse, "update_auto_scaling_group")(_update_group_request)
    wrap(AutoScalingResponse, "set_instance_health")(_set_instance_health_request)
    AutoScalingResponse.terminate_instance_in_auto_scaling_group = _terminate_instance
    AutoScalingResponse.describe_scaling_activities = _describe_activities
    AutoScalingResponse.disable_metrics_collection = _disable_metrics_collection
    InstanceState.launch_template = property(lambda member: member.lab_template)
    FakeAutoScalingGroup.status = property(lambda group: "Delete in progress" if group.lab_deleting else None)
    FakeAutoScalingGroup.lab_deleting = False
    FakeAutoScalingGroup.lab_reason = ""
    _sort_tags()
    instance_refreshes.install()


def members(group: Any) -> list[Any]:
    return list(group.instance_states)


def set_desired(group: Any, desired: int, reason: str) -> None:
    """Change the desired capacity; the activities that follow from it begin with the reason."""
    if desired != group.desired_capacity:
        group.desired_capacity = desired
        group.lab_reason = f"At {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {reason}  "


def by_policy(activity: dict[str, Any]) -> bool:
    """Whether a scaling policy has caused the activity."""
    return any(words in activity["Cause"] for words in ("triggered policy", "executed policy"))


def record(backend: Any, group_name: str, description: str, cause: str, **fields: Any) -> dict[str, Any]:
    """Note a scaling activity; the caller changes its StatusCode and Progress as it goes on."""
    now = datetime.now(UTC)
    group = backend.autoscaling_groups.get(group_name)
    reason = group.lab_reason if group and "difference between desired and actual capacity" in cause else ""
    activity = {
        "ActivityId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group_name,
        "AutoScalingGroupARN": group.arn if group else None,
        "Description": description,
        "Cause": f"{reason}At {now:%Y-%m-%dT%H:%M:%SZ} {cause}",
        "StartTime": now,
        "StatusCode": "InProgress",
        "Progress": 0,
        "Details": "{}",
    } | fields
    backend.lab_activities.insert(0, activity)
    del backend.lab_activities[500:]
    return activity


def finish(activity: dict[str, Any], status: str = "Successful", message: str | None = None) -> None:
    activity.update(StatusCode=status, EndTime=datetime.now(UTC), Progress=100)
    if message:
        activity["StatusMessage"] = message


def place(instance: Any) -> str:
    """An activity's Details."""
    return json.dumps({"Subnet ID": instance.subnet_id, "Availability Zone": instance.placement.zone})


# Groups


def _without_history(original: Callable[..., None], backend: Any, *args: Any, **kwargs: Any) -> None:
    original(backend, *args, **kwargs)
    backend.lab_activities, backend.lab_refreshes = [], []


def _left_to_the_loop(_original: Callable[..., None], _backend: Any, *_args: Any) -> None:
    """The loop sees for itself who has ended and who is missing in a target group."""


def _note_desired_capacity(_original: Callable[..., None], group: Any, new_capacity: int | None) -> None:
    group.desired_capacity = group.min_size if new_capacity is None else new_capacity


def _check_bounds(desired: int | None, minimum: int, maximum: int) -> None:
    if minimum > maximum:
        raise ValidationError(f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}")
    if desired is not None and not minimum <= desired <= maximum:
        raise ValidationError(f"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}")


def _create_group(original: Callable[..., Any], backend: Any, *args: Any, **kwargs: Any) -> Any:
    if kwargs["name"] in backend.autoscaling_groups:
        raise AutoscalingClientError(
            "AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name "
            f"{kwargs['name']} already exists",
        )  # fmt: skip
    _check_bounds(kwargs.get("desired_capacity"), kwargs["min_size"], kwargs["max_size"])
    if set(kwargs.get("target_group_arns") or ()) - set(backend.elbv2_backend.target_groups):
        raise ValidationError("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    group = original(backend, *args, **kwargs)
    group.health_check_grace_period = kwargs.get("health_check_period") or 0  # moto takes 0 for "not given"
    return group


def _update_group(original: Callable[..., Any], backend: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Without a desired capacity, new bounds pull it inside (UpdateAutoScalingGroup, "MinSize" and "MaxSize")."""
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError("AutoScalingGroup name not found - null")
    minimum = group.min_size if kwargs.get("min_size") is None else kwargs["min_size"]
    maximum = group.max_size if kwargs.get("max_size") is None else kwargs["max_size"]
    _check_bounds(kwargs.get("desired_capacity"), minimum, maximum)
    if kwargs.get("desired_capacity") is None:
        kwargs["desired_capacity"] = max(minimum, min(group.desired_capacity, maximum))
    before, desired = group.desired_capacity, kwargs["desired_capacity"]
    constraints = f"a user request update of AutoScalingGroup constraints to min: {minimum}, max: {maximum}, desired: {desired}"
    set_desired(group, desired, f"{constraints} changing the desired capacity from {before} to {desired}.")
    if kwargs.get("mixed_instances_policy") is None and not kwargs.get("launch_template") and not kwargs.get("launch_config_name"):
        kwargs["mixed_instances_policy"] = _named_once(group.mixed_instances_policy)  # moto forgets a policy that an update leaves out
    return original(backend, name, *args, **kwargs)


def _named_once(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    """A mixed instances policy as a request may give it: the template by its id or its name; moto keeps both."""
    if policy is None:
        return None
    template = policy["LaunchTemplate"]
    specification = {key: value for key, value in template["LaunchTemplateSpecification"].items() if key != "LaunchTemplateName"}
    return {**policy, "LaunchTemplate": {**template, "LaunchTemplateSpecification": specification}}


def _update_group_request(original: Callable[..., Any], response: Any) -> Any:
    """moto leaves out the cooldown, the termination policies and the capacity rebalancing."""
    result = original(response)
    group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
    if (cooldown := response._get_int_param("DefaultCooldown")) is not None:
        group.default_cooldown = cooldown
    if policies := response._get_param("TerminationPolicies"):
        group.termination_policies = policies
    if (rebalance := response._get_bool_param("CapacityRebalance")) is not None:
        group.capacity_rebalance = rebalance
    return result


def _set_desired_capacity(_original: Callable[..., None], backend: Any, group_name: str, desired_capacity: int | None) -> None:
    group = _group(backend, group_name)
    if desired_capacity is not None:
        for bound, word in ((group.max_size, "above max"), (group.min_size, "below min")):
            if (desired_capacity > bound) if word == "above max" else (desired_capacity < bound):
                raise ValidationError(f"New SetDesiredCapacity value {desired_capacity} is {word} value {bound} for the AutoScalingGroup.")
        change = f"changing the desired capacity from {group.desired_capacity} to {desired_capacity}."
        set_desired(group, desired_capacity, f"a user request explicitly set group desired capacity {change}")


def _delete_group_request(_original: Callable[..., Any], response: Any) -> Any:
    force = response._get_bool_param("ForceDelete", False)
    response.autoscaling_backend.delete_auto_scaling_group(response._get_param("AutoScalingGroupName"), force)
    return EmptyResult()


def _delete_group(_original: Callable[..., None], backend: Any, group_name: str, force: bool = False) -> None:
    """A group with instances goes only by force, and then only after its instances."""
    if group_name not in backend.autoscaling_groups:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{group_name}' not found")
    group = backend.autoscaling_groups[group_name]
    if not members(group):
        forget(backend, group)
    elif not force:
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        )
    else:
        group.lab_deleting = True
        group.min_size = group.max_size = group.desired_capacity = 0


def forget(backend: Any, group: Any) -> None:
    """The group goes, and with it what hung on it."""
    backend.autoscaling_groups.pop(group.name, None)
    for policy in scaling_policies.of_group(backend, group.name):
        scaling_policies.remove(backend, policy)
    backend.lab_refreshes[:] = [entry for entry in backend.lab_refreshes if entry["AutoScalingGroupName"] != group.name]


def _group(backend: Any, name: str) -> Any:
    if name not in backend.autoscaling_groups:
        raise ValidationError(f"AutoScalingGroup name not found - no such group: {name}")
    return backend.autoscaling_groups[name]


def _disable_metrics_collection(response: Any) -> Any:
    """`autoscaling_group` calls it on each run; moto lacks it."""
    group = _group(response.autoscaling_backend, response._get_param("AutoScalingGroupName"))
    unwanted = response._get_param("Metrics") or group.metrics
    group.metrics = [metric for metric in group.metrics if metric not in unwanted]
    return EmptyResult()


def _sort_tags() -> None:
    """AWS lists a group's tags by key; the collection's module compares with a sorted list and would always see a change."""
    kept = FakeAutoScalingGroup.tags
    if not getattr(FakeAutoScalingGroup, "lab_sorts_tags", False):
        FakeAutoScalingGroup.lab_sorts_tags = True
        FakeAutoScalingGroup.tags = property(kept.fget, lambda group, tags: kept.fset(group, sorted(tags, key=lambda tag: str(tag["Key"]))))


# Members


def _new_member(original: Callable[..., None], member: Any, *args: Any, **kwargs: Any) -> None:
    original(member, *args, **kwargs)
    member.lab_template = None
    member.lab_launched = member.lab_in_service = time.time()
    member.lab_failed = False
    member.lab_activity = None


def _detach_instances(original: Callable[..., Any], backend: Any, group_name: str, instance_ids: list[str], decrement: bool) -> Any:
    activities = original(backend, group_name, instance_ids, decrement)
    withdraw(backend, _group(backend, group_name), instance_ids)
    return activities


def withdraw(backend: Any, group: Any, instance_ids: list[str]) -> None:
    """Take instances out of the group's target groups, where they then drain."""
    for arn in group.target_group_arns:
        if target_group := backend.elbv2_backend.target_groups.get(arn):
            target_group.deregister([{"Id": instance_id} for instance_id in instance_ids])


def _find(backend: Any, instance_id: str) -> tuple[Any, Any]:
    for group in backend.autoscaling_groups.values():
        for member in members(group):
            if member.instance.id == instance_id:
                return group, member
    raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


def _set_instance_health(_original: Callable[..., None], backend: Any, instance_id: str, health_status: str) -> None:
    _find(backend, instance_id)[1].health_status = health_status


def _set_instance_health_request(original: Callable[..., Any], response: Any) -> Any:
    """ShouldRespectGracePeriod (true unless said otherwise): a young instance stays healthy."""
    if response._get_bool_param("ShouldRespectGracePeriod", True) and response._get_param("HealthStatus") == "Unhealthy":
        group, member = _find(response.autoscaling_backend, response._get_param("InstanceId"))
        if time.time() - member.lab_in_service < (group.health_check_grace_period or 0):
            return EmptyResult()
    return original(response)


def _terminate_instance(response: Any) -> Any:
    """TerminateInstanceInAutoScalingGroup: the instance drains and ends; the loop replaces it unless the capacity shrinks."""
    backend = response.autoscaling_backend
    group, member = _find(backend, response._get_param("InstanceId"))
    before = group.desired_capacity
    cause = f"instance {member.instance.id} was taken out of service in response to a user request"
    if response._get_bool_param("ShouldDecrementDesiredCapacity", False):
        if before <= group.min_size:
            raise ValidationError(
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement will violate group's"
                " min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )
        group.desired_capacity = before - 1
        cause += f", shrinking the capacity from {before} to {before - 1}"
    return ActionResult({"Activity": retire(backend, group, member, f"{cause}.")})


def retire(backend: Any, group: Any, member: Any, cause: str, failed: bool = False) -> dict[str, Any]:
    """Begin the end of a member: out of the target groups, `Terminating`, an activity that lasts until it has gone."""
    if member.lifecycle_state != "Terminating":
        member.lifecycle_state, member.lab_failed = "Terminating", failed
        withdraw(backend, group, [member.instance.id])
        member.lab_activity = record(
            backend, group.name, f"Terminating EC2 instance: {member.instance.id}", cause,
            Details=place(member.instance), StatusCode="WaitingForELBConnectionDraining" if group.target_group_arns else "InProgress",
        )  # fmt: skip
    activity: dict[str, Any] = member.lab_activity
    return activity


def _describe_activities(response: Any) -> Any:
    name, wanted = response._get_param("AutoScalingGroupName"), response._get_param("ActivityIds", [])
    if name and name not in response.autoscaling_backend.autoscaling_groups:
        raise ValidationError(f"AutoScalingGroup name not found - no such group: {name}")
    most = response._get_int_param("MaxRecords") or 100
    found = [
        activity
        for activity in response.autoscaling_backend.lab_activities
        if (not name or activity["AutoScalingGroupName"] == name) and (not wanted or activity["ActivityId"] in wanted)
    ]
    return ActionResult({"Activities": found[:most]})
