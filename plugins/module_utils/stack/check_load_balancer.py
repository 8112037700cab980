# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer and its target groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .check_release import BUCKET, BUCKET_RULE, bucket_prefix
from .problem import Wanted, entries, names, port, problem, within

HEALTH_CHECK = {
    "path": {"type": "str", "default": "/"},
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"]},
    "interval": {"type": "int", "default": 30},
    "timeout": {"type": "int", "default": 5},
    "healthy_threshold": {"type": "int", "default": 5},
    "unhealthy_threshold": {"type": "int", "default": 2},
    "codes": {"type": "str", "default": "200"},
}
TARGET_GROUP = {
    "name": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTP"},
    "target_type": {"type": "str", "choices": ["instance", "ip"], "default": "instance"},
    "deregistration_delay": {"type": "int", "default": 30},
    "algorithm": {"type": "str", "choices": ["round_robin", "least_outstanding_requests"], "default": "round_robin"},
    "stickiness": {"type": "int", "default": 0},
    "slow_start": {"type": "int", "default": 0},
    "health_check": {"type": "dict", "default": {}, "options": HEALTH_CHECK, "apply_defaults": True},
}
NAME = r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)"
NAME_RULE = "Use 1 to 32 letters, digits and hyphens, no hyphen at either end, not internal- first"
RANGES = {
    "interval": (5, 300, " seconds"),
    "timeout": (2, 120, " seconds"),
    "healthy_threshold": (2, 10, ""),
    "unhealthy_threshold": (2, 10, ""),
}
ATTRIBUTES = {  # AWS's page "Target group attributes"; 0 is always allowed
    "deregistration_delay": (0, 3600),
    "stickiness": (1, 604800),
    "slow_start": (30, 900),
}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the load balancer; its listeners are looked at by check_listeners.py."""
    yield from names(wanted, "alb_name", NAME, NAME_RULE)
    yield from within(wanted, "alb_idle_timeout", 1, 4000, " seconds")
    yield from access_logs(wanted)
    groups, problems = entries(wanted, "alb_target_groups", TARGET_GROUP)
    yield from problems
    for key, group in groups.items():
        variable = f"alb_target_groups.{key}"
        yield from names({f"{variable}.name": group["name"]}, f"{variable}.name", NAME, NAME_RULE)
        yield from port(f"{variable}.port", group["port"])
        yield from attributes(variable, group)
        yield from health_check(f"{variable}.health_check", group["health_check"])


def attributes(variable: str, group: Mapping[str, Any]) -> Iterator[str]:
    for key, (low, high) in ATTRIBUTES.items():
        if group[key] != 0 and not low <= group[key] <= high:
            yield problem(
                f"{variable}.{key}", group[key], "out of range", f"Choose {low} to {high} seconds{', or 0 for none' if low else ''}"
            )
    if group["slow_start"] and group["algorithm"] == "least_outstanding_requests":
        wrong = "AWS lets no group start slowly that looks at outstanding requests"
        yield problem(f"{variable}.slow_start", group["slow_start"], wrong, "Set it to 0, or algorithm to round_robin")


def access_logs(wanted: Wanted) -> Iterator[str]:
    """A bucket for all of AWS's users has a name that few may choose; its policy covers one prefix."""
    bucket, prefix = wanted.get("log_bucket_name"), bucket_prefix(str(wanted.get("stack_name") or ""))
    if bucket:
        yield from names(wanted, "log_bucket_name", BUCKET, BUCKET_RULE)
        if prefix and not str(bucket).startswith(f"{prefix}-"):
            yield problem(
                "log_bucket_name", bucket, f"does not begin with {prefix}-, by which the stack finds its buckets", f"Use {prefix}-logs-..."
            )
        if wanted.get("alb_access_logs_bucket") == bucket and (wanted.get("log_bucket_prefix") or "") != (
            wanted.get("alb_access_logs_prefix") or ""
        ):
            wrong = f"the bucket lets log delivery write below log_bucket_prefix {wanted.get('log_bucket_prefix')!r}"
            yield problem("alb_access_logs_prefix", wanted.get("alb_access_logs_prefix"), wrong, "Give both the same prefix")
        elif wanted.get("alb_access_logs_bucket") in (None, ""):
            yield problem("alb_access_logs_bucket", "", "nothing would write into log_bucket_name", "Set it to the bucket's name")
    prefix = wanted.get("alb_access_logs_prefix") or ""
    if "AWSLogs" in prefix or prefix.startswith("/") or prefix.endswith("/"):
        yield problem("alb_access_logs_prefix", prefix, "AWS adds slashes and AWSLogs itself", "Take them out")


def health_check(variable: str, values: Mapping[str, Any]) -> Iterator[str]:
    if not values["path"].startswith("/"):
        yield problem(f"{variable}.path", values["path"], "not a path", "Begin it with /")
    if values["port"] is not None:
        yield from port(f"{variable}.port", values["port"])
    for key, (low, high, unit) in RANGES.items():
        if not low <= values[key] <= high:
            yield problem(f"{variable}.{key}", values[key], "out of range", f"Choose {low} to {high}{unit}")
    if values["timeout"] >= values["interval"]:
        wrong = f"not below the interval of {values['interval']} seconds"
        yield problem(f"{variable}.timeout", values["timeout"], wrong, "Choose a smaller timeout or a larger interval")
