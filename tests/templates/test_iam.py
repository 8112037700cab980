"""The policy that roles/iam writes, asked as IAM would ask it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from lab.iam.policy import Ask, Effect, decide
from tests.templates.conftest import ROLES

HERE = "ap-northeast-1:123456789012"
GIVEN = {
    "iam_name": "uda-web",
    "iam_secret_arns": [f"arn:aws:secretsmanager:{HERE}:secret:uda/database-??????"],
    "iam_parameter_arns": [f"arn:aws:ssm:{HERE}:parameter/uda/*"],
    "iam_object_arns": ["arn:aws:s3:::uda-deploy/releases/*"],
    "iam_log_group_arns": [f"arn:aws:logs:{HERE}:log-group:/uda/web", f"arn:aws:logs:{HERE}:log-group:/uda/app:*"],
}


def constant(name: str, **given: Any) -> Any:
    """A constant of the role with these arguments."""
    loader = DataLoader()
    known: dict[str, Any] = {}
    for part in ("defaults", "vars"):
        known |= loader.load_from_file(str(ROLES / "iam" / part / "main.yml"), trusted_as_template=True)
    templar = Templar(loader, variables=known | given)
    return templar.template(templar.available_variables[name])


@pytest.mark.parametrize(
    ("action", "resource", "effect"),
    [
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:uda/database-AbCdEf", Effect.ALLOW),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:uda/app-AbCdEf", Effect.SILENT),
        ("secretsmanager:PutSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:uda/database-AbCdEf", Effect.SILENT),
        ("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/uda/url", Effect.ALLOW),
        ("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/students/url", Effect.SILENT),
        ("s3:GetObject", "arn:aws:s3:::uda-deploy/releases/1.0/app", Effect.ALLOW),
        ("s3:GetObject", "arn:aws:s3:::uda-deploy/other", Effect.SILENT),
        ("s3:ListBucket", "arn:aws:s3:::uda-deploy", Effect.SILENT),
        ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/uda/web:log-stream:i-1", Effect.ALLOW),
        ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/uda/app:log-stream:i-1", Effect.ALLOW),
        ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/students/web:log-stream:i-1", Effect.SILENT),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{HERE}:log-group:/uda/web:log-stream:", Effect.SILENT),
    ],
)
def test_what_is_named_is_allowed_and_nothing_else(action: str, resource: str, effect: Effect) -> None:
    assert decide([constant("__iam_policy", **GIVEN)], Ask(action, resource), {}) is effect


def test_a_kind_of_which_nothing_is_named_has_no_statement() -> None:
    assert constant("__iam_policy", iam_name="uda-web")["Statement"] == []
    only = constant("__iam_policy", iam_name="uda-web", iam_object_arns=["arn:aws:s3:::a/*"])["Statement"]
    assert [statement["Sid"] for statement in only] == ["ReadObjects"]


@pytest.mark.parametrize(("service", "profile"), [("ec2.amazonaws.com", True), ("ecs-tasks.amazonaws.com", False)])
def test_one_service_may_take_the_role_and_machines_get_a_profile(service: str, profile: bool) -> None:
    trust = constant("__iam_trust", iam_name="uda-web", iam_trusted_service=service)
    other = {"ec2.amazonaws.com": "ecs-tasks.amazonaws.com"}.get(service, "ec2.amazonaws.com")
    assert decide([trust], Ask("sts:AssumeRole"), {}, {service}) is Effect.ALLOW
    assert decide([trust], Ask("sts:AssumeRole"), {}, {other}) is Effect.SILENT
    assert constant("iam_instance_profile", iam_name="uda-web", iam_trusted_service=service) is profile
