# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role watch: the alarms of a stack's parts, and the dashboard that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Parts = Mapping[str, Any]
Alarms = dict[str, dict[str, Any]]
GIB = 2**30
WIDTH, HEIGHT, ACROSS = 12, 6, 2  # a dashboard is 24 units wide


def watch_alarms(parts: Parts, thresholds: Mapping[str, Any]) -> Alarms:
    """The alarms by key, in the words of the role's option watch_alarms, for the parts that are given."""
    return {**of_load_balancer(parts, thresholds), **of_compute(parts, thresholds), **of_database(parts, thresholds)}


def of_load_balancer(parts: Parts, thresholds: Mapping[str, Any]) -> Alarms:
    """CloudWatch tells unhealthy targets for each target group, and codes only when there are some.

    A service of containers takes a failing task out of the target group, so that too few healthy ones, not unhealthy ones, tell of it.
    """
    balancer = balancer_name(parts)
    if not balancer:
        return {}
    found: Alarms = {}
    for key, arn in parts["target_group_arns"].items():
        found[f"unhealthy_hosts_{key}"] = {
            "description": f"Targets of {key} do not pass their health check",
            "namespace": "AWS/ApplicationELB",
            "metric": "UnHealthyHostCount",
            "dimensions": {"LoadBalancer": balancer, "TargetGroup": arn.split(":")[-1]},
            "statistic": "Maximum",
            "above": thresholds["unhealthy_hosts"],
            "periods": thresholds["minutes"],
        }
        if thresholds["healthy_hosts"]:
            found[f"healthy_hosts_{key}"] = {
                "description": f"Too few targets of {key} pass their health check",
                "namespace": "AWS/ApplicationELB",
                "metric": "HealthyHostCount",
                "dimensions": {"LoadBalancer": balancer, "TargetGroup": arn.split(":")[-1]},
                "statistic": "Minimum",
                "below": thresholds["healthy_hosts"],
                "periods": thresholds["minutes"],
                "missing": "breaching",
            }
    for key, metric, who in (
        ("server_errors", "HTTPCode_Target_5XX_Count", "The application answers"),
        ("balancer_errors", "HTTPCode_ELB_5XX_Count", "The load balancer answers in the application's place"),
    ):
        found[key] = {
            "description": f"{who} with errors (5xx)",
            "namespace": "AWS/ApplicationELB",
            "metric": metric,
            "dimensions": {"LoadBalancer": balancer},
            "statistic": "Sum",
            "above": thresholds["server_errors"],
            "periods": thresholds["minutes"],
            "missing": "notBreaching",
        }
    return found


def of_compute(parts: Parts, thresholds: Mapping[str, Any]) -> Alarms:
    dimensions = compute(parts)
    if not dimensions:
        return {}
    return {
        "cpu": {
            "description": "The machines are busy" if parts["group_name"] else "The tasks are busy",
            "namespace": "AWS/EC2" if parts["group_name"] else "AWS/ECS",
            "metric": "CPUUtilization",
            "dimensions": dimensions,
            "above": thresholds["cpu_percent"],
            "periods": thresholds["minutes"],
        }
    }


def of_database(parts: Parts, thresholds: Mapping[str, Any]) -> Alarms:
    if not parts["database_identifier"]:
        return {}
    common = {
        "namespace": "AWS/RDS",
        "dimensions": {"DBInstanceIdentifier": parts["database_identifier"]},
        "periods": thresholds["minutes"],
    }
    return {
        "database_cpu": common
        | {"description": "The database is busy", "metric": "CPUUtilization", "above": thresholds["database_cpu_percent"]},
        "database_connections": common
        | {
            "description": "The database has almost as many connections as it takes",
            "metric": "DatabaseConnections",
            "above": thresholds["database_connections"],
        },
        "database_storage": common
        | {
            "description": "The database's disk is almost full",
            "metric": "FreeStorageSpace",
            "below": thresholds["database_free_storage_gib"] * GIB,
        },
    }


def balancer_name(parts: Parts) -> str:
    """A load balancer as CloudWatch names it: app/name/id."""
    arn: str = parts["load_balancer_arn"] or ""
    return arn.split(":loadbalancer/")[-1]


def compute(parts: Parts) -> dict[str, str]:
    """The dimensions of what runs the application."""
    if parts["group_name"]:
        return {"AutoScalingGroupName": parts["group_name"]}
    if parts["service_name"]:
        return {"ClusterName": parts["cluster_name"], "ServiceName": parts["service_name"]}
    return {}


def watch_subscriptions(emails: Iterable[str]) -> list[dict[str, str]]:
    """Subscriptions in the words of community.aws.sns_topic."""
    return [{"protocol": "email", "endpoint": email} for email in emails]


def watch_dashboard(parts: Parts, alarms: Mapping[str, Mapping[str, Any]], log_groups: Iterable[str]) -> dict[str, Any]:
    """The body of a dashboard ("Dashboard body structure and syntax", CloudWatch): one graph for each alarm with its threshold, the
    requests, the group's size, and the newest lines of each log group."""
    widgets = [*_traffic(parts), *_sizes(parts), *(_graph(key, alarm) for key, alarm in alarms.items())]
    widgets += [_log(name) for name in log_groups]
    placed = [
        {"x": WIDTH * (number % ACROSS), "y": HEIGHT * (number // ACROSS), "width": WIDTH, "height": HEIGHT, **widget}
        for number, widget in enumerate(widgets)
    ]
    return {"widgets": placed}


def _traffic(parts: Parts) -> list[dict[str, Any]]:
    balancer = balancer_name(parts)
    if not balancer:
        return []
    return [_metrics("requests", [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", balancer]], "Sum")]


def _sizes(parts: Parts) -> list[dict[str, Any]]:
    name = parts["group_name"]
    if not name:
        return []
    figures = ("GroupDesiredCapacity", "GroupInServiceInstances")
    return [_metrics("instances", [["AWS/AutoScaling", figure, "AutoScalingGroupName", name] for figure in figures], "Average")]


def _graph(key: str, alarm: Mapping[str, Any]) -> dict[str, Any]:
    metric = [alarm["namespace"], alarm["metric"], *(text for pair in alarm["dimensions"].items() for text in pair)]
    widget = _metrics(key.replace("_", " "), [metric], alarm.get("statistic", "Average"))
    threshold = alarm["above"] if "above" in alarm else alarm["below"]
    widget["properties"]["annotations"] = {"horizontal": [{"label": "alarm", "value": threshold}]}
    return widget


def _metrics(title: str, metrics: list[list[str]], statistic: str) -> dict[str, Any]:
    properties = {"title": title, "metrics": metrics, "stat": statistic, "period": 60, "view": "timeSeries"}
    return {"type": "metric", "properties": properties}


def _log(name: str) -> dict[str, Any]:
    query = f"SOURCE '{name}' | fields @timestamp, @message | sort @timestamp desc | limit 50"
    return {"type": "log", "properties": {"title": name, "query": query, "view": "table"}}


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"watch_alarms": watch_alarms, "watch_dashboard": watch_dashboard, "watch_subscriptions": watch_subscriptions}
