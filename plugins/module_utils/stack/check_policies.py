# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling policies: kinds with what each needs, targets that can be reached, alarms that do not undo each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .problem import Wanted, entries, listing, problem

ADJUSTMENTS = ["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]
ALARM = {
    "above": {"type": "float"},
    "below": {"type": "float"},
    "period": {"type": "int", "default": 60},
    "periods": {"type": "int", "default": 3},
}
STEP = {"from": {"type": "float"}, "to": {"type": "float"}, "adjustment": {"type": "int", "required": True}}
POLICY = {
    "name": {"type": "str"},
    "type": {"type": "str", "required": True, "choices": ["target_tracking", "step", "simple"]},
    "metric": {"type": "str", "choices": ["cpu", "requests"], "default": "cpu"},
    "target": {"type": "float"},
    "scale_in": {"type": "bool", "default": True},
    "warmup": {"type": "int"},
    "steps": {"type": "list", "elements": "dict", "options": STEP},
    "adjustment": {"type": "int"},
    "adjustment_type": {"type": "str", "choices": ADJUSTMENTS},
    "cooldown": {"type": "int"},
    "alarm": {"type": "dict", "options": ALARM, "mutually_exclusive": [["above", "below"]], "required_one_of": [["above", "below"]]},
}
NEEDS = {"target_tracking": ("target",), "step": ("steps", "alarm"), "simple": ("adjustment", "alarm")}
FAST_PERIODS = (10, 20, 30)
Policies = Mapping[str, Mapping[str, Any]]


def policies(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the scaling policies."""
    found, problems = entries(wanted, "asg_policies", POLICY)
    yield from problems
    for key, policy in found.items():
        variable = f"asg_policies.{key}"
        for need in NEEDS[policy["type"]]:
            if policy.get(need) in (None, []):
                yield f"{variable}.{need} is not set: a policy of type {policy['type']} needs it"
        if policy.get("target") is not None:
            yield from target(f"{variable}.target", policy)
        if policy["alarm"]:
            yield from period(f"{variable}.alarm.period", policy["alarm"]["period"])
    yield from gap(found)


def target(variable: str, policy: Mapping[str, Any]) -> Iterator[str]:
    value = policy["target"]
    if policy["metric"] == "cpu" and not 1 <= value <= 100:
        yield problem(variable, value, "no percentage that CPU can be held at", "Choose 1 to 100")
    elif value <= 0:
        yield problem(variable, value, "not above zero", "Give the requests per target and minute")


def period(variable: str, value: int) -> Iterator[str]:
    """PutMetricAlarm takes 10, 20, 30 and multiples of 60."""
    if value not in FAST_PERIODS and (value < 60 or value % 60):
        yield problem(variable, value, "no period of CloudWatch", f"Choose {listing(FAST_PERIODS)} or a multiple of 60 seconds")


def gap(found: Policies) -> Iterator[str]:
    """The alarm that adds has to stand above the one that takes away, or the group swings between the two."""
    above = {key: policy["alarm"]["above"] for key, policy in found.items() if policy["alarm"] and policy["alarm"]["above"] is not None}
    below = {key: policy["alarm"]["below"] for key, policy in found.items() if policy["alarm"] and policy["alarm"]["below"] is not None}
    for low_key, low in below.items():
        for high_key, high in above.items():
            if low >= high:
                wrong = f"not below asg_policies.{high_key}.alarm.above {high}, so the group would swing between the two"
                yield problem(f"asg_policies.{low_key}.alarm.below", low, wrong, "Leave a gap, such as 50 and 70")
