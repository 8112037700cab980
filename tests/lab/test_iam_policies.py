"""What policies say of a request, on plain values."""

from __future__ import annotations

from typing import Any

import pytest

from lab.iam.conditions import PolicyError
from lab.iam.policy import Ask, Effect, decide

ROLE = "arn:aws:iam::123456789012:role/uda/web"
SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/database-AbCdEf"  # noqa: S105 its name


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def verdict(*statements: dict[str, Any], action: str = "secretsmanager:GetSecretValue", resource: str = SECRET, **context: str) -> Effect:
    return decide([document(*statements)], Ask(action, resource), context)


def test_what_no_policy_speaks_of_is_not_allowed() -> None:
    assert verdict() is Effect.SILENT
    assert verdict(allow("s3:*")) is Effect.SILENT


def test_a_deny_beats_every_allow_wherever_it_stands() -> None:
    assert verdict(deny("secretsmanager:Get*"), allow()) is Effect.DENY
    assert decide([document(allow()), document(deny())], Ask("ec2:RunInstances"), {}) is Effect.DENY


@pytest.mark.parametrize(
    "action", ["secretsmanager:GetSecretValue", "SecretsManager:getsecretvalue", "secretsmanager:Get*", "*", ["a:b", "*:Get?ecretValue"]]
)
def test_actions_fit_by_wildcards_in_any_case(action: Any) -> None:
    assert verdict(allow(action)) is Effect.ALLOW


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        ("arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/database-??????", True),
        ("arn:aws:secretsmanager:*:*:secret:uda/*", True),
        ("arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/database", False),
        ("arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/app-??????", False),
        (["arn:aws:s3:::bucket", "*"], True),
    ],
)
def test_resources_fit_by_wildcards(resource: Any, fits: bool) -> None:
    assert (verdict(allow(resource=resource)) is Effect.ALLOW) is fits


def test_not_action_and_not_resource_mean_everything_else() -> None:
    everything_but_iam = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert verdict(everything_but_iam) is Effect.ALLOW
    assert verdict(everything_but_iam, action="iam:CreateRole") is Effect.SILENT
    assert verdict(allow(), {"Effect": "Deny", "Action": "*", "NotResource": SECRET}) is Effect.ALLOW
    assert verdict(allow(), {"Effect": "Deny", "Action": "*", "NotResource": SECRET}, resource="*") is Effect.DENY


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": "true"}, False),
        ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, {"aws:requestedregion": "us-east-1"}, True),
        ({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}, {}, False),
        ({"StringNotEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}, {}, True),
        ({"StringEqualsIfExists": {"iam:PassedToService": "ec2.amazonaws.com"}}, {}, True),
        ({"StringNotLike": {"s3:prefix": ["home/*", "public/*"]}}, {"s3:prefix": "public/a"}, False),
        ({"Null": {"aws:PrincipalArn": "true"}}, {}, True),
        ({"Null": {"aws:PrincipalArn": "false"}}, {}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/16"}}, {"aws:sourceip": "10.0.3.4"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/16"}}, {"aws:sourceip": "10.0.3.4"}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/uda/*"}}, {"aws:principalarn": ROLE}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::role/uda/*"}}, {"aws:principalarn": ROLE}, False),
        ({"NumericLessThan": {"s3:max-keys": 10}}, {"s3:max-keys": "9"}, True),
        ({"StringEquals": {"a": "1"}, "Bool": {"b": "true"}}, {"a": "1", "b": "false"}, False),
    ],
)  # fmt: skip
def test_conditions(condition: dict[str, Any], context: dict[str, str], holds: bool) -> None:
    assert (verdict(allow(Condition=condition), **context) is Effect.ALLOW) is holds


def test_variables_stand_for_what_the_request_has() -> None:
    own = allow(resource="arn:aws:s3:::home/${aws:username}/*")
    assert verdict(own, resource="arn:aws:s3:::home/student/a", **{"aws:username": "student"}) is Effect.ALLOW
    assert verdict(own, resource="arn:aws:s3:::home/teacher/a", **{"aws:username": "student"}) is Effect.SILENT
    assert verdict(own, resource="arn:aws:s3:::home//a") is Effect.SILENT


def test_a_policy_on_a_resource_speaks_to_those_whom_it_names() -> None:
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
    ask = Ask("sts:AssumeRole", "arn:aws:iam::123456789012:role/web")
    assert decide([trust], ask, {}, {"ec2.amazonaws.com"}) is Effect.ALLOW
    assert decide([trust], ask, {}, {"ecs-tasks.amazonaws.com"}) is Effect.SILENT
    assert decide([document(allow(Principal="*"))], ask, {}, ()) is Effect.ALLOW
    assert decide([document(allow())], ask, {}, {"ec2.amazonaws.com"}) is Effect.SILENT


@pytest.mark.parametrize("more", [{"Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": "a"}}}, {"NotPrincipal": "*"}])
def test_what_is_not_evaluated_is_told_and_not_passed_over(more: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="is not evaluated here"):
        verdict(deny(**more))
