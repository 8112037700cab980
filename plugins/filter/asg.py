# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over what amazon.aws.autoscaling_group_info tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def asg_described(group: Mapping[str, Any]) -> dict[str, Any]:
    """An Auto Scaling group in the words of the role `asg`, to be compared with what is wanted."""
    template = group.get("launch_template") or {}
    return {
        "min_size": group["min_size"],
        "max_size": group["max_size"],
        "subnet_ids": sorted(filter(None, group["vpc_zone_identifier"].split(","))),
        "launch_template": f"{template.get('launch_template_id')} {template.get('version')}",
        "target_group_arns": sorted(group["target_group_arns"]),
        "health_check_type": group["health_check_type"],
        "health_check_grace_period": group["health_check_grace_period"],
        "tags": {tag["key"]: tag["value"] for tag in group["tags"]},
    }


def asg_outdated(group: Mapping[str, Any], version: object) -> list[str]:
    """Ids of the instances that were not started from this version of the launch template."""
    return [
        instance["instance_id"]
        for instance in group["instances"]
        if str((instance.get("launch_template") or {}).get("version")) != str(version)
    ]


def asg_tags(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tags in the words of amazon.aws.autoscaling_group, sorted as it compares them; instances get theirs from the launch template."""
    return [{key: tags[key], "propagate_at_launch": False} for key in sorted(tags)]


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
            "asg_outdated": asg_outdated,
            "asg_tags": asg_tags,
            "asg_healthy": asg_healthy,
            "asg_targets_healthy": asg_targets_healthy,
        }
