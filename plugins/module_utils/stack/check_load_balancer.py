# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer, its target groups and listeners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .problem import Wanted, entries, listing, names, problem

HEALTH_CHECK = {
    "path": {"type": "str", "default": "/"},
    "interval": {"type": "int", "default": 30},
    "timeout": {"type": "int", "default": 5},
    "healthy_threshold": {"type": "int", "default": 5},
    "unhealthy_threshold": {"type": "int", "default": 2},
    "codes": {"type": "str", "default": "200"},
}
TARGET_GROUP = {
    "name": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "deregistration_delay": {"type": "int", "default": 30},
    "health_check": {"type": "dict", "default": {}, "options": HEALTH_CHECK, "apply_defaults": True},
}
LISTENER = {
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["HTTP"], "default": "HTTP"},
    "target_group": {"type": "str", "required": True},
}
NAME = r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)"
NAME_RULE = "Use 1 to 32 letters, digits and hyphens, no hyphen at either end, not internal- first"
RANGES = {
    "interval": (5, 300, " seconds"),
    "timeout": (2, 120, " seconds"),
    "healthy_threshold": (2, 10, ""),
    "unhealthy_threshold": (2, 10, ""),
}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the load balancer."""
    yield from names(wanted, "alb_name", NAME, NAME_RULE)
    groups, problems = entries(wanted, "alb_target_groups", TARGET_GROUP)
    yield from problems
    for key, group in groups.items():
        variable = f"alb_target_groups.{key}"
        yield from names({f"{variable}.name": group["name"]}, f"{variable}.name", NAME, NAME_RULE)
        yield from port(f"{variable}.port", group["port"])
        yield from health_check(f"{variable}.health_check", group["health_check"])
    listeners, problems = entries(wanted, "alb_listeners", LISTENER)
    yield from problems
    for key, listener in listeners.items():
        yield from port(f"alb_listeners.{key}.port", listener["port"])
        if listener["target_group"] not in wanted["alb_target_groups"]:
            yield problem(
                f"alb_listeners.{key}.target_group", listener["target_group"], "no such group in alb_target_groups",
                f"Choose one of {listing(wanted['alb_target_groups'])}",
            )  # fmt: skip


def port(variable: str, value: int) -> Iterator[str]:
    if not 1 <= value <= 65535:
        yield problem(variable, value, "no port", "Choose 1 to 65535")


def health_check(variable: str, values: Mapping[str, Any]) -> Iterator[str]:
    if not values["path"].startswith("/"):
        yield problem(f"{variable}.path", values["path"], "not a path", "Begin it with /")
    for key, (low, high, unit) in RANGES.items():
        if not low <= values[key] <= high:
            yield problem(f"{variable}.{key}", values[key], "out of range", f"Choose {low} to {high}{unit}")
    if values["timeout"] >= values["interval"]:
        wrong = f"not below the interval of {values['interval']} seconds"
        yield problem(f"{variable}.timeout", values["timeout"], wrong, "Choose a smaller timeout or a larger interval")
