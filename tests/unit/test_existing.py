"""What an inventory names as existing is found, or told with what there is instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible.module_utils.stack.existing import MissingError, existing
from moto import mock_aws

REGION = "us-east-1"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        iam, ec2 = boto3.client("iam", region_name=REGION), boto3.client("ec2", region_name=REGION)
        iam.create_role(RoleName="LabRole", AssumeRolePolicyDocument=json.dumps({}))
        for name in ("LabInstanceProfile", "Empty"):
            iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName="LabInstanceProfile", RoleName="LabRole")
        ec2.create_key_pair(KeyName="vockey")
        yield {"iam": iam, "ec2": ec2}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "vockey"
    file.write_text("a key\n")
    return file


def wanted(key_file: Path, **values: Any) -> dict[str, Any]:
    right = {"iam_existing_instance_profile": "LabInstanceProfile", "key_pair_existing": "vockey", "stack_ssh_key_file": str(key_file)}
    return {**right, "stack_region": REGION, **values}


def test_nothing_is_asked_when_nothing_is_named() -> None:
    assert existing({}, {"iam_existing_instance_profile": "", "key_pair_existing": ""}) == {}


def test_what_is_named_is_found(clients: dict[str, Any], key_file: Path) -> None:
    assert existing(clients, wanted(key_file)) == {
        "instance_profile_arn": "arn:aws:iam::123456789012:instance-profile/LabInstanceProfile",
        "role_name": "LabRole",
        "key_pair": "vockey",
    }


def test_everything_that_is_missing_is_told_at_once_with_what_there_is(clients: dict[str, Any], key_file: Path) -> None:
    with pytest.raises(MissingError) as refused:
        existing(clients, wanted(key_file, iam_existing_instance_profile="Lab", key_pair_existing="key"))
    assert str(refused.value).splitlines() == [
        "2 things that the stack uses are not there; nothing was changed:",
        "iam_existing_instance_profile is 'Lab': no such instance profile in the account; there are Empty, LabInstanceProfile. "
        "Name one of them, or leave the variable out where you may create roles: then the stack makes its own",
        "key_pair_existing is 'key': no such key pair in us-east-1; there are vockey. "
        "Name one of them, or leave the variable out: then the stack makes its own",
    ]


def test_a_profile_without_a_role_is_told(clients: dict[str, Any], key_file: Path) -> None:
    with pytest.raises(MissingError, match=r"iam_existing_instance_profile is 'Empty': it carries no role\. Choose one with a role"):
        existing(clients, wanted(key_file, iam_existing_instance_profile="Empty"))


def test_a_missing_private_half_is_told(clients: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(MissingError) as refused:
        existing(clients, wanted(tmp_path / "nowhere"))
    assert str(refused.value).splitlines()[1] == (
        f"stack_ssh_key_file is '{tmp_path / 'nowhere'}': no such file on this computer. "
        "Put the private key of vockey there (mode 0600), or name the file that holds it"
    )
