"""Accounts that somebody else has furnished."""

from __future__ import annotations

import configparser
import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab import __main__ as command
from lab import users
from lab.errors import LabError
from lab.fixtures import training_account
from tests.lab.served import TRUST_EC2, Lab, document, refusal, statement


def key(lab: Lab, user: str) -> dict[str, str]:
    """A user's key as the playbooks find it."""
    found = configparser.ConfigParser()
    found.read(lab.settings.credentials_file)
    return {"AccessKeyId": found[user]["aws_access_key_id"], "SecretAccessKey": found[user]["aws_secret_access_key"]}


@pytest.fixture
def account(lab: Lab) -> dict[str, str]:
    return training_account.apply(lab.settings)


def test_a_student_builds_but_makes_no_role_and_no_user(lab: Lab, account: dict[str, str]) -> None:
    student = key(lab, account["user"])
    lab.client("ec2", student).create_vpc(CidrBlock="10.0.0.0/16")
    iam = lab.client("iam", student)
    for call, arguments in (
        (iam.create_role, {"RoleName": "own", "AssumeRolePolicyDocument": json.dumps(TRUST_EC2)}),
        (iam.create_instance_profile, {"InstanceProfileName": "own"}),
        (iam.create_user, {"UserName": "own"}),
        (iam.put_role_policy, {"RoleName": "LabRole", "PolicyName": "own", "PolicyDocument": document(statement("*"))}),
    ):
        assert "with an explicit deny in an identity-based policy" in refusal(call, **arguments)[2]


def test_a_student_passes_the_given_role_and_no_other(lab: Lab, account: dict[str, str]) -> None:
    lab.session(statement("*"), name="admin")
    lab.root("iam").create_instance_profile(InstanceProfileName="admin")
    lab.root("iam").add_role_to_instance_profile(InstanceProfileName="admin", RoleName="admin")
    image = lab.root("ec2").register_image(Name="image")["ImageId"]
    ec2 = lab.client("ec2", key(lab, account["user"]))
    wanted: dict[str, Any] = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
    ec2.run_instances(IamInstanceProfile={"Name": account["instance_profile"]}, KeyName=account["key_pair"], **wanted)
    assert "iam:PassRole" in refusal(ec2.run_instances, IamInstanceProfile={"Name": "admin"}, **wanted)[2]


def test_the_private_key_belongs_to_the_key_pair_and_is_its_owners_alone(lab: Lab, account: dict[str, str]) -> None:
    file = lab.settings.directory / "vockey"
    assert account["private_key_file"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(lab.settings.credentials_file.stat().st_mode) == 0o600
    public = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True).stdout
    (pair,) = lab.root("ec2").describe_key_pairs(KeyNames=["vockey"], IncludePublicKey=True)["KeyPairs"]
    assert pair["PublicKey"].split()[:2] == public.split()[:2]


def test_laying_it_down_again_keeps_what_stands(lab: Lab, account: dict[str, str]) -> None:
    before = key(lab, "student"), (lab.settings.directory / "vockey").read_text()
    assert training_account.apply(lab.settings) == account
    assert (key(lab, "student"), (lab.settings.directory / "vockey").read_text()) == before


def test_it_is_taken_away_without_a_trace(lab: Lab, account: dict[str, str]) -> None:
    training_account.remove(lab.settings)
    iam = lab.root("iam")
    assert iam.list_users()["Users"] == iam.list_roles()["Roles"] == iam.list_instance_profiles()["InstanceProfiles"] == []
    assert lab.root("ec2").describe_key_pairs()["KeyPairs"] == []
    assert not list(lab.settings.directory.glob("vockey*"))
    training_account.remove(lab.settings)


def test_a_user_is_made_from_a_policy_and_gets_a_new_one_with_the_same_key(lab: Lab) -> None:
    users.create(lab.settings, "reader", document(statement("ec2:Describe*")))
    before = key(lab, "reader")
    lab.client("ec2", before).describe_vpcs()
    users.create(lab.settings, "reader", document(statement("iam:List*")))
    assert key(lab, "reader") == before
    assert refusal(lab.client("ec2", before).describe_vpcs)[1] == "UnauthorizedOperation"
    users.remove(lab.settings, "reader")
    assert refusal(lab.client("iam", before).list_roles)[1] == "InvalidClientTokenId"


def test_the_command_line_knows_every_fixture(lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_HOME", str(lab.settings.home))
    assert command.main(["fixture", "training_account", "--name", lab.settings.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["instance_profile"] == "LabInstanceProfile"
    assert command.main(["fixture", "training_account", "--name", lab.settings.name, "--remove"]) == 0
    assert command.main(["user", "nobody", "--name", lab.settings.name, "--remove"]) == 0


@pytest.mark.parametrize("text", [None, "", "{", "[]", "\udcff", '{"Statement": 1}'])
def test_the_command_line_says_in_a_sentence_what_a_policy_file_lacks(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    monkeypatch.setenv("LAB_HOME", str(lab.settings.home))
    file = tmp_path / "policy.json"
    if text is not None:
        file.write_bytes(text.encode(errors="surrogateescape"))
    for arguments in (["user", "reader", "--policy", str(file)], ["policy", "--added-to", str(file)]):
        assert command.main([*arguments, "--name", lab.settings.name]) == 1
        said = capsys.readouterr().err
        assert said.startswith("lab: ")
        assert said.count("\n") == 1


def test_a_credentials_file_that_is_none_is_told_of(lab: Lab) -> None:
    lab.settings.credentials_file.write_text("no section")
    with pytest.raises(LabError, match=r"credentials\.ini cannot be read"):
        users.create(lab.settings, "reader", document(statement("ec2:Describe*")))
