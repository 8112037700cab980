"""Instance refreshes: Start-, Describe-, Cancel- and RollbackInstanceRefresh, which moto lacks.

The API writes entries into `lab_refreshes`; the loop of lab/services/autoscaling.py carries them out. `Lab` inside an entry
is the loop's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random

ACTIVE = ("Pending", "InProgress", "Cancelling", "RollbackInProgress")


def install() -> None:
    for action in (start_instance_refresh, describe_instance_refreshes, cancel_instance_refresh, rollback_instance_refresh):
        setattr(AutoScalingResponse, action.__name__, action)


def active(backend: Any, group_name: str) -> dict[str, Any] | None:
    """The refresh that is under way, if any."""
    return next(
        (entry for entry in backend.lab_refreshes if entry["AutoScalingGroupName"] == group_name and entry["Status"] in ACTIVE), None
    )


def template_of(backend: Any, specification: dict[str, Any]) -> tuple[str, int]:
    """Id and number of the version that a LaunchTemplateSpecification means now."""
    ec2, name = backend.ec2_backend, specification.get("LaunchTemplateName")
    if specification.get("LaunchTemplateId"):
        template = ec2.get_launch_template(specification["LaunchTemplateId"])
    else:
        template = ec2.get_launch_template_by_name(name)
    return template.id, template.get_version(specification.get("Version") or "$Default").number


def specification_of(configuration: dict[str, Any]) -> dict[str, Any] | None:
    """The LaunchTemplateSpecification of a desired configuration, which is a launch template or a mixed instances policy."""
    mixed = (configuration.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    found: dict[str, Any] | None = configuration.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    return found


def start_instance_refresh(response: Any) -> Any:
    backend, group = response.autoscaling_backend, _group(response)
    if active(backend, group.name):
        raise AutoscalingClientError(
            "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
        )
    preferences = response._get_param("Preferences") or {}
    _check(preferences)
    configuration = response._get_param("DesiredConfiguration") or {}
    wanted = specification_of(configuration)
    if preferences.get("AutoRollback") and not wanted:
        raise ValidationError("AutoRollback cannot be set to true when the desired configuration is not specified.")
    if wanted:
        template_of(backend, wanted)  # it must exist
    entry = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Pending",
        "StartTime": datetime.now(UTC),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.instance_states),
        "Preferences": preferences,
        "DesiredConfiguration": configuration if wanted else None,
        "Lab": {},
    }
    backend.lab_refreshes.insert(0, entry)
    return ActionResult({"InstanceRefreshId": entry["InstanceRefreshId"]})


def _check(preferences: dict[str, Any]) -> None:
    least, most = preferences.get("MinHealthyPercentage"), preferences.get("MaxHealthyPercentage")
    if least is not None and not 0 <= int(least) <= 100:
        raise ValidationError("MinHealthyPercentage must be between 0 and 100.")
    if most is not None:
        if least is None:
            raise ValidationError("You must specify MinHealthyPercentage if you specify MaxHealthyPercentage.")
        if not 100 <= int(most) <= 200 or int(most) - int(least) > 100:
            raise ValidationError("MaxHealthyPercentage must be between 100 and 200, and at most 100 greater than MinHealthyPercentage.")


def describe_instance_refreshes(response: Any) -> Any:
    group, wanted = _group(response), response._get_param("InstanceRefreshIds") or []
    most = response._get_int_param("MaxRecords") or 50
    found = [
        {key: value for key, value in entry.items() if key != "Lab" and value is not None}
        for entry in response.autoscaling_backend.lab_refreshes
        if entry["AutoScalingGroupName"] == group.name and (not wanted or entry["InstanceRefreshId"] in wanted)
    ]
    return ActionResult({"InstanceRefreshes": found[:most]})


def cancel_instance_refresh(response: Any) -> Any:
    entry = _active_or_fail(response, ("Pending", "InProgress"))
    entry["Status"], entry["StatusReason"] = "Cancelling", "Cancelled due to user request."
    return ActionResult({"InstanceRefreshId": entry["InstanceRefreshId"]})


def rollback_instance_refresh(response: Any) -> Any:
    """Back to the group's launch template, for a refresh that had a desired configuration of its own."""
    entry = _active_or_fail(response, ("Pending", "InProgress"))
    if not entry["DesiredConfiguration"]:
        raise AutoscalingClientError(
            "IrreversibleInstanceRefresh", "The instance refresh cannot be rolled back: it has no desired configuration."
        )
    entry["Status"], entry["StatusReason"] = "RollbackInProgress", "Rollback due to user request."
    return ActionResult({"InstanceRefreshId": entry["InstanceRefreshId"]})


def _active_or_fail(response: Any, states: tuple[str, ...]) -> dict[str, Any]:
    group = _group(response)
    entry = active(response.autoscaling_backend, group.name)
    if entry is None or entry["Status"] not in states:
        raise AutoscalingClientError(
            "ActiveInstanceRefreshNotFound", f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}"
        )
    return entry


def _group(response: Any) -> Any:
    name = response._get_param("AutoScalingGroupName")
    groups = response.autoscaling_backend.autoscaling_groups
    if name not in groups:
        raise ValidationError(f"AutoScalingGroup name not found - no such group: {name}")
    return groups[name]
