"""The plan of the database and the watch against the lab's API, without machines: a run brings about what it tells, then it is empty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.settings import ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY

from .conftest import SESSION, Cloud
from .test_network_playbooks import REGION, Network, own_network

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

LAYERS = ("database", "watch")
PLANNED = (
    "db_subnet_group",
    "db_parameter_group",
    "db_parameter",
    "db_instance",
    "topic",
    "subscription",
    "alarm",
    "log_group",
    "dashboard",
)
WANTED = own_network() | {
    "rds_parameter_group_name": "uda", "rds_parameter_group_family": "postgres15", "rds_wait_delay": 1, "rds_engine_version": "15.10",
    "rds_parameters": {"log_connections": True}, "rds_static_parameters": {"max_connections": 60},
    "watch_emails": ["operations@example.com"],
    "watch_alarms": {"full": {"namespace": "Uda", "metric": "Disk", "dimensions": {"Disk": "1"}, "above": 90}},
}  # fmt: skip
UNMADE = ("balancer-errors", "cpu", "server-errors", "unhealthy-hosts-web")
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:uda-alarms"


def still_to_come(*fields: str) -> list[tuple[Any, ...]]:
    """What waits for the load balancer and the fleet, whose layers are not run here: their alarms, and their place on the dashboard."""
    return [*(("create", "alarm", f"uda-{name}") for name in UNMADE), ("update", "dashboard", "uda", [*fields])]


class Watched(Network):
    """An account whose databases answer as soon as they have begun."""

    def round(self, times: int = 1) -> Any:
        self.answer()
        return super().round(times)

    def plans(self, wanted: dict[str, Any], *playbooks: str) -> list[list[tuple[Any, ...]]]:
        """Run playbooks; what each `plan` among them tells of what is planned here."""
        output, found = self.must(wanted | {"plan_format": "json"}, *playbooks), []
        beginning = '{\n  "changes"'
        for part in output.split(beginning)[1:]:
            plan, _end = json.JSONDecoder().raw_decode(beginning + part)
            found.append(
                [
                    (change["action"], change["kind"], change["key"])
                    if change["action"] == "create"
                    else (change["action"], change["kind"], change["key"], [one["field"] for one in change["fields"]])
                    for change in plan["changes"]
                    if change["kind"] in PLANNED
                ]
            )
        return found

    def asked(self, service: str) -> Any:
        return SESSION.create_client(service, REGION, aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY)


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "account").mkdir()
    made = Watched(tmp_path / "account", "uda", REGION)
    yield made
    made.close()


def test_the_plan_tells_what_a_run_makes_and_mends_and_nothing_after_it(account: Watched) -> None:
    before, after = account.plans(WANTED, "plan", "network", "security", *LAYERS, "plan")
    assert {change[0] for change in before} == {"create"}
    assert {change[1] for change in before} == {*PLANNED} - {"subscription"}
    assert after == still_to_come("widgets")

    rds, sns, cloudwatch, logs = (account.asked(name) for name in ("rds", "sns", "cloudwatch", "logs"))
    subnets = [account.named("subnets", f"private-{number}")["SubnetId"] for number in (1, 2)]
    rds.modify_db_subnet_group(DBSubnetGroupName="uda_subnet_group", DBSubnetGroupDescription="mine", SubnetIds=subnets)
    given = {"ParameterName": "log_connections", "ParameterValue": "0", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="uda", Parameters=[given])
    rds.create_db_parameter_group(DBParameterGroupName="mine", DBParameterGroupFamily="postgres15", Description="mine")
    rds.add_tags_to_resource(ResourceName=f"arn:aws:rds:{REGION}:{ACCOUNT_ID}:pg:uda", Tags=[{"Key": "Role", "Value": "mine"}])
    instance = rds.describe_db_instances(DBInstanceIdentifier="uda-psql-db")["DBInstances"][0]
    rds.remove_tags_from_resource(ResourceName=instance["DBInstanceArn"], TagKeys=["Stack"])
    other = account.named("groups", "uda-web")["GroupId"]
    day = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    rds.modify_db_instance(
        DBInstanceIdentifier="uda-psql-db", VpcSecurityGroupIds=[other], DeletionProtection=True, CopyTagsToSnapshot=False,
        PubliclyAccessible=True, DBParameterGroupName="mine", DBInstanceClass="db.t3.small", MultiAZ=True, BackupRetentionPeriod=1,
        EngineVersion="15.12", PreferredMaintenanceWindow=f"{day}:10:00-{day}:10:30",
    )  # fmt: skip
    sns.untag_resource(ResourceArn=TOPIC, TagKeys=["Stack"])
    sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="me@example.com")
    cloudwatch.disable_alarm_actions(AlarmNames=["uda-database-cpu"])
    alarm = {"Namespace": "Uda", "MetricName": "Disk", "Dimensions": [{"Name": "Disk", "Value": "2"}], "Statistic": "Maximum"}
    rule = {"ComparisonOperator": "LessThanThreshold", "Threshold": 1.0, "Period": 300, "EvaluationPeriods": 3, "AlarmDescription": "mine"}
    cloudwatch.put_metric_alarm(AlarmName="uda-full", **alarm, **rule, TreatMissingData="ignore", Unit="Percent", DatapointsToAlarm=2)
    logs.delete_retention_policy(logGroupName="/uda/app")
    logs.untag_log_group(logGroupName="/uda/nginx", tags=["Key"])
    cloudwatch.put_dashboard(DashboardName="uda", DashboardBody='{"widgets": [], "start": "-PT3H"}')

    changed, mended = account.plans(WANTED, "plan", *LAYERS, "plan")
    assert [change for change in changed if change in still_to_come("widgets", "settings")] == still_to_come("widgets", "settings")
    assert [change for change in changed if change not in still_to_come("widgets", "settings")] == [
        ("update", "db_subnet_group", "uda_subnet_group", ["description", "subnets"]),
        ("update", "db_parameter_group", "uda", ["tags"]),
        ("update", "db_parameter", "uda/log_connections", ["value"]),
        ("pending", "db_instance", "uda-psql-db", ["parameters"]),
        (
            "update", "db_instance", "uda-psql-db",
            ["instance_class", "multi_az", "backup_retention_period", "deletion_protection", "engine_version", "parameter_group",
             "security_groups", "public", "copy_tags_to_snapshot", "tags"],
        ),
        ("update", "topic", "uda-alarms", ["subscriptions", "tags"]),
        ("update", "alarm", "uda-database-cpu", ["actions_enabled"]),
        (
            "update", "alarm", "uda-full",
            ["description", "dimensions", "statistic", "comparison", "threshold", "period", "periods", "missing", "alarm_actions",
             "ok_actions", "unit", "datapoints_to_alarm"],
        ),
        ("update", "log_group", "/uda/app", ["retention"]),
        ("update", "log_group", "/uda/nginx", ["tags"]),
    ]  # fmt: skip
    assert mended == still_to_come("widgets")

    account.mutations()
    assert account.plans(WANTED, "plan") == [still_to_come("widgets")]
    assert account.mutations() == []
