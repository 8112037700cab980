"""The filters of Auto Scaling groups and their policies, on values."""

from __future__ import annotations

from typing import Any

import pytest

from .filters import load


def member(identity: str, version: str = "2", state: str = "InService", health: str = "Healthy") -> dict[str, Any]:
    return {"instance_id": identity, "lifecycle_state": state, "health_status": health, "launch_template": {"version": version}}


@pytest.mark.parametrize(
    ("instances", "healthy"),
    [
        ([member("i-1"), member("i-2")], True),
        ([member("i-1")], False),
        ([member("i-1"), member("i-2", health="Unhealthy")], False),
        ([member("i-1"), member("i-2"), member("i-3", state="Terminating")], False),
    ],
)
def test_a_group_is_healthy_when_all_desired_are_and_no_other_is_left(instances: list[dict[str, Any]], healthy: bool) -> None:
    assert load("asg", "asg_healthy")({"desired_capacity": 2, "instances": instances}) is healthy


def test_every_instance_must_be_a_healthy_target_of_every_group() -> None:
    ready = load("asg", "asg_targets_healthy")
    good = {"targets_health_description": [{"target": {"id": "i-1"}, "target_health": {"state": "healthy"}}]}
    late = {"targets_health_description": [{"target": {"id": "i-1"}, "target_health": {"state": "initial"}}]}
    assert ready([good], [member("i-1")])
    assert not ready([good, late], [member("i-1")])
    assert not ready([good], [member("i-1"), member("i-2")])


def test_group_tags_are_sorted_as_the_module_compares_them() -> None:
    assert load("asg", "asg_tags")({"Stack": "uda", "Name": "web"}) == [
        {"Name": "web", "propagate_at_launch": False},
        {"Stack": "uda", "propagate_at_launch": False},
    ]


def test_tags_for_instances_are_marked() -> None:
    assert load("asg", "asg_tags")({"Stack": "uda"}, {"Type": "app"}) == [
        {"Stack": "uda", "propagate_at_launch": False},
        {"Type": "app", "propagate_at_launch": True},
    ]


def test_a_group_is_described_in_the_roles_words_with_or_without_other_instance_types() -> None:
    described = load("asg", "asg_described")
    template = {"launch_template_id": "lt-1", "version": "3"}
    group = {
        "min_size": 1, "max_size": 2, "vpc_zone_identifier": "subnet-2,subnet-1", "target_group_arns": [], "health_check_type": "ELB",
        "health_check_grace_period": 60, "default_cooldown": 300, "termination_policies": ["Default"],
        "new_instances_protected_from_scale_in": False,
        "tags": [{"key": "Type", "value": "app", "propagate_at_launch": True}, {"key": "A", "value": "b", "propagate_at_launch": False}],
    }  # fmt: skip
    plain = described(group | {"launch_template": template})
    assert (plain["launch_template"], plain["instance_types"], plain["instance_tags"]) == ("lt-1 3", [], ["Type"])
    overrides = [{"instance_type": "t2.nano"}, {"instance_type": "t2.micro"}]
    mixed = {"launch_template": {"launch_template_specification": template, "overrides": overrides}}
    assert described(group | {"mixed_instances_policy": mixed}) == plain | {"instance_types": ["t2.nano", "t2.micro"]}


def test_a_group_is_described_with_what_somebody_has_switched_off_or_given_to_the_spot_market() -> None:
    described = load("asg", "asg_described")
    group = {
        "min_size": 1, "max_size": 2, "vpc_zone_identifier": "", "target_group_arns": [], "health_check_type": "ELB",
        "health_check_grace_period": 60, "default_cooldown": 300, "termination_policies": [], "tags": [],
        "new_instances_protected_from_scale_in": False, "suspended_processes": [{"process_name": "Launch"}],
        "enabled_metrics": [{"metric": "GroupMinSize"}],
        "mixed_instances_policy": {"instances_distribution": {"on_demand_percentage_above_base_capacity": 0, "spot_max_price": ""}},
    }  # fmt: skip
    found = described(group)
    assert (found["suspended"], "GroupMaxSize" in found["metrics_missing"], len(found["metrics_missing"])) == (["Launch"], True, 7)
    assert found["on_demand"] == {
        "on_demand_allocation_strategy": "prioritized", "on_demand_base_capacity": 0, "on_demand_percentage_above_base_capacity": 0,
    }  # fmt: skip


def test_policies_follow_cpu_or_requests() -> None:
    policies = load("asg", "asg_policies")
    cpu, requests = policies(
        {
            "cpu": {"type": "target_tracking", "name": "tastylog-dev-ec2-cpu-high-sp", "target": 5, "warmup": 60},
            "requests": {"type": "target_tracking", "metric": "requests", "target": 1000, "scale_in": False},
        },
        "web",
        "app/alb/1/targetgroup/web/2",
    )
    assert cpu == {
        "name": "tastylog-dev-ec2-cpu-high-sp", "policy_type": "TargetTrackingScaling", "estimated_instance_warmup": 60,
        "target_tracking_config": {
            "target_value": 5.0, "disable_scalein": False, "predefined_metric_spec": {"predefined_metric_type": "ASGAverageCPUUtilization"},
        },
    }  # fmt: skip
    assert requests["name"] == "web-requests"
    assert requests["target_tracking_config"] == {
        "target_value": 1000.0, "disable_scalein": True,
        "predefined_metric_spec": {"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": "app/alb/1/targetgroup/web/2"},
    }  # fmt: skip


def test_simple_and_step_policies_have_alarms() -> None:
    out, steps = load("asg", "asg_policies")(
        {
            "out": {"type": "simple", "adjustment": 1, "cooldown": 120, "alarm": {"above": 70}},
            "in": {
                "type": "step", "adjustment_type": "PercentChangeInCapacity", "alarm": {"below": 50, "period": 300, "periods": 2},
                "steps": [{"from": -20, "to": 0, "adjustment": -10}, {"to": -20, "adjustment": -30}],
            },
        },
        "web",
    )  # fmt: skip
    assert out == {
        "name": "web-out", "policy_type": "SimpleScaling", "scaling_adjustment": 1, "adjustment_type": "ChangeInCapacity", "cooldown": 120,
        "alarm": {"comparison": "GreaterThanOrEqualToThreshold", "threshold": 70.0, "period": 60, "evaluation_periods": 3},
    }  # fmt: skip
    assert steps["step_adjustments"] == [
        {"lower_bound": -20.0, "upper_bound": 0.0, "scaling_adjustment": -10},
        {"upper_bound": -20.0, "scaling_adjustment": -30},
    ]
    assert steps["alarm"] == {
        "comparison": "LessThanOrEqualToThreshold",
        "threshold": 50.0,
        "period": 300,
        "evaluation_periods": 2,
    }
