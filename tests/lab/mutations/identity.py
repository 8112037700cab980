"""What somebody could change of roles, their profiles, keys and secrets."""

from __future__ import annotations

import json
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from lab.settings import ACCOUNT_ID

from ..account import Account
from .words import ELSEWHERE, Fields, Mutations, tag

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


ANYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}


READING = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "secretsmanager:GetSecretValue"}


def named(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition("/")[2]


def role_description(account: Account, resource_id: str, fields: Fields) -> None:
    account.iam.update_role(RoleName=named(resource_id), Description="Something else")


def role_trust(account: Account, resource_id: str, fields: Fields) -> None:
    account.iam.update_assume_role_policy(RoleName=named(resource_id), PolicyDocument=json.dumps(ANYBODY))


def role_inline(account: Account, resource_id: str, fields: Fields) -> None:
    """Its own policy is wider, and there is another one."""
    for name in (named(resource_id), "a-strangers"):
        account.iam.put_role_policy(RoleName=named(resource_id), PolicyName=name, PolicyDocument=json.dumps(ANYTHING))


def role_managed(account: Account, resource_id: str, fields: Fields) -> None:
    arn = account.iam.create_policy(PolicyName=f"for-{named(resource_id)}", PolicyDocument=json.dumps(ANYTHING))["Policy"]["Arn"]
    account.iam.attach_role_policy(RoleName=named(resource_id), PolicyArn=arn)


def role_tag(account: Account, resource_id: str, fields: Fields) -> None:
    account.iam.tag_role(RoleName=named(resource_id), Tags=ELSEWHERE)


def profile_role(account: Account, resource_id: str, fields: Fields) -> None:
    """It carries another role."""
    name, other = named(resource_id), f"other-than-{fields['role']}"
    account.iam.create_role(RoleName=other, AssumeRolePolicyDocument=json.dumps(ANYBODY))
    account.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=fields["role"])
    account.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=other)


def profile_tag(account: Account, resource_id: str, fields: Fields) -> None:
    account.iam.tag_instance_profile(InstanceProfileName=named(resource_id), Tags=ELSEWHERE)


def secrets(account: Account) -> Any:
    return account.client("secretsmanager", account.region)


def secret_description(account: Account, resource_id: str, fields: Fields) -> None:
    secrets(account).update_secret(SecretId=resource_id, Description="Something else")


def secret_policy(account: Account, resource_id: str, fields: Fields) -> None:
    document = {"Version": "2012-10-17", "Statement": [{**READING, "Resource": "*"}]}
    secrets(account).put_resource_policy(SecretId=resource_id, ResourcePolicy=json.dumps(document))


def secret_rotation(account: Account, resource_id: str, fields: Fields) -> None:
    """As RotateSecret leaves it, for which moto wants a Lambda function that does it."""
    secret = secretsmanager_backends[ACCOUNT_ID][account.region].secrets[resource_id]
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn, secret.auto_rotate_after_days = "arn:aws:lambda:ap-northeast-1:123456789012:function:rotate", 30


def secret_tag(account: Account, resource_id: str, fields: Fields) -> None:
    secrets(account).tag_resource(SecretId=resource_id, Tags=ELSEWHERE)


MUTATIONS: Mutations = {
    ("role", "description"): role_description,
    ("role", "trust"): role_trust,
    ("role", "inline_policies"): role_inline,
    ("role", "managed_policies"): role_managed,
    ("role", "tags"): role_tag,
    ("instance_profile", "role"): profile_role,
    ("instance_profile", "tags"): profile_tag,
    ("key_pair", "tags"): tag,
    ("secret", "description"): secret_description,
    ("secret", "policy"): secret_policy,
    ("secret", "rotates_by_itself"): secret_rotation,
    ("secret", "tags"): secret_tag,
}
