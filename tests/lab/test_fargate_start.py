"""What a task of ECS needs to start: its image, its secrets, its log group, the rights and a way to them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lab.settings import ACCOUNT_ID

from .conftest import REGION
from .fargate import RIGHTS, TRUST, Fargate


def trust(account_id: str) -> dict[str, Any]:
    """The trust policy that AWS recommends against a confused deputy (ECS Developer Guide, "Amazon ECS task execution IAM role")."""
    condition = {
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{account_id}:*"},
        "StringEquals": {"aws:SourceAccount": account_id},
    }
    return {**TRUST, "Statement": [{**TRUST["Statement"][0], "Condition": condition}]}


BREAKS = {
    "a missing image": (lambda f: None, "2", "CannotPullContainerError: .*:2: not found"),
    "no right to pull": (lambda f: f.allow(*RIGHTS[:1], *RIGHTS[3:]), "1", "CannotPullContainerError: .*not authorized.*ecr:BatchGetImage"),
    "no right to a token": (lambda f: f.allow(*RIGHTS[1:]), "1", "ResourceInitializationError: .*ecr:GetAuthorizationToken"),
    "no right to the secret": (lambda f: f.allow(*RIGHTS[:5]), "1", "ResourceInitializationError: .*from secrets manager: AccessDenied"),
    "a missing secret": (
        lambda f: f.secrets.delete_secret(SecretId="meibo/database", ForceDeleteWithoutRecovery=True),
        "1",
        "ResourceInitializationError: .*unable to retrieve secret from asm.*ResourceNotFoundException",
    ),
    "a missing log group": (
        lambda f: f.logs.delete_log_group(logGroupName="/meibo"),
        "1",
        "ResourceInitializationError: failed to validate logger args: .*The specified log group does not exist",
    ),
    "no way out": (
        lambda f: f.cloud.ec2.delete_route(RouteTableId=f.table_id, DestinationCidrBlock="0.0.0.0/0"),
        "1",
        "CannotPullContainerError: .*i/o timeout",
    ),
    "a role that ECS may not take": (
        lambda f: f.iam.update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(TRUST).replace("ecs-tasks", "ec2")),
        "1",
        "ECS was unable to assume the role",
    ),
    "a role for the tasks of another account": (
        lambda f: f.iam.update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(trust("210987654321"))),
        "1",
        "ECS was unable to assume the role",
    ),
    "rights for another region": (
        lambda f: f.allow(*RIGHTS, Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        "1",
        "ResourceInitializationError: .*because no identity-based policy allows the ecr:GetAuthorizationToken action",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_task_that_cannot_start_says_why(fargate: Fargate, name: str) -> None:
    damage, tag, pattern = BREAKS[name]
    arn = fargate.run(fargate.revision(tag))
    damage(fargate)
    fargate.cloud.round()
    task = fargate.task(arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    with pytest.raises(AssertionError, match=pattern):
        raise AssertionError(task["stoppedReason"])


def test_a_role_may_be_for_the_tasks_of_the_account_alone(fargate: Fargate) -> None:
    fargate.iam.update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(trust(ACCOUNT_ID)))
    arn = fargate.run(fargate.revision())
    fargate.cloud.round()
    assert fargate.task(arn)["lastStatus"] == "PENDING"


def test_rights_may_name_what_they_are_for(fargate: Fargate) -> None:
    fargate.allow(*RIGHTS[:5])
    reading = {"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": f"{fargate.secret_arn.rsplit('-', 1)[0]}-??????"}
    document = json.dumps({"Version": "2012-10-17", "Statement": reading})
    fargate.iam.put_role_policy(RoleName="execution", PolicyName="secrets", PolicyDocument=document)
    arn = fargate.run(fargate.revision())
    fargate.cloud.round()
    assert fargate.task(arn)["lastStatus"] == "PENDING"


def test_endpoints_stand_for_the_way_out(fargate: Fargate) -> None:
    arn = fargate.run(fargate.revision())
    fargate.cloud.ec2.modify_vpc_attribute(VpcId=fargate.cloud.vpc_id, EnableDnsHostnames={"Value": True})  # private DNS needs it
    fargate.cloud.ec2.delete_route(RouteTableId=fargate.table_id, DestinationCidrBlock="0.0.0.0/0")
    for service in ("ecr.api", "ecr.dkr", "secretsmanager", "logs"):
        fargate.cloud.ec2.create_vpc_endpoint(
            VpcId=fargate.cloud.vpc_id, ServiceName=f"com.amazonaws.{REGION}.{service}", VpcEndpointType="Interface"
        )
    fargate.cloud.ec2.create_vpc_endpoint(
        VpcId=fargate.cloud.vpc_id, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[fargate.table_id]
    )
    fargate.cloud.round()
    assert fargate.task(arn)["lastStatus"] == "PENDING"


def test_a_secret_of_several_lines_is_refused_as_the_lab_hands_over_one(fargate: Fargate) -> None:
    fargate.secrets.put_secret_value(SecretId="meibo/database", SecretString='{"password": "one\\ntwo"}')
    arn = fargate.run(fargate.revision())
    for _ in range(4):
        fargate.cloud.round()
        time.sleep(0.05)
    assert "secrets of one line; DB_PASSWORD has more" in fargate.task(arn)["stoppedReason"]
