"""A policy from what a run has needed."""

from __future__ import annotations

import pytest

from lab.iam import recorded
from lab.iam.policy import Ask, Effect, decide

SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/database-AbCdEf"  # noqa: S105 its name
ROLE = "arn:aws:iam::123456789012:role/uda/uda-web"
NOTED = {
    "ec2:CreateVpc *", "ec2:CreateTags *", "sts:GetCallerIdentity *", f"secretsmanager:CreateSecret {SECRET}", f"iam:CreateRole {ROLE}",
    f"iam:PassRole {ROLE}", "iam:ListRoles arn:aws:iam::123456789012:role/uda/", "s3:PutObject arn:aws:s3:::uda-deploy/a/b",
}  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "wide"),
    [
        ("*", "*"),
        (SECRET, "arn:aws:secretsmanager:*:*:secret:uda/*"),
        (ROLE, "arn:aws:iam::*:role/uda/*"),
        ("arn:aws:iam::123456789012:role/uda/", "arn:aws:iam::*:role/uda/*"),
        ("arn:aws:s3:::uda-deploy", "arn:aws:s3:::uda-deploy"),
        ("arn:aws:s3:::uda-deploy/releases/1/app", "arn:aws:s3:::uda-deploy/*"),
    ],
)
def test_a_resource_is_widened_to_the_stacks_own(resource: str, wide: str) -> None:
    assert recorded.widened(resource) == wide


def test_the_document_allows_what_was_needed_and_nothing_of_another_stack() -> None:
    document = recorded.document(recorded.permissions(NOTED))
    context = {"iam:passedtoservice": "ec2.amazonaws.com"}
    for entry in NOTED - {"sts:GetCallerIdentity *"}:
        action, resource = entry.split(" ")
        assert decide([document], Ask(action, resource), context) is Effect.ALLOW
    for action, resource in (
        ("ec2:RunInstances", "*"),
        ("iam:CreateRole", ROLE.replace("uda", "students")),
        ("secretsmanager:CreateSecret", SECRET.replace("uda", "students")),
    ):
        assert decide([document], Ask(action, resource), context) is Effect.SILENT
    assert decide([document], Ask("iam:PassRole", ROLE), {"iam:passedtoservice": "lambda.amazonaws.com"}) is Effect.SILENT


def test_a_document_is_read_back_and_added_to() -> None:
    first = recorded.permissions(NOTED)
    assert recorded.of_document(recorded.document(first)) == first
    both = first | {("ec2:RunInstances", "*")}
    assert recorded.document(both)["Statement"][0]["Action"] == ["ec2:CreateTags", "ec2:CreateVpc", "ec2:RunInstances"]
