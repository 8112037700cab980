"""What somebody could change of alarms, logs and the dashboard."""

from __future__ import annotations

import json
from typing import Any

from lab.settings import ACCOUNT_ID

from ..account import Account
from .words import ELSEWHERE, Fields, Mutation, Mutations


def alarm(**changed: Any) -> Mutation:
    """An alarm with one thing changed: the request says all of it anew. None takes a thing away."""
    said = (
        "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "Namespace",
        "MetricName",
        "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold",
        "ComparisonOperator", "TreatMissingData",
    )  # fmt: skip

    def put(account: Account, resource_id: str, fields: Fields) -> None:
        cloudwatch = account.client("cloudwatch", account.region)
        (now,) = cloudwatch.describe_alarms(AlarmNames=[resource_id])["MetricAlarms"]
        words = {key: value for key, value in (now | changed).items() if key in said and value is not None}
        cloudwatch.put_metric_alarm(**words)

    return put


def alarm_notified(account: Account, resource_id: str, fields: Fields) -> None:
    alarm(InsufficientDataActions=[f"arn:aws:sns:{account.region}:{ACCOUNT_ID}:elsewhere"])(account, resource_id, fields)


def topic_subscribed(account: Account, resource_id: str, fields: Fields) -> None:
    account.client("sns", account.region).subscribe(TopicArn=resource_id, Protocol="email", Endpoint="me@example.com")


def topic_tag(account: Account, resource_id: str, fields: Fields) -> None:
    account.client("sns", account.region).tag_resource(ResourceArn=resource_id, Tags=ELSEWHERE)


def log_retention(account: Account, resource_id: str, fields: Fields) -> None:
    account.client("logs", account.region).put_retention_policy(logGroupName=resource_id, retentionInDays=1)


def log_tag(account: Account, resource_id: str, fields: Fields) -> None:
    account.client("logs", account.region).tag_log_group(logGroupName=resource_id, tags={"Environment": "elsewhere"})


def dashboard(**changed: Any) -> Mutation:
    def put(account: Account, resource_id: str, fields: Fields) -> None:
        cloudwatch = account.client("cloudwatch", account.region)
        now = json.loads(cloudwatch.get_dashboard(DashboardName=resource_id)["DashboardBody"])
        cloudwatch.put_dashboard(DashboardName=resource_id, DashboardBody=json.dumps(now | changed))

    return put


MUTATIONS: Mutations = {
    ("topic", "subscriptions"): topic_subscribed,
    ("topic", "tags"): topic_tag,
    ("alarm", "actions_enabled"): alarm(ActionsEnabled=False),
    ("alarm", "alarm_actions"): alarm(AlarmActions=[]),
    ("alarm", "comparison"): alarm(ComparisonOperator="LessThanOrEqualToThreshold"),
    ("alarm", "datapoints_to_alarm"): alarm(DatapointsToAlarm=1),
    ("alarm", "description"): alarm(AlarmDescription="Something else"),
    ("alarm", "dimensions"): alarm(Dimensions=[{"Name": "Elsewhere", "Value": "1"}]),
    ("alarm", "extended_statistic"): alarm(ExtendedStatistic="p90", Statistic=None),
    ("alarm", "insufficient_data_actions"): alarm_notified,
    ("alarm", "metric"): alarm(MetricName="Elsewhere"),
    ("alarm", "missing"): alarm(TreatMissingData="ignore"),
    ("alarm", "namespace"): alarm(Namespace="Elsewhere"),
    ("alarm", "ok_actions"): alarm(OKActions=[]),
    ("alarm", "period"): alarm(Period=600),
    ("alarm", "periods"): alarm(EvaluationPeriods=9),
    ("alarm", "statistic"): alarm(ExtendedStatistic="p90", Statistic=None),
    ("alarm", "threshold"): alarm(Threshold=12345.0),
    ("alarm", "unit"): alarm(Unit="Percent"),
    ("log_group", "retention"): log_retention,
    ("log_group", "tags"): log_tag,
    ("dashboard", "settings"): dashboard(start="-PT3H"),
    ("dashboard", "widgets"): dashboard(widgets=[]),
}
