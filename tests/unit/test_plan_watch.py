"""The plan of the watch on moto in process: every attribute that the role sets is found again."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from ansible.module_utils.plan import watch
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.model import Change
from ansible.module_utils.stack import read
from ansible.module_utils.stack.aws import of_stack
from moto import mock_aws

from lab.settings import ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY

PLUGINS = Path(__file__).parents[2] / "plugins"
REGION = "ap-northeast-1"
SESSION = botocore.session.get_session()  # one for all tests: it reads the services' models once
KEYS = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}
KINDS = {kind.name: kind for kind in watch.KINDS}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:uda-alarms"
STRANGE = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:strange"
PARTS = {
    "load_balancer_arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT_ID}:loadbalancer/app/uda-alb/1",
    "target_group_arns": {"web": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT_ID}:targetgroup/web/2"},
    "group_name": "uda_web", "database_identifier": "uda-db", "cluster_name": "", "service_name": "",
}  # fmt: skip
THRESHOLDS = {
    "minutes": 5, "cpu_percent": 80, "unhealthy_hosts": 0, "healthy_hosts": 1, "server_errors": 10, "database_cpu_percent": 80,
    "database_connections": 60, "database_free_storage_gib": 2,
}  # fmt: skip
OWN = {"namespace": "Shop", "metric": "Orders", "dimensions": {"Shop": "1"}, "below": 1, "period": 300}


def load(path: str) -> Any:
    specification = importlib.util.spec_from_file_location(Path(path).stem, PLUGINS / path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


FILTERS, DASHBOARD, ACTIONS = load("filter/watch.py"), load("modules/cloudwatch_dashboard.py"), load("modules/cloudwatch_alarm_actions.py")


class Account:
    """An account in which the role can run; `planned` is the plan for the role's arguments with some of them others."""

    def __init__(self) -> None:
        self.clients = {name: SESSION.create_client(name, REGION, **KEYS) for name in ("cloudwatch", "sns", "logs")}
        self.cloudwatch, self.sns, self.logs = (self.clients[name] for name in ("cloudwatch", "sns", "logs"))
        alarms = FILTERS.watch_alarms(PARTS, THRESHOLDS) | {"few_orders": OWN}
        self.arguments: dict[str, Any] = {
            "watch_name": "uda", "watch_topic_name": "uda-alarms", "watch_emails": ["b@example.com", "a@example.com"],
            "watch_tags": {"Stack": "uda"}, "watch_log_retention": 14,
            "watch_log_groups": {"app": {"name": "/uda/app"}, "nginx": {"name": "/uda/nginx", "retention": 30}},
            "__watch_alarms": alarms, "__watch_dashboard": FILTERS.watch_dashboard(PARTS, alarms, ["/uda/app", "/uda/nginx"]),
        }  # fmt: skip

    def make(self) -> None:
        """What the role makes."""
        self.sns.create_topic(Name="uda-alarms", Tags=tags(Name="uda-alarms", Role="watch"))
        for address in self.arguments["watch_emails"]:
            self.sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint=address)
        for key in self.arguments["__watch_alarms"]:
            self.put(key)
        for key, name, days in (("app", "/uda/app", 14), ("nginx", "/uda/nginx", 30)):
            self.logs.create_log_group(logGroupName=name, tags={"Stack": "uda", "Name": name, "Role": "watch", "Key": key})
            self.logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        parameters = {"name": "uda", "body": self.arguments["__watch_dashboard"], "state": "present"}
        DASHBOARD.bring_about(SimpleNamespace(params=parameters, check_mode=False, warn=print), self.cloudwatch)

    def put(self, key: str, **changes: Any) -> None:
        """An alarm as the role's module puts it."""
        alarm = self.arguments["__watch_alarms"][key]
        asked = {
            "AlarmName": f"uda-{key.replace('_', '-')}", "AlarmDescription": alarm.get("description", ""), "Namespace": alarm["namespace"],
            "MetricName": alarm["metric"], "Dimensions": [{"Name": name, "Value": value} for name, value in alarm["dimensions"].items()],
            "Statistic": alarm.get("statistic", "Average"), "Threshold": float(alarm.get("above", alarm.get("below"))),
            "ComparisonOperator": "GreaterThanThreshold" if "above" in alarm else "LessThanThreshold", "Period": alarm.get("period", 60),
            "EvaluationPeriods": alarm.get("periods", 1), "TreatMissingData": alarm.get("missing", "missing"), "AlarmActions": [TOPIC],
            "OKActions": [TOPIC], "InsufficientDataActions": [],
        }  # fmt: skip
        self.cloudwatch.put_metric_alarm(**{name: value for name, value in (asked | changes).items() if value is not None})

    def draw(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change the dashboard's body."""
        body = json.loads(self.cloudwatch.get_dashboard(DashboardName="uda")["DashboardBody"])
        change(body)
        self.cloudwatch.put_dashboard(DashboardName="uda", DashboardBody=json.dumps(body))

    def found(self) -> dict[str, Any]:
        """What stack_info would hand over."""
        topics = read.named_topics(self.sns, "uda")
        own, everybodys = of_stack(topics, "Tags", "uda"), self.cloudwatch.describe_alarms()["MetricAlarms"]
        found = {
            "named_topics": topics,
            "topics": own,
            "named_alarms": [alarm for alarm in everybodys if alarm["AlarmName"].startswith("uda-")],
            "alarms": read.alarms(everybodys, {topic["TopicArn"] for topic in own}, set()),
            "groups": [],
            "log_groups": self.logs.describe_log_groups(logGroupNamePrefix="/uda/")["logGroups"],
            "dashboards": self.cloudwatch.list_dashboards(DashboardNamePrefix="uda")["DashboardEntries"],
        }
        wanted = {"stack_name": "uda", "stack_compute": "fleet", "watch_emails": self.arguments["watch_emails"]}
        told = found | {name: call() for name, call in watch.details(self.clients, found, wanted).items()}
        result: dict[str, Any] = json.loads(json.dumps(told, default=str))
        return result

    def planned(self, **others: Any) -> list[Change]:
        return compare(watch.want_watch(self.arguments | others), watch.found_watch(self.found()), KINDS)


def tags(**more: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {"Stack": "uda", **more}.items()]


def fields(changes: list[Change]) -> list[tuple[str, str, str, list[str]]]:
    return [(change.action, change.resource.kind, change.resource.key, [one.field for one in change.differences]) for change in changes]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield Account()


def test_before_the_first_run_all_of_it_is_created_and_after_it_nothing_is_left_to_do(account: Account) -> None:
    assert {(change[0], change[1]) for change in fields(account.planned())} == {
        ("create", kind) for kind in ("topic", "alarm", "log_group", "dashboard")
    }
    account.make()
    assert account.planned() == []


def subscribe(account: Account) -> Any:
    return account.sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="you@example.com")


def unsubscribe(account: Account) -> None:
    first = account.sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"][0]
    account.sns.unsubscribe(SubscriptionArn=first["SubscriptionArn"])


def alarm(**changes: Any) -> Callable[[Account], Any]:
    return lambda account: account.put("cpu", **changes)


def drawn(change: Callable[[dict[str, Any]], Any]) -> Callable[[Account], Any]:
    return lambda account: account.draw(change)


CPU, APP, UDA = ("alarm", "uda-cpu"), ("log_group", "/uda/app"), ("dashboard", "uda")


@pytest.mark.parametrize(
    ("mutation", "action", "place", "changed"),
    [
        (subscribe, "update", ("topic", "uda-alarms"), ["subscriptions"]),
        (unsubscribe, "update", ("topic", "uda-alarms"), ["subscriptions"]),
        (
            lambda account: account.sns.tag_resource(ResourceArn=TOPIC, Tags=tags(Role="mine")),
            "update", ("topic", "uda-alarms"), ["tags"],
        ),
        (lambda account: account.sns.untag_resource(ResourceArn=TOPIC, TagKeys=["Stack"]), "update", ("topic", "uda-alarms"), ["tags"]),
        (lambda account: account.cloudwatch.disable_alarm_actions(AlarmNames=["uda-cpu"]), "update", CPU, ["actions_enabled"]),
        (lambda account: account.cloudwatch.delete_alarms(AlarmNames=["uda-cpu"]), "create", CPU, None),
        (alarm(AlarmDescription="mine"), "update", CPU, ["description"]),
        (alarm(AlarmDescription=None), "update", CPU, ["description"]),
        (alarm(Namespace="AWS/ECS"), "update", CPU, ["namespace"]),
        (alarm(MetricName="NetworkIn"), "update", CPU, ["metric"]),
        (alarm(Dimensions=[{"Name": "InstanceId", "Value": "i-1"}]), "update", CPU, ["dimensions"]),
        (alarm(Statistic="Maximum"), "update", CPU, ["statistic"]),
        (alarm(Statistic=None, ExtendedStatistic="p90"), "update", CPU, ["statistic", "extended_statistic"]),
        (alarm(ComparisonOperator="LessThanThreshold"), "update", CPU, ["comparison"]),
        (alarm(Threshold=99.0), "update", CPU, ["threshold"]),
        (alarm(Period=120), "update", CPU, ["period"]),
        (alarm(EvaluationPeriods=9), "update", CPU, ["periods"]),
        (alarm(DatapointsToAlarm=2), "update", CPU, ["datapoints_to_alarm"]),
        (alarm(Unit="Percent"), "update", CPU, ["unit"]),
        (alarm(TreatMissingData="ignore"), "update", CPU, ["missing"]),
        (alarm(AlarmActions=[]), "update", CPU, ["alarm_actions"]),
        (alarm(AlarmActions=[STRANGE]), "update", CPU, ["alarm_actions"]),
        (alarm(OKActions=[]), "update", CPU, ["ok_actions"]),
        (alarm(InsufficientDataActions=[TOPIC]), "update", CPU, ["insufficient_data_actions"]),
        (lambda account: account.put("cpu", AlarmName="uda-mine"), "foreign", ("alarm", "uda-mine"), None),
        (lambda account: account.logs.put_retention_policy(logGroupName="/uda/app", retentionInDays=1), "update", APP, ["retention"]),
        (lambda account: account.logs.delete_retention_policy(logGroupName="/uda/app"), "update", APP, ["retention"]),
        (lambda account: account.logs.tag_log_group(logGroupName="/uda/app", tags={"Key": "mine"}), "update", APP, ["tags"]),
        (lambda account: account.logs.create_log_group(logGroupName="/uda/mine"), "foreign", ("log_group", "/uda/mine"), None),
        (lambda account: account.cloudwatch.delete_dashboards(DashboardNames=["uda"]), "create", UDA, None),
        (drawn(lambda body: body["widgets"].pop()), "update", UDA, ["widgets"]),
        (drawn(lambda body: body["widgets"][0]["properties"].update(region="us-west-2")), "update", UDA, ["widgets"]),
        (drawn(lambda body: body["widgets"][0]["properties"].pop("region")), "update", UDA, ["widgets"]),
        (drawn(lambda body: body["widgets"][0].update(x=3)), "update", UDA, ["widgets"]),
        (drawn(lambda body: body.update(start="-PT3H")), "update", UDA, ["settings"]),
    ],
)  # fmt: skip
def test_what_somebody_changes_is_told_by_its_kind_key_and_field(
    account: Account, mutation: Callable[[Account], Any], action: str, place: tuple[str, str], changed: list[str] | None
) -> None:
    account.make()
    mutation(account)
    [(told, *where, differing)] = fields(account.planned())
    assert (told, tuple(where)) == (action, place)
    assert changed in (None, differing)


def test_somebody_elses_subscription_that_is_not_confirmed_can_be_told_and_not_taken_away(account: Account) -> None:
    account.make()
    subscribe(account)
    found = account.found()
    for one in found["watch_topics"][0]["Subscriptions"]:
        one["SubscriptionArn"] = "PendingConfirmation"  # also the stack's own, until their owners have confirmed them
    [change] = compare(watch.want_watch(account.arguments), watch.found_watch(found), KINDS)
    assert (change.action, change.resource.kind, change.resource.key) == ("foreign", "subscription", "uda-alarms/email you@example.com")


def test_a_topic_that_was_deleted_comes_again_and_its_alarms_know_it_by_its_name(account: Account) -> None:
    account.make()
    account.sns.delete_topic(TopicArn=TOPIC)
    assert [change[:3] for change in fields(account.planned())] == [("create", "topic", "uda-alarms")]


def test_another_stacks_topics_and_alarms_are_nobodys_business_here(account: Account) -> None:
    account.make()
    account.sns.create_topic(Name="uda-test-alarms", Tags=[{"Key": "Stack", "Value": "uda-test"}])
    account.put("cpu", AlarmName="uda-test-cpu", AlarmActions=[TOPIC.replace("uda", "uda-test")])
    assert account.planned() == []


def test_numbers_given_as_text_are_numbers_and_another_wish_is_an_update(account: Account) -> None:
    account.make()
    groups = {"app": {"name": "/uda/app", "retention": "14"}, "nginx": {"name": "/uda/nginx", "retention": 30}}
    assert account.planned(watch_log_groups=groups, watch_log_retention="14") == []
    assert fields(account.planned(watch_log_retention=7)) == [("update", *APP, ["retention"])]
    assert fields(account.planned(watch_topic_name="uda-calls"))[0][:3] == ("foreign", "topic", "uda-alarms")


def test_alarms_whose_actions_are_off_are_turned_on_and_others_are_left_alone(account: Account) -> None:
    account.make()
    account.put("cpu", AlarmName="uda-mine")
    account.cloudwatch.disable_alarm_actions(AlarmNames=["uda-cpu", "uda-mine"])
    names = ["uda-cpu", "uda-database-cpu", "uda-gone"]

    def run(check_mode: bool = False) -> dict[str, Any]:
        module = SimpleNamespace(params={"prefix": "uda-", "names": names}, check_mode=check_mode)
        return dict(ACTIONS.bring_about(module, account.cloudwatch))

    assert run(check_mode=True) == run() == {"changed": True, "enabled": ["uda-cpu"]}
    assert run() == {"changed": False, "enabled": []}
    off = [one["AlarmName"] for one in account.cloudwatch.describe_alarms()["MetricAlarms"] if not one["ActionsEnabled"]]
    assert off == ["uda-mine"]
