# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over what amazon.aws.autoscaling_group_info tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

# What amazon.aws.autoscaling_group collects unless it is told otherwise, and how AWS divides a mixed group unless it is told.
METRICS = {
    "GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize", "GroupPendingInstances", "GroupStandbyInstances",
    "GroupTerminatingInstances", "GroupTotalInstances",
}  # fmt: skip
ON_DEMAND = {"on_demand_allocation_strategy": "prioritized", "on_demand_base_capacity": 0, "on_demand_percentage_above_base_capacity": 100}


def asg_described(group: Mapping[str, Any]) -> dict[str, Any]:
    """An Auto Scaling group in the words of the role `asg`, to be compared with what is wanted."""
    mixed = (group.get("mixed_instances_policy") or {}).get("launch_template") or {}
    template = mixed.get("launch_template_specification") or group.get("launch_template") or {}
    enabled = {metric["metric"] for metric in group.get("enabled_metrics") or []}
    return {
        "min_size": group["min_size"],
        "max_size": group["max_size"],
        "subnet_ids": sorted(filter(None, group["vpc_zone_identifier"].split(","))),
        "launch_template": f"{template.get('launch_template_id')} {template.get('version')}",
        "target_group_arns": sorted(group["target_group_arns"]),
        "health_check_type": group["health_check_type"],
        "health_check_grace_period": group["health_check_grace_period"],
        "default_cooldown": group["default_cooldown"],
        "termination_policies": group["termination_policies"],
        "protected": group["new_instances_protected_from_scale_in"],
        "instance_types": [override["instance_type"] for override in mixed.get("overrides") or []],
        "on_demand": ON_DEMAND | {key: value for key, value in _distribution(group).items() if key in ON_DEMAND},
        "metrics_missing": sorted(METRICS - enabled),
        "suspended": sorted(process["process_name"] for process in group.get("suspended_processes") or []),
        "tags": {tag["key"]: tag["value"] for tag in group["tags"]},
        "instance_tags": sorted(tag["key"] for tag in group["tags"] if tag["propagate_at_launch"]),
    }


def _distribution(group: Mapping[str, Any]) -> Mapping[str, Any]:
    return (group.get("mixed_instances_policy") or {}).get("instances_distribution") or {}


def asg_tags(tags: Mapping[str, str], of_instances: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Tags in the words of amazon.aws.autoscaling_group, sorted as it compares them; only those `of_instances` go on to instances."""
    given = of_instances or {}
    return [{key: value, "propagate_at_launch": key in given} for key, value in sorted({**tags, **given}.items())]


def asg_policies(policies: Mapping[str, Mapping[str, Any]], group: str, resource_label: str = "") -> list[dict[str, Any]]:
    """Scaling policies in the words of community.aws.autoscaling_policy, each with its `alarm` in those of cloudwatch_metric_alarm."""
    return [{"name": policy.get("name") or f"{group}-{key}", **_policy(policy, resource_label)} for key, policy in policies.items()]


def _policy(policy: Mapping[str, Any], resource_label: str) -> dict[str, Any]:
    warmup = {"estimated_instance_warmup": policy["warmup"]} if policy.get("warmup") is not None else {}
    if policy["type"] == "target_tracking":
        by_requests = policy.get("metric", "cpu") == "requests"
        metric = {"predefined_metric_type": "ALBRequestCountPerTarget" if by_requests else "ASGAverageCPUUtilization"}
        configuration = {
            "target_value": float(policy["target"]),
            "disable_scalein": not policy.get("scale_in", True),
            "predefined_metric_spec": metric | ({"resource_label": resource_label} if by_requests else {}),
        }
        return {"policy_type": "TargetTrackingScaling", "target_tracking_config": configuration, **warmup}
    common = {"adjustment_type": policy.get("adjustment_type", "ChangeInCapacity"), "alarm": _alarm(policy["alarm"])}
    if policy["type"] == "step":
        return {"policy_type": "StepScaling", "step_adjustments": [_step(step) for step in policy["steps"]], **common, **warmup}
    rest = {"cooldown": policy["cooldown"]} if policy.get("cooldown") is not None else {}
    return {"policy_type": "SimpleScaling", "scaling_adjustment": policy["adjustment"], **common, **rest}


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    """The module drops a bound of 0, which AWS then takes for no bound: the same for the step next to the threshold."""
    bounds = {"lower_bound": step.get("from"), "upper_bound": step.get("to")}
    return {key: float(value) for key, value in bounds.items() if value is not None} | {"scaling_adjustment": step["adjustment"]}


def _alarm(alarm: Mapping[str, Any]) -> dict[str, Any]:
    above = alarm.get("above") is not None
    return {
        "comparison": "GreaterThanOrEqualToThreshold" if above else "LessThanOrEqualToThreshold",
        "threshold": float(alarm["above"] if above else alarm["below"]),
        "period": alarm.get("period", 60),
        "evaluation_periods": alarm.get("periods", 3),
    }


def asg_healthy(group: Mapping[str, Any]) -> bool:
    """Whether as many instances as desired are in service and healthy, and no other ones are left."""
    instances = group["instances"]
    good = [i for i in instances if i["lifecycle_state"] == "InService" and i["health_status"] == "Healthy"]
    return len(good) == len(instances) >= int(group["desired_capacity"])


def asg_targets_healthy(target_groups: Iterable[Mapping[str, Any]], instances: Iterable[Mapping[str, Any]]) -> bool:
    """Whether every instance is a healthy target of every target group."""
    wanted = {instance["instance_id"] for instance in instances}
    return all(wanted <= healthy(group) for group in target_groups)


def healthy(target_group: Mapping[str, Any]) -> set[str]:
    return {
        target["target"]["id"]
        for target in target_group.get("targets_health_description", [])
        if target["target_health"]["state"] == "healthy"
    }


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "asg_described": asg_described,
            "asg_tags": asg_tags,
            "asg_policies": asg_policies,
            "asg_healthy": asg_healthy,
            "asg_targets_healthy": asg_targets_healthy,
        }
