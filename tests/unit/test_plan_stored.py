"""Bucket, release and parameters in the plan, on moto in process: every attribute that somebody changes is named, and no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from ansible.module_utils.plan import stored
from ansible.module_utils.plan.compare import shown
from ansible.module_utils.plan.model import Resource
from moto import mock_aws

from lab.aws import s3

from .planned import brief, planned, told

REGION = "ap-northeast-1"
SESSION = botocore.session.get_session()  # one for all tests: it reads the services' models once
BUCKET = "shop-deploy"
TAGS = {"Stack": "shop", "ManagedBy": "ansible"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::1:role/web"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        },
    ],
}
BLOCKED = dict.fromkeys(stored.BLOCKED, True)
KEY = "releases/r1.tar.gz"
RELEASE = f"{BUCKET}/{KEY}"
COPIES = {"DB_PASSWORD": {"secret": "shop/database", "key": "password"}}
STACK = {
    "stack_name": "shop", "stack_compute": "fleet", "stack_delivery": "pull", "stack_deploy_bucket": BUCKET, "artifact_id": "r1",
    "stack_parameters_path": "/shop/dev", "stack_parameters_secrets": COPIES,
}  # fmt: skip


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Account:
    """What the release layer makes."""

    def __init__(self, home: Path) -> None:
        self.clients: dict[str, Any] = {name: SESSION.create_client(name, region_name=REGION) for name in ("s3", "ssm", "secretsmanager")}
        self.s3, self.ssm, self.secrets = self.clients.values()
        self.archive = home / "r1.tar.gz"
        self.archive.write_bytes(b"an archive")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        self.encrypt("AES256")
        self.version("Enabled")
        self.block()
        self.s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": listed(TAGS | {"Name": BUCKET, "Role": "deploy", "Key": "deploy"})})
        self.put(b"an archive", "abc")
        self.s3.put_object(Bucket=BUCKET, Key="releases/r0.tar.gz", Body=b"an older one")
        self.policy(POLICY)
        self.secrets.create_secret(Name="shop/database", SecretString='{"password": "one-two"}')
        self.parameter("DB_HOST", "db")
        self.parameter("COOKIE_KEY", "never-told", "SecureString")
        self.parameter("DB_PASSWORD", "one-two", "SecureString")

    def encrypt(self, algorithm: str) -> None:
        rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]
        self.s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})

    def version(self, status: str) -> None:
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})

    def block(self, **changed: bool) -> None:
        self.s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=BLOCKED | changed)

    def policy(self, document: dict[str, Any]) -> None:
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))

    def put(self, body: bytes, sha256: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body, Metadata={"sha256": sha256})

    def parameter(self, key: str, value: str, kind: str = "String") -> None:
        tags = listed(TAGS | {"Role": "web", "Name": key, "Key": key})
        self.ssm.put_parameter(Name=f"/shop/dev/{key}", Value=value, Type=kind, Tags=tags)

    def change(self, key: str, value: str, kind: str = "String") -> None:
        self.ssm.put_parameter(Name=f"/shop/dev/{key}", Value=value, Type=kind, Overwrite=True)

    def untag(self, key: str, tag: str) -> None:
        self.ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=f"/shop/dev/{key}", TagKeys=[tag])

    def wanted(self) -> list[Resource]:
        bucket = {"bucket_name": BUCKET, "bucket_role": "deploy", "bucket_key": "deploy", "bucket_tags": TAGS, "__bucket_policy": POLICY}
        release = {
            "release_upload_bucket": BUCKET, "release_upload_key": KEY, "release_upload_sha256": "abc",
            "release_upload_artifact": str(self.archive),
        }  # fmt: skip
        parameters = {
            "parameters_path": "/shop/dev", "parameters_values": {"DB_HOST": "db"}, "parameters_generated": {"COOKIE_KEY": 40},
            "parameters_secrets": COPIES, "__parameters_tags": TAGS | {"Role": "web"},
        }  # fmt: skip
        return [*stored.want_bucket(bucket), *stored.want_release(release), *stored.want_parameters(parameters)]

    def found(self, **stack: Any) -> dict[str, Any]:
        described = self.ssm.describe_parameters(ParameterFilters=[{"Key": "tag:Stack", "Values": ["shop"]}])["Parameters"]
        ours = [bucket for bucket in self.s3.list_buckets()["Buckets"] if bucket["Name"] == BUCKET]
        return told(stored, self.clients, {"buckets": ours, "parameters": described}, STACK | stack)

    def plan(self, **stack: Any) -> list[tuple[str, str, str, list[str]]]:
        return brief(planned(stored, self.wanted(), stored.found_stored(self.found(**stack))))


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    s3.install()
    with mock_aws():
        yield Account(tmp_path)


PATH = "/shop/dev/"
MUTATIONS: list[tuple[Callable[[Account], Any], str, str, list[str]]] = [
    *(
        (lambda a, word=word: a.block(**{word: False}), "bucket", BUCKET, ["public_access"])
        for word in stored.BLOCKED
    ),
    (lambda a: a.s3.delete_public_access_block(Bucket=BUCKET), "bucket", BUCKET, ["public_access"]),
    (lambda a: a.s3.delete_bucket_ownership_controls(Bucket=BUCKET), "bucket", BUCKET, ["ownership"]),
    (lambda a: a.encrypt("aws:kms"), "bucket", BUCKET, ["encryption"]),
    (lambda a: a.s3.delete_bucket_encryption(Bucket=BUCKET), "bucket", BUCKET, ["encryption"]),
    (lambda a: a.version("Suspended"), "bucket", BUCKET, ["versioning"]),
    (lambda a: a.s3.delete_bucket_policy(Bucket=BUCKET), "bucket", BUCKET, ["policy"]),
    (lambda a: a.policy({**POLICY, "Statement": POLICY["Statement"][:1]}), "bucket", BUCKET, ["policy"]),
    (lambda a: a.s3.delete_bucket_tagging(Bucket=BUCKET), "bucket", BUCKET, ["tags"]),
    (lambda a: a.put(b"an archive", "other"), "release_object", RELEASE, ["sha256"]),
    (lambda a: a.put(b"spoilt", "abc"), "release_object", RELEASE, ["bytes"]),
    (lambda a: a.change("DB_HOST", "elsewhere"), "parameter", f"{PATH}DB_HOST", ["value"]),
    (lambda a: a.change("DB_HOST", "db", "StringList"), "parameter", f"{PATH}DB_HOST", ["type"]),
    (lambda a: a.untag("DB_HOST", "Name"), "parameter", f"{PATH}DB_HOST", ["tags"]),
    (lambda a: a.untag("DB_HOST", "Stack"), "parameter", f"{PATH}DB_HOST", ["tags"]),
    (lambda a: a.change("DB_PASSWORD", "hacked", "SecureString"), "parameter", f"{PATH}DB_PASSWORD", ["value"]),
    (lambda a: a.change("DB_PASSWORD", "one-two"), "parameter", f"{PATH}DB_PASSWORD", ["type"]),
    (lambda a: a.untag("DB_PASSWORD", "Stack"), "parameter", f"{PATH}DB_PASSWORD", ["tags"]),
    (lambda a: a.change("COOKIE_KEY", "plain"), "parameter", f"{PATH}COOKIE_KEY", ["type"]),
    (lambda a: a.untag("COOKIE_KEY", "Key"), "parameter", f"{PATH}COOKIE_KEY", ["tags"]),
    (
        lambda a: a.secrets.put_secret_value(SecretId="shop/database", SecretString='{"password": "rotated"}'),
        "parameter", f"{PATH}DB_PASSWORD", ["value"],
    ),
]  # fmt: skip


def test_what_a_run_has_made_is_no_change(account: Account) -> None:
    assert account.plan() == []


@pytest.mark.parametrize(("mutate", "kind", "key", "fields"), MUTATIONS)
def test_every_attribute_that_somebody_changes_is_named(
    account: Account, mutate: Callable[[Account], Any], kind: str, key: str, fields: list[str]
) -> None:
    mutate(account)
    assert account.plan() == [("update", kind, key, fields)]


def test_what_is_gone_is_made_anew(account: Account) -> None:
    account.s3.delete_object(Bucket=BUCKET, Key=KEY)
    account.ssm.delete_parameter(Name="/shop/dev/DB_HOST")
    assert account.plan() == [
        ("create", "release_object", RELEASE, ["sha256", "bytes"]),
        ("create", "parameter", f"{PATH}DB_HOST", ["type", "value", "tags"]),
    ]


def test_a_bucket_that_does_not_stand_is_read_without_an_error(account: Account) -> None:
    found = account.found(stack_deploy_bucket="not-there")
    assert [one.key for one in stored.found_stored(found) if one.kind == "bucket"] == [BUCKET]


def test_no_value_of_a_secret_leaves_the_module(account: Account) -> None:
    account.change("DB_PASSWORD", "hacked", "SecureString")
    account.change("DB_HOST", "typed-in-by-hand", "SecureString")
    found = account.found()
    said = json.dumps(found) + str([shown(dict(one.fields)) for one in stored.found_stored(found)])
    for value in ("never-told", "one-two", "hacked", "typed-in-by-hand"):
        assert value not in said
    assert stored.OTHER in said


def test_a_stranger_below_the_path_is_foreign_for_it_becomes_a_variable_of_the_application(account: Account) -> None:
    account.ssm.put_parameter(Name="/shop/dev/LD_PRELOAD", Value="x", Type="String")
    (change,) = planned(stored, account.wanted(), stored.found_stored(account.found()))
    assert (change.action, change.resource.key, "opens" in change.effect) == ("foreign", "/shop/dev/LD_PRELOAD", True)


def test_the_parameters_of_a_stack_that_pulls_no_more_are_told_and_only_by_their_names(account: Account) -> None:
    found = stored.found_stored(account.found(stack_delivery="image"))
    left = brief(planned(stored, [], [one for one in found if one.kind == "parameter"]))
    assert [one[:3] for one in left] == [("foreign", "parameter", f"{PATH}{key}") for key in ("COOKIE_KEY", "DB_HOST", "DB_PASSWORD")]


def test_a_release_that_is_not_packed_is_known_by_its_name(account: Account) -> None:
    account.archive.unlink()
    assert account.plan() == []
    account.s3.delete_object(Bucket=BUCKET, Key=KEY)
    assert [one[:3] for one in account.plan()] == [("create", "release_object", RELEASE)]
