"""The filters, on values."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

FILTERS = Path(__file__).parents[2] / "plugins/filter"


def load(file: str, name: str) -> Any:
    """A filter as Ansible finds it."""
    specification = importlib.util.spec_from_file_location(f"filter_{file}", FILTERS / f"{file}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.FilterModule().filters()[name]


def member(identity: str, version: str = "2", state: str = "InService", health: str = "Healthy") -> dict[str, Any]:
    return {"instance_id": identity, "lifecycle_state": state, "health_status": health, "launch_template": {"version": version}}


def test_rules_name_groups_and_ranges() -> None:
    rules = load("security_groups", "security_group_rules")
    groups = {"load_balancer": {"name": "uda_sg_alb"}}
    assert rules([{"port": 80, "group": "load_balancer", "description": "HTTP"}], groups) == [
        {"proto": "tcp", "from_port": 80, "to_port": 80, "rule_desc": "HTTP", "group_name": "uda_sg_alb"}
    ]
    assert rules([{"protocol": "all", "cidrs": ["0.0.0.0/0"]}], groups) == [{"proto": "all", "cidr_ip": ["0.0.0.0/0"]}]


def test_listeners_name_target_groups() -> None:
    listeners = load("alb_listeners", "alb_listeners")
    assert listeners([{"port": 80, "target_group": "web"}], {"web": {"name": "uda-target-group"}}) == [
        {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "forward", "TargetGroupName": "uda-target-group"}]}
    ]


def test_outdated_are_those_of_another_version() -> None:
    outdated = load("asg", "asg_outdated")
    assert outdated({"instances": [member("i-1", "1"), member("i-2", "2"), {"instance_id": "i-3"}]}, 2) == ["i-1", "i-3"]


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


def test_generated_values_are_new_each_time_and_have_their_length() -> None:
    generated = load("generated_values", "generated_values")
    first, second = generated({"password": 32}), generated({"password": 32})
    assert len(first["password"]) == 32
    assert first["password"].isalnum()
    assert first != second


def test_resources_are_counted_for_people() -> None:
    counted = load("resources", "resources_counted")
    assert counted({"subnets": ["a", "b"], "vpcs": ["c"], "database_snapshots": ["kept"]}) == "2 subnets, 1 vpcs"
    assert counted({"database_snapshots": ["kept"]}) == "nothing"
