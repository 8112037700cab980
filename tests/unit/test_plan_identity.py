"""Roles, key pair and secrets in the plan, on moto in process: what stands as wanted is no change, and every attribute is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible.module_utils.plan import identity
from ansible.module_utils.plan.compare import shown
from ansible.module_utils.plan.facts import coming
from ansible.module_utils.plan.model import Resource
from ansible.module_utils.stack import read
from ansible.module_utils.stack.aws import of_stack
from moto import mock_aws

from lab.aws import iam, secretsmanager

from .planned import brief, planned, told

REGION = "ap-northeast-1"
SESSION = botocore.session.get_session()  # one for all tests: it reads the services' models once
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbbOfnaiIMqqYdjoQ3S1hJtrUkcrMQ4A+VFtmY4bM2I"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMh+R4vjLj5f4EsoEPJpvnjvBd7BbBVu7kN3ukdO3Ce"
TAGS = {"Stack": "uda", "ManagedBy": "ansible"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}
ALLOWS = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["ssm:GetParameters", "ssm:GetParameter"], "Resource": ["arn:aws:x"]}],
}
READER, WRITER = (f"arn:aws:iam::123456789012:policy/{name}" for name in ("Reader", "Writer"))
ROLE = {
    "iam_existing_instance_profile": "", "iam_name": "uda-web", "iam_path": "/uda/", "iam_description": "What it is for",
    "iam_instance_profile": True, "iam_managed_policies": [READER],
    "__iam_trust": TRUST, "__iam_policy": ALLOWS, "__iam_tags": TAGS | {"Name": "uda-web"},
}  # fmt: skip
SECRET = {"secret_name": "uda/app", "secret_description": "What it signs with", "secret_tags": TAGS}


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Account:
    """A stack's identity as its roles make it."""

    def __init__(self, home: Path) -> None:
        self.clients: dict[str, Any] = {name: SESSION.create_client(name, region_name=REGION) for name in ("iam", "ec2", "secretsmanager")}
        self.iam, self.ec2, self.secrets = self.clients.values()
        self.file = home / "key"
        (home / "key.pub").write_text(f"{KEY} uda\n")
        tags = listed(TAGS | {"Name": "uda-web"})
        self.iam.create_role(
            RoleName="uda-web", Path="/uda/", AssumeRolePolicyDocument=json.dumps(TRUST), Description="What it is for", Tags=tags
        )
        for name in ("Reader", "Writer"):
            self.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOWS))
        self.iam.attach_role_policy(RoleName="uda-web", PolicyArn=READER)
        self.put("uda-web", ALLOWS)
        self.iam.create_instance_profile(InstanceProfileName="uda-web", Path="/uda/", Tags=tags)
        self.iam.add_role_to_instance_profile(InstanceProfileName="uda-web", RoleName="uda-web")
        tags = listed(TAGS | {"Name": "uda", "Role": "web"})
        self.ec2.import_key_pair(
            KeyName="uda", PublicKeyMaterial=f"{KEY} uda".encode(), TagSpecifications=[{"ResourceType": "key-pair", "Tags": tags}]
        )
        self.secrets.create_secret(
            Name="uda/app", Description="What it signs with", SecretString='{"secret_key": "shh"}', Tags=listed(TAGS | {"Name": "uda/app"})
        )

    def put(self, name: str, document: dict[str, Any]) -> None:
        self.iam.put_role_policy(RoleName="uda-web", PolicyName=name, PolicyDocument=json.dumps(document))

    def replace_key(self) -> None:
        self.ec2.delete_key_pair(KeyName="uda")
        self.ec2.import_key_pair(
            KeyName="uda", PublicKeyMaterial=OTHER_KEY.encode(),
            TagSpecifications=[{"ResourceType": "key-pair", "Tags": listed(TAGS | {"Name": "uda", "Role": "web"})}],
        )  # fmt: skip

    def pair(self) -> str:
        return str(self.ec2.describe_key_pairs()["KeyPairs"][0]["KeyPairId"])

    def wanted(self) -> list[Resource]:
        pair = {"key_pair_existing": "", "key_pair_name": "uda", "key_pair_file": str(self.file), "key_pair_tags": TAGS}
        return [*identity.want_iam(ROLE), *identity.want_key_pair(pair), *identity.want_secret(SECRET)]

    def found(self, **wanted: Any) -> dict[str, Any]:
        secrets = read.named_secrets(self.secrets, "uda", {})
        found = {
            "roles": self.iam.list_roles(PathPrefix="/uda/")["Roles"],
            "instance_profiles": self.iam.list_instance_profiles(PathPrefix="/uda/")["InstanceProfiles"],
            "key_pairs": self.ec2.describe_key_pairs(Filters=[{"Name": "tag:Stack", "Values": ["uda"]}])["KeyPairs"],
            "named_secrets": secrets,
            "secrets": of_stack(secrets, "Tags", "uda"),
        }
        return told(identity, self.clients, found, {"stack_name": "uda", **wanted})

    def plan(self) -> list[tuple[str, str, str, list[str]]]:
        return brief(planned(identity, self.wanted(), identity.found_identity(self.found())))


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    iam.install()
    secretsmanager.install()
    with mock_aws():
        yield Account(tmp_path)


WIDE = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
OPEN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
}
ANYBODY = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"AWS": "*"}}]}  # type: ignore[dict-item]
MUTATIONS: list[tuple[Callable[[Account], Any], str, str, list[str]]] = [
    (lambda a: a.iam.update_role(RoleName="uda-web", Description="other"), "role", "uda-web", ["description"]),
    (lambda a: a.iam.update_assume_role_policy(RoleName="uda-web", PolicyDocument=json.dumps(ANYBODY)), "role", "uda-web", ["trust"]),
    (lambda a: a.put("uda-web", WIDE), "role", "uda-web", ["inline_policies"]),
    (lambda a: a.put("foreign", WIDE), "role", "uda-web", ["inline_policies"]),
    (lambda a: a.iam.delete_role_policy(RoleName="uda-web", PolicyName="uda-web"), "role", "uda-web", ["inline_policies"]),
    (lambda a: a.iam.attach_role_policy(RoleName="uda-web", PolicyArn=WRITER), "role", "uda-web", ["managed_policies"]),
    (lambda a: a.iam.detach_role_policy(RoleName="uda-web", PolicyArn=READER), "role", "uda-web", ["managed_policies"]),
    (lambda a: a.iam.tag_role(RoleName="uda-web", Tags=listed({"Owner": "me"})), "role", "uda-web", ["tags"]),
    (lambda a: a.iam.untag_role(RoleName="uda-web", TagKeys=["Stack"]), "role", "uda-web", ["tags"]),
    (
        lambda a: a.iam.remove_role_from_instance_profile(InstanceProfileName="uda-web", RoleName="uda-web"),
        "instance_profile", "uda-web", ["role"],
    ),
    (lambda a: a.iam.untag_instance_profile(InstanceProfileName="uda-web", TagKeys=["Stack"]), "instance_profile", "uda-web", ["tags"]),
    (lambda a: a.replace_key(), "key_pair", "uda", ["public_key"]),
    (lambda a: a.ec2.delete_tags(Resources=[a.pair()], Tags=[{"Key": "Role"}]), "key_pair", "uda", ["tags"]),
    (lambda a: a.ec2.delete_tags(Resources=[a.pair()], Tags=[{"Key": "Stack"}]), "key_pair", "uda", ["tags"]),
    (lambda a: a.secrets.update_secret(SecretId="uda/app", Description="other"), "secret", "uda/app", ["description"]),
    (lambda a: a.secrets.put_resource_policy(SecretId="uda/app", ResourcePolicy=json.dumps(OPEN)), "secret", "uda/app", ["policy"]),
    (lambda a: a.secrets.tag_resource(SecretId="uda/app", Tags=listed({"Role": "x"})), "secret", "uda/app", ["tags"]),
    (lambda a: a.secrets.untag_resource(SecretId="uda/app", TagKeys=["Stack"]), "secret", "uda/app", ["tags"]),
]  # fmt: skip


def test_what_a_run_has_made_is_no_change(account: Account) -> None:
    assert account.plan() == []


@pytest.mark.parametrize(("mutate", "kind", "key", "fields"), MUTATIONS)
def test_every_attribute_that_somebody_changes_is_named(
    account: Account, mutate: Callable[[Account], Any], kind: str, key: str, fields: list[str]
) -> None:
    mutate(account)
    assert account.plan() == [("update", kind, key, fields)]


def test_what_the_secret_holds_is_neither_read_nor_told(account: Account) -> None:
    found = account.found()
    assert "shh" not in json.dumps(found)
    assert "shh" not in str([shown(dict(one.fields)) for one in identity.found_identity(found)])


def test_the_order_of_actions_and_a_list_of_one_say_nothing(account: Account) -> None:
    statement: dict[str, Any] = dict(ALLOWS["Statement"][0])  # type: ignore[arg-type]
    account.put(
        "uda-web", {**ALLOWS, "Statement": {**statement, "Action": ["ssm:GetParameter", "ssm:GetParameters"], "Resource": "arn:aws:x"}}
    )
    assert account.plan() == []


def test_a_managed_policy_may_be_wanted_by_its_name(account: Account) -> None:
    found = list(identity.found_identity(account.found(iam_managed_policies=["Reader"])))
    assert next(one for one in found if one.kind == "role").fields["managed_policies"] == ["Reader"]


def test_a_role_that_may_do_nothing_has_no_policy_and_a_role_of_tasks_no_profile() -> None:
    arguments = ROLE | {"__iam_policy": {"Version": "2012-10-17", "Statement": []}, "iam_instance_profile": False}
    (role,) = identity.want_iam(arguments)
    assert role.fields["inline_policies"] == {}


def test_what_somebody_else_has_made_is_not_wanted() -> None:
    assert list(identity.want_iam({"iam_existing_instance_profile": "LabInstanceProfile"})) == []
    assert list(identity.want_key_pair({"key_pair_existing": "vockey"})) == []


def test_a_key_that_is_not_made_yet_is_known_later(tmp_path: Path) -> None:
    arguments = {"key_pair_existing": "", "key_pair_name": "uda", "key_pair_file": str(tmp_path / "no"), "key_pair_tags": TAGS}
    (pair,) = identity.want_key_pair(arguments)
    assert shown(pair.fields["public_key"]) == "(known after apply: the private key that a run makes)"


def test_the_stacks_role_is_told_by_its_name_whatever_a_profile_carries_now() -> None:
    facts = {"subnets": {}, "role_name": "other", "role_arn": "arn:other", "role_arns": {"other": "arn:other", "uda-web": "arn:ours"}}
    assert coming(facts, {"stack_role_name": "uda-web"})["role_arn"] == "arn:ours"
    assert coming(facts, {"stack_role_name": "new"})["role_arn"] == "<role/new#arn>"
    assert coming(facts, {"iam_existing_instance_profile": "LabInstanceProfile"})["role_arn"] == "arn:other"
