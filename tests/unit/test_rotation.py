"""The rotation of a secret, step by step, on moto in process: every interruption is finished by doing it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from ansible.module_utils.stack.rotation import RotationError, pending_value, prepare, promote, renewed, versions
from moto import mock_aws

from lab.aws import secretsmanager

NAME = "uda/database"
LENGTHS = {"password": 32}
OLD = {"username": "postgres", "password": "old"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    secretsmanager.install()
    with mock_aws():
        made = boto3.client("secretsmanager", region_name="ap-northeast-1")
        made.create_secret(Name=NAME, SecretString=json.dumps(OLD))
        yield made


def current(client: Any) -> dict[str, str]:
    return dict(json.loads(client.get_secret_value(SecretId=NAME)["SecretString"]))


def test_a_prepared_password_is_new_and_not_yet_current(client: Any) -> None:
    assert prepare(client, NAME, LENGTHS) is True
    waiting = json.loads(pending_value(client, NAME))
    assert waiting["username"] == "postgres"
    assert len(waiting["password"]) == 32
    assert current(client) == OLD


def test_preparing_again_takes_up_what_waits(client: Any) -> None:
    prepare(client, NAME, LENGTHS)
    waiting = pending_value(client, NAME)
    assert prepare(client, NAME, LENGTHS) is False
    assert pending_value(client, NAME) == waiting


def test_promoting_makes_it_current_and_leaves_the_old_one_as_the_previous(client: Any) -> None:
    prepare(client, NAME, LENGTHS)
    waiting = json.loads(pending_value(client, NAME))
    assert promote(client, NAME) is True
    assert current(client) == waiting
    previous = client.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")["SecretString"]
    assert json.loads(previous) == OLD
    assert promote(client, NAME) is False


def test_after_a_rotation_another_one_begins_anew(client: Any) -> None:
    for _ in range(2):
        before = current(client)["password"]
        prepare(client, NAME, LENGTHS)
        promote(client, NAME)
        assert current(client)["password"] != before


def test_a_label_that_stayed_on_the_current_version_waits_for_nothing() -> None:
    assert versions({"a": ["AWSPREVIOUS"], "b": ["AWSCURRENT", "AWSPENDING"]}) == ("b", None)
    assert versions({"b": ["AWSCURRENT"], "c": ["AWSPENDING"]}) == ("b", "c")


@pytest.mark.parametrize("text", ["old", '["old"]'])
def test_a_secret_that_is_no_object_is_told_without_its_value(text: str) -> None:
    with pytest.raises(RotationError, match="not a JSON object") as refused:
        renewed(text, LENGTHS)
    assert "old" not in str(refused.value)
