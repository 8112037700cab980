# SPDX-License-Identifier: GPL-3.0-or-later
"""The Auto Scaling group and its scaling policies, the role `asg`; and machines in the stack's network that are nobody's.

Desired capacity and members are the scaler's: a member that comes or goes is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..stack.replacement import UNFINISHED, version_of
from .launch_template import number
from .model import Kind, Resource
from .normal import tags_of

LAYER = "fleet"
REPLACED = "instances are replaced one after another"
KINDS = (
    Kind("auto_scaling_group", LAYER, frozenset(), {
        "min_size": "instances may be started or ended",
        "max_size": "instances may be started or ended",
        "subnets": "instances move to the wanted subnets",
        "launch_template": REPLACED,
        "version": REPLACED,
        "outdated_instances": REPLACED,
        "target_groups": "instances join or leave the load balancer",
        "health_check_type": "unhealthy instances are replaced by another rule",
    }),
    Kind("scaling_policy", LAYER, frozenset(), {}, pruned=True),
    Kind("instance", LAYER),
)  # fmt: skip

# What the role sets besides its arguments.
METRICS = (
    "GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize", "GroupPendingInstances", "GroupStandbyInstances",
    "GroupTerminatingInstances", "GroupTotalInstances",
)  # fmt: skip
ON_DEMAND = {"strategy": "prioritized", "base": 0, "percentage": 100}
ALARM = {
    "namespace": "AWS/EC2", "metric": "CPUUtilization", "statistic": "Average", "missing_data": "missing", "actions": ["its policy"],
    "other_actions": [],
}  # fmt: skip
RESTS = {"EstimatedInstanceWarmup": "warmup", "Cooldown": "cooldown"}
ALONE = ("builder", "image_test", "bastion")  # tag Role of the machines that the stack's layers make besides the group's
GROUP_TAG = "aws:autoscaling:groupName"


def want_fleet(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `asg` makes of its arguments."""
    name, types = arguments["asg_name"], arguments["asg_instance_types"]
    fields = {
        "min_size": number(arguments["asg_min_size"]),
        "max_size": number(arguments["asg_max_size"]),
        "subnets": ordered(arguments["asg_subnet_ids"]),
        "launch_template": arguments["asg_launch_template_id"],
        "version": str(arguments["asg_launch_template_version"]),
        "outdated_instances": [],
        "instance_types": types,
        "distribution": ON_DEMAND if types else {},
        "target_groups": ordered(arguments["asg_target_group_arns"]),
        "health_check_type": arguments["asg_health_check_type"],
        "health_check_grace_period": number(arguments["asg_health_check_grace_period"]),
        "default_cooldown": number(arguments["asg_default_cooldown"]),
        "termination_policies": arguments["asg_termination_policies"],
        "protected_from_scale_in": arguments["asg_protect_from_scale_in"],
        "metrics": list(METRICS),
        "suspended_processes": [],
        "tags": arguments["__asg_tags"] | arguments["asg_instance_tags"],
        "tags_of_instances": sorted(arguments["asg_instance_tags"]),
    }
    yield Resource("auto_scaling_group", name, fields, name)
    for policy in arguments["__asg_policies"]:
        yield Resource("scaling_policy", policy["name"], _wanted_policy(policy, name), policy["name"])


def ordered(values: Any) -> Any:
    """A list whose order says nothing; what is not known yet stays so."""
    return sorted(values) if isinstance(values, list) else values


def _wanted_policy(policy: Mapping[str, Any], group: str) -> dict[str, Any]:
    """A policy in the words of the filter `asg_policies`; a warm-up or cooldown that is not given is AWS's."""
    rests = {"warmup": policy.get("estimated_instance_warmup"), "cooldown": policy.get("cooldown")}
    fields = {"group": group, "type": policy["policy_type"]} | {key: number(value) for key, value in rests.items() if value}
    if tracking := policy.get("target_tracking_config"):
        metric = tracking["predefined_metric_spec"]
        return fields | {
            "target": float(tracking["target_value"]),
            "metric": metric["predefined_metric_type"],
            "resource_label": metric.get("resource_label", ""),
            "scale_in": not tracking["disable_scalein"],
        }
    alarm = policy["alarm"]
    fields |= {
        "adjustment_type": policy["adjustment_type"],
        "alarm": ALARM | {
            "description": f"Sets off the scaling policy {policy['name']}",
            "dimensions": {"AutoScalingGroupName": group},
            "comparison": alarm["comparison"],
            "threshold": float(alarm["threshold"]),
            "period": number(alarm["period"]),
            "periods": number(alarm["evaluation_periods"]),
        },
    }  # fmt: skip
    if "step_adjustments" in policy:
        steps = [_step(one.get("lower_bound"), one.get("upper_bound"), one["scaling_adjustment"]) for one in policy["step_adjustments"]]
        return fields | {"steps": steps, "aggregation": "Average"}
    return fields | {"adjustment": number(policy["scaling_adjustment"])}


def _step(lower: Any, upper: Any, adjustment: Any) -> dict[str, Any]:
    """No bound and one of 0 are the same beside the threshold (Auto Scaling User Guide, "Step adjustments")."""
    return {key: float(value) for key, value in (("from", lower), ("to", upper)) if value} | {"adjustment": int(adjustment)}


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The newest instance refresh of each group, and all instances in the stack's own VPC."""
    scaling, names = clients["autoscaling"], [group["AutoScalingGroupName"] for group in found["groups"]]

    def refreshes() -> dict[str, Any]:
        told = {name: scaling.describe_instance_refreshes(AutoScalingGroupName=name, MaxRecords=1)["InstanceRefreshes"] for name in names}
        return {name: entries[0] for name, entries in told.items() if entries}

    def health() -> dict[str, list[str]]:
        arns = {arn for group in found["groups"] for arn in group.get("TargetGroupARNs", [])}
        told = {arn: clients["elbv2"].describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] for arn in sorted(arns)}
        return {arn: [one["TargetHealth"]["State"] for one in targets] for arn, targets in told.items()}

    reads: dict[str, Callable[[], Any]] = {"instance_refreshes": refreshes, "target_health": health}
    if ids := [vpc["VpcId"] for vpc in found["vpcs"]]:
        alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        pages = clients["ec2"].get_paginator("describe_instances").paginate(Filters=[{"Name": "vpc-id", "Values": ids}, alive])
        reads["vpc_instances"] = lambda: [one for page in pages for entry in page["Reservations"] for one in entry["Instances"]]
    return reads


def found_fleet(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The stack's groups, their policies, and strangers in its VPC."""
    for group in found["groups"]:
        name = group["AutoScalingGroupName"]
        yield Resource("auto_scaling_group", name, _found_group(group, found), name, name)
    alarms = {alarm["AlarmName"]: alarm for alarm in found["alarms"]}
    for policy in found["policies"]:
        fields = _found_policy(policy, alarms.get(policy["PolicyName"]))
        yield Resource("scaling_policy", policy["PolicyName"], fields, policy["PolicyName"], policy["PolicyARN"])
    yield from _strangers(found)


def _found_group(group: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    policy = group.get("MixedInstancesPolicy") or {}
    mixed = policy.get("LaunchTemplate") or {}
    template = mixed.get("LaunchTemplateSpecification") or group.get("LaunchTemplate") or {}
    refresh = found["instance_refreshes"].get(group["AutoScalingGroupName"], {})
    enabled = {metric["Metric"] for metric in group.get("EnabledMetrics", [])}
    return {
        "min_size": group["MinSize"],
        "max_size": group["MaxSize"],
        "subnets": sorted(filter(None, group["VPCZoneIdentifier"].split(","))),
        "launch_template": template.get("LaunchTemplateId", ""),
        "version": _coming_version(refresh) or str(template.get("Version", "")),
        "outdated_instances": [] if refresh.get("Status") in UNFINISHED else _outdated(group, template, found),
        "instance_types": [override.get("InstanceType", "") for override in mixed.get("Overrides") or []],
        "distribution": _distribution(policy) if mixed else {},
        "target_groups": sorted(group.get("TargetGroupARNs", [])),
        "health_check_type": group["HealthCheckType"],
        "health_check_grace_period": group["HealthCheckGracePeriod"],
        "default_cooldown": group["DefaultCooldown"],
        "termination_policies": list(group["TerminationPolicies"]),
        "protected_from_scale_in": group["NewInstancesProtectedFromScaleIn"],
        "metrics": [metric for metric in METRICS if metric in enabled],
        "suspended_processes": sorted(process["ProcessName"] for process in group.get("SuspendedProcesses", [])),
        "tags": tags_of(group),
        "tags_of_instances": sorted(tag["Key"] for tag in group["Tags"] if tag["PropagateAtLaunch"]),
    }


def _distribution(policy: Mapping[str, Any]) -> dict[str, Any]:
    """On-Demand only, unless it says something else (Auto Scaling API Reference, "InstancesDistribution")."""
    told = policy.get("InstancesDistribution") or {}
    return {
        "strategy": told.get("OnDemandAllocationStrategy") or ON_DEMAND["strategy"],
        "base": int(told.get("OnDemandBaseCapacity") or 0),
        "percentage": int(told.get("OnDemandPercentageAboveBaseCapacity", ON_DEMAND["percentage"])),
    }


def _coming_version(refresh: Mapping[str, Any]) -> str:
    """The version that a refresh under way brings: the group itself gets it only when all its instances run it."""
    if refresh.get("Status") not in ("Pending", "InProgress", "Baking"):
        return ""
    desired = refresh.get("DesiredConfiguration") or {}
    mixed = (desired.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    template = mixed.get("LaunchTemplateSpecification") or desired.get("LaunchTemplate") or {}
    return str(template.get("Version", ""))


def _outdated(group: Mapping[str, Any], specification: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Members of neither the group's version nor the template's newest, which a run replaces although the group has its version."""
    newest = {one["LaunchTemplateId"]: str(one["LatestVersionNumber"]) for one in found["launch_templates"]}
    versions = (str(specification.get("Version", "")), newest.get(str(specification.get("LaunchTemplateId"))))
    staying = (one for one in group["Instances"] if not one["LifecycleState"].startswith("Terminat"))
    return sorted(one["InstanceId"] for one in staying if version_of(one) not in versions)


def _found_policy(policy: Mapping[str, Any], alarm: Mapping[str, Any] | None) -> dict[str, Any]:
    tracking, fields = policy.get("TargetTrackingConfiguration"), {"group": policy["AutoScalingGroupName"], "type": policy["PolicyType"]}
    fields |= {words: policy[key] for key, words in RESTS.items() if policy.get(key) is not None}
    if tracking:
        metric = tracking.get("PredefinedMetricSpecification") or {}
        return fields | {
            "target": tracking.get("TargetValue"),
            "metric": metric.get("PredefinedMetricType", "another one"),
            "resource_label": metric.get("ResourceLabel", ""),
            "scale_in": not tracking.get("DisableScaleIn", False),
        }
    steps = policy.get("StepAdjustments") or []
    bounds = [(one.get("MetricIntervalLowerBound"), one.get("MetricIntervalUpperBound"), one["ScalingAdjustment"]) for one in steps]
    return fields | {
        "adjustment_type": policy.get("AdjustmentType", ""),
        "adjustment": policy.get("ScalingAdjustment"),
        "steps": [_step(*one) for one in bounds],
        "aggregation": policy.get("MetricAggregationType") or "Average",
        "alarm": _found_alarm(alarm, policy["PolicyARN"]) if alarm else None,
    }


def _found_alarm(alarm: Mapping[str, Any], policy_arn: str) -> dict[str, Any]:
    return {
        "namespace": alarm.get("Namespace", ""),
        "metric": alarm.get("MetricName", ""),
        "statistic": alarm.get("Statistic", ""),
        "missing_data": alarm.get("TreatMissingData") or "missing",
        "actions": ["its policy" if action == policy_arn else action for action in alarm.get("AlarmActions", [])],
        "other_actions": sorted([*alarm.get("OKActions", []), *alarm.get("InsufficientDataActions", [])]),
        "description": alarm.get("AlarmDescription", ""),
        "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])},
        "comparison": alarm.get("ComparisonOperator"),
        "threshold": alarm.get("Threshold"),
        "period": alarm.get("Period"),
        "periods": alarm.get("EvaluationPeriods"),
    }


def _strangers(found: Mapping[str, Any]) -> Iterator[Resource]:
    """Machines in the stack's own VPC, or with its tag, that no layer has made; members of its groups come and go."""
    ours = {one["InstanceId"] for one in found["instances"]}
    groups = {group["AutoScalingGroupName"] for group in found["groups"]}
    seen = {one["InstanceId"]: one for one in [*found["instances"], *found.get("vpc_instances", [])]}
    for identity, instance in sorted(seen.items()):
        told = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
        role = told.get("Role") if identity in ours else None
        if told.get(GROUP_TAG) in groups or role in ALONE or instance["State"]["Name"] == "shutting-down":
            continue
        fields = {
            "type": instance["InstanceType"],
            "state": instance["State"]["Name"],
            "subnet": instance.get("SubnetId", ""),
            "security_groups": sorted(group["GroupId"] for group in instance.get("SecurityGroups", [])),
            "group": told.get(GROUP_TAG, ""),
            "tags": tags_of(instance),
        }
        yield Resource("instance", identity, fields, told.get("Name", ""), identity, foreign=True)
