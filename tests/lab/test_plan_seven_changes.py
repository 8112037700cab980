"""The seven changes behind a stack's back of which Terraform's plan found five: all are told by kind and field, and mended by the layers.

Terraform missed port 22 opened to the world and an administrator policy on the role, since neither is an attribute of what it manages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.services.load_balancers import LoadBalancers

from .account import Account
from .conftest import Cloud
from .mutations.identity import ANYTHING
from .mutations.network import ingress
from .test_plan import Planned
from .test_plan_identity import REGION, stack

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(1200)]

LAYERS = ("network", "security", "identity", "database", "load_balancer", "release", "fleet", "watch")
BUCKET, GROUP, ROLE = "tastylog-dev-deploy-bucket-123456789012", "tastylog-dev-app-asg", "tastylog-dev-app-iam-role"
DATABASE, ALARM, PARAMETER = "tastylog-dev-db", "tastylog-database-cpu", "/tastylog/dev/DB_NAME"
Change = tuple[str, str, str, str]  # action, kind, key, field


class Answering(Planned):
    """An account whose databases answer as soon as they have begun."""

    def round(self, times: int = 1) -> Any:
        self.answer()
        return super().round(times)


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    monkeypatch.setattr(LoadBalancers, "_serve", lambda _service, _elbv2, balancer: setattr(balancer, "state", "active"))
    (tmp_path / "account").mkdir()
    made = Answering(tmp_path / "account", "tastylog", REGION)
    yield made
    made.close()


def open_port_22(account: Account) -> None:
    groups = account.ec2.describe_security_groups(Filters=[{"Name": "tag:Key", "Values": ["web"]}])["SecurityGroups"]
    ingress(account, groups[0]["GroupId"], {})


def make_administrator(account: Account) -> None:
    """A policy of the name and content of AWS's AdministratorAccess: moto does not hold AWS's own."""
    arn = account.iam.create_policy(PolicyName="AdministratorAccess", PolicyDocument=json.dumps(ANYTHING))["Policy"]["Arn"]
    account.iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)


SEVEN: dict[Change, Callable[[Account], Any]] = {
    ("update", "security_group", "web", "ingress"): open_port_22,
    ("update", "role", ROLE, "managed_policies"): make_administrator,
    ("update", "auto_scaling_group", GROUP, "max_size"): lambda account: account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=GROUP, MaxSize=9
    ),
    ("update", "db_instance", DATABASE, "backup_retention_period"): lambda account: account.rds.modify_db_instance(
        DBInstanceIdentifier=DATABASE, BackupRetentionPeriod=1, ApplyImmediately=True
    ),
    ("create", "alarm", ALARM, ""): lambda account: account.cloudwatch.delete_alarms(AlarmNames=[ALARM]),
    ("update", "bucket", BUCKET, "policy"): lambda account: account.s3.delete_bucket_policy(Bucket=BUCKET),
    ("update", "parameter", PARAMETER, "value"): lambda account: account.client("ssm").put_parameter(
        Name=PARAMETER, Value="elsewhere", Type="String", Overwrite=True
    ),
}


def told(plan: dict[str, Any]) -> set[Change]:
    """What is to be done, by field; of what is created as a whole no field. The image layer, which needs machines, is left out."""
    return {
        (change["action"], change["kind"], change["key"], field)
        for change in plan["changes"]
        if change["layer"] != "image"
        for field in ({one["field"] for one in change["fields"]} if change["action"] == "update" else {""})
    }


def test_seven_of_seven_are_told_by_kind_and_field_and_mended(account: Answering, tmp_path: Path) -> None:
    variables = {
        **stack(tmp_path), "stack_parameters": {"DB_NAME": "tastylog"}, "asg_min_size": 0, "asg_desired_capacity": 0, "rds_wait_delay": 1,
    }  # fmt: skip
    recipe = next(one["fields"]["recipe"] for one in account.plan(**variables)["wanted"] if one["kind"] == "image")
    tags = {"Stack": "tastylog", "Recipe": recipe, "Verified": "true"}  # as the image layer would leave it
    account.ec2.create_tags(Resources=[account.image_id], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    account.must(variables, *LAYERS)
    assert told(account.plan(**variables)) == set()
    for change in SEVEN.values():
        change(account)
    assert told(account.plan(**variables)) == {*SEVEN}
    account.must(variables, *(layer for layer in LAYERS if layer not in ("network", "load_balancer")))
    assert told(account.plan(**variables)) == set()
