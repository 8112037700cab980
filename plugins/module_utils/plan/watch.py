# SPDX-License-Identifier: GPL-3.0-or-later
"""Topic with its subscriptions, alarms, log groups, dashboard: the role `watch`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..stack.aws import pages
from ..stack.read import scaled_group
from .model import Kind, Resource, Unknown
from .normal import number, tags_of

LAYER = "watch"
KINDS = (
    Kind("topic", LAYER, effects={"subscriptions": "a new address has to confirm a message from AWS before it is told of alarms"}),
    Kind("subscription", LAYER),  # only somebody else's; the stack's own are their topic's
    Kind("alarm", LAYER, effects={"actions_enabled": "while it is off, nobody is told"}),
    Kind("log_group", LAYER, effects={"retention": "older events are deleted"}),
    Kind("dashboard", LAYER),
)
# In place of a subscription's ARN, which SNS lets nobody take away. A deleted one is listed for days (Amazon SNS Developer Guide, "Deleting
# an Amazon SNS subscription and topic"), and so long the collection's module does not subscribe its address anew.
DELETED = "Deleted"
UNCONFIRMED = ("PendingConfirmation", DELETED)
WITH_REGION = ("metric", "log")  # widgets that name the region of what they show
NEVER_SET = {"unit": "Unit", "datapoints_to_alarm": "DatapointsToAlarm", "extended_statistic": "ExtendedStatistic"}


def want_watch(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `watch` makes of its arguments."""
    topic, name, tags = arguments["watch_topic_name"], arguments["watch_name"], dict(arguments["watch_tags"])
    subscriptions = sorted(f"email {address}" for address in arguments["watch_emails"])
    yield Resource("topic", topic, {"subscriptions": subscriptions, "tags": tags | {"Name": topic, "Role": "watch"}}, topic)
    for key, alarm in arguments["__watch_alarms"].items():
        yield _wanted_alarm(f"{name}-{key.replace('_', '-')}", alarm, topic)
    for key, group in arguments["watch_log_groups"].items():
        fields = {
            "retention": number(group.get("retention", arguments["watch_log_retention"])),
            "tags": tags | {"Name": group["name"], "Role": "watch", "Key": key},
        }
        yield Resource("log_group", group["name"], fields, group["name"])
    body = arguments["__watch_dashboard"]
    yield Resource("dashboard", name, {"widgets": body if isinstance(body, Unknown) else body["widgets"], "settings": {}}, name)


def _wanted_alarm(name: str, alarm: Mapping[str, Any], topic: str) -> Resource:
    fields = {
        "description": str(alarm.get("description") or ""),
        "namespace": alarm["namespace"],
        "metric": alarm["metric"],
        "dimensions": {key: str(value) for key, value in alarm["dimensions"].items()},
        "statistic": alarm.get("statistic", "Average"),
        "comparison": "GreaterThanThreshold" if "above" in alarm else "LessThanThreshold",
        "threshold": float(alarm["above"] if "above" in alarm else alarm["below"]),
        "period": number(alarm.get("period", 60)),
        "periods": number(alarm.get("periods", 1)),
        "missing": alarm.get("missing", "missing"),
        "actions_enabled": True,
        "alarm_actions": [topic],
        "ok_actions": [topic],
        "insufficient_data_actions": [],
        **dict.fromkeys(NEVER_SET),
    }
    return Resource("alarm", name, fields, name)


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Subscriptions of the topics that are named after the stack, log groups' tags, dashboards' bodies."""
    cloudwatch, sns, logs = (clients[name] for name in ("cloudwatch", "sns", "logs"))
    emails = wanted.get("watch_emails") or []
    containers = wanted.get("ecs_log_group") if wanted.get("stack_compute") == "containers" else None

    def topics() -> list[dict[str, Any]]:
        return [
            {
                **topic,
                "Subscriptions": [
                    {**one, "Wanted": one["Endpoint"] in emails}
                    for one in pages(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic["TopicArn"])
                ],
                "ByName": topic not in found["topics"],
            }
            for topic in found["named_topics"]
        ]

    return {
        "watch_topics": topics,
        "log_group_tags": lambda: {  # the containers' log group is theirs
            group["logGroupName"]: logs.list_tags_log_group(logGroupName=group["logGroupName"])["tags"]
            for group in found["log_groups"]
            if group["logGroupName"] != containers
        },
        "dashboard_bodies": lambda: {
            dashboard["DashboardName"]: without_region(
                json.loads(cloudwatch.get_dashboard(DashboardName=dashboard["DashboardName"])["DashboardBody"]), cloudwatch.meta.region_name
            )
            for dashboard in found["dashboards"]
        },
    }


def name_of(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.split(":")[-1]


def without_region(body: Mapping[str, Any], region: str) -> dict[str, Any]:
    """A dashboard's body as the role words it, which leaves the region to the module; a region that is another one stays, or is told to
    be missing."""
    return {**body, "widgets": [_local(widget, region) for widget in body.get("widgets", [])]}


def _local(widget: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    if widget.get("type") not in WITH_REGION:
        return widget
    properties = {"region": None, **widget.get("properties", {})}
    return {**widget, "properties": {key: value for key, value in properties.items() if (key, value) != ("region", region)}}


def found_watch(found: Mapping[str, Any]) -> Iterator[Resource]:
    """What stands, and who else waits to be told of alarms."""
    for topic in found["watch_topics"]:
        yield from _topic(topic)
    own = {alarm["AlarmName"] for alarm in found["alarms"]}
    groups = {group["AutoScalingGroupName"] for group in found["groups"]}
    strays = [alarm for alarm in found["named_alarms"] if alarm["AlarmName"] not in own]
    for alarm in [*found["alarms"], *strays]:
        if not any(scaled_group(action) in groups for action in alarm.get("AlarmActions", [])):  # else it is a scaling policy's
            yield _found_alarm(alarm, by_name=alarm in strays)
    for group in found["log_groups"]:
        name = group["logGroupName"]
        if name in found["log_group_tags"]:
            fields = {"retention": group.get("retentionInDays"), "tags": tags_of({"Tags": found["log_group_tags"][name]})}
            yield Resource("log_group", name, fields, name, group["arn"])
    for dashboard in found["dashboards"]:
        name = dashboard["DashboardName"]
        body = found["dashboard_bodies"][name]
        settings = {key: value for key, value in body.items() if key != "widgets"}
        yield Resource("dashboard", name, {"widgets": body["widgets"], "settings": settings}, name, dashboard["DashboardArn"])


def _topic(topic: Mapping[str, Any]) -> Iterator[Resource]:
    name, arn = name_of(topic["TopicArn"]), topic["TopicArn"]
    counted = [one for one in topic["Subscriptions"] if one["Wanted"] or one["SubscriptionArn"] not in UNCONFIRMED]
    alive = {_subscription(one) for one in counted if one["SubscriptionArn"] != DELETED}
    fields = {"subscriptions": sorted({_subscription(one) for one in counted}), "tags": tags_of(topic)}
    yield Resource("topic", name, fields, name, arn, by_name=topic["ByName"])
    for one in topic["Subscriptions"]:
        ended = one["SubscriptionArn"] == DELETED and _subscription(one) not in alive
        if (ended or one not in counted) and not topic["ByName"]:
            key = f"{name}/{_subscription(one)}"
            yield Resource("subscription", key, {"topic": name, "state": one["SubscriptionArn"]}, key, foreign=True)


def _subscription(one: Mapping[str, Any]) -> str:
    return f"{one['Protocol']} {one['Endpoint']}"


def _found_alarm(alarm: Mapping[str, Any], *, by_name: bool) -> Resource:
    beside = alarm["AlarmArn"].replace(":cloudwatch:", ":sns:").split(":alarm:")[0]  # what the ARNs of topics beside it begin with

    def told(word: str) -> list[str]:
        return [name_of(action) if action.rpartition(":")[0] == beside else action for action in alarm.get(word, [])]

    fields = {
        "description": alarm.get("AlarmDescription", ""),
        "namespace": alarm.get("Namespace"),
        "metric": alarm.get("MetricName"),
        "dimensions": {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])},
        "statistic": alarm.get("Statistic"),
        "comparison": alarm.get("ComparisonOperator"),
        "threshold": alarm.get("Threshold"),
        "period": alarm.get("Period"),
        "periods": alarm.get("EvaluationPeriods"),
        "missing": alarm.get("TreatMissingData", "missing"),
        "actions_enabled": alarm["ActionsEnabled"],
        "alarm_actions": told("AlarmActions"),
        "ok_actions": told("OKActions"),
        "insufficient_data_actions": told("InsufficientDataActions"),
        **{field: alarm.get(word) for field, word in NEVER_SET.items()},
    }
    return Resource("alarm", alarm["AlarmName"], fields, alarm["AlarmName"], alarm["AlarmArn"], by_name=by_name)
