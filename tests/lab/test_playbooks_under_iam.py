"""Layers of site.yml on the lab's API, without machines, by who may not do everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import requests, users
from lab.fixtures import training_account
from tests.lab import strangers
from tests.lab.served import Lab, publish_image

PROJECT = Path(__file__).resolve().parents[2]
LAYERS = ("preflight", "network", "security", "identity")
POLICY = PROJECT / "docs/policies/operator.json"
GIVEN = ("-e", "iam_existing_instance_profile=LabInstanceProfile", "-e", "key_pair_existing=vockey")

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Run:
    status: int
    output: str


def play(lab: Lab, user: str, *arguments: str, playbooks: tuple[str, ...] = LAYERS) -> Run:
    """Run some layers of the stack `uda` in this order, as a user of the lab."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "LAB_"))}
    paths = [f"playbooks/{name}.yml" for name in playbooks]
    command = [sys.executable, "-m", "ansible", "playbook", *paths, "-i", "inventories/uda/hosts.yml", "-e", f"stack_lab_profile={user}"]
    done = subprocess.run(
        [*command, *arguments], cwd=PROJECT, env=kept | lab.settings.environment(), capture_output=True, text=True, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr)


def mutations(lab: Lab, since: float) -> list[requests.Request]:
    return [found for found in requests.read(lab.log, mutating=True, since=since) if found.status < 400]


@pytest.fixture
def account(lab: Lab) -> dict[str, str]:
    return training_account.apply(lab.settings)


def key(account: dict[str, str]) -> tuple[str, str]:
    return "-e", f"stack_ssh_key_file={account['private_key_file']}"


def test_a_stack_stands_in_a_training_account_with_what_is_given_and_leaves_that_behind(lab: Lab, account: dict[str, str]) -> None:
    since = time.time()
    run = play(lab, "student", *GIVEN, *key(account))
    assert run.status == 0, run.output[-4000:]
    assert {found.principal for found in mutations(lab, since)} == {"arn:aws:iam::123456789012:user/student"}
    assert [found.action for found in mutations(lab, since) if found.service == "iam" or "KeyPair" in found.action] == []
    assert [role["RoleName"] for role in lab.root("iam").list_roles()["Roles"]] == ["LabRole"]
    since = time.time()
    again = play(lab, "student", *GIVEN, *key(account))
    assert again.status == 0, again.output[-4000:]
    assert mutations(lab, since) == []
    gone = play(lab, "student", *GIVEN, *key(account), "-e", "confirm=uda", playbooks=("destroy",))
    assert gone.status == 0, gone.output[-4000:]
    assert "Nothing of the stack uda is left." in gone.output
    assert lab.root("iam").get_instance_profile(InstanceProfileName="LabInstanceProfile")["InstanceProfile"]["Roles"]
    assert lab.root("ec2").describe_key_pairs()["KeyPairs"][0]["KeyName"] == "vockey"
    assert Path(account["private_key_file"]).is_file()


def test_what_is_missing_is_told_before_anything_is_made(lab: Lab, account: dict[str, str]) -> None:
    since = time.time()
    wrong = ("-e", "iam_existing_instance_profile=LabInstanceProfil", "-e", "key_pair_existing=vokey")
    run = play(lab, "student", *wrong, *key(account))
    assert run.output.count("PLAY [") == 1
    assert run.status != 0
    assert "iam_existing_instance_profile is 'LabInstanceProfil': no such instance profile in the account" in run.output
    assert "LabInstanceProfile" in run.output
    assert "key_pair_existing is 'vokey': no such key pair in ap-northeast-1; there are vockey" in run.output
    assert mutations(lab, since) == []


def test_a_denied_role_is_told_in_awss_words(lab: Lab, account: dict[str, str]) -> None:
    run = play(lab, "student")
    assert run.status != 0
    assert "not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/uda/uda-web" in run.output


def test_a_user_who_is_not_there_is_told(lab: Lab) -> None:
    run = play(lab, "nobody", playbooks=("network",))
    assert run.status != 0
    assert "stack_lab_profile is 'nobody': the lab has no such user" in run.output


def test_the_operators_policy_is_enough(lab: Lab) -> None:
    users.create(lab.settings, "operator", POLICY.read_text())
    run = play(lab, "operator")
    assert run.status == 0, run.output[-4000:]


def test_the_operators_policy_is_enough_to_read_an_account_that_others_use_too(lab: Lab, tmp_path: Path) -> None:
    publish_image(lab.root("ec2"))
    strangers.move_in(lab, tmp_path)
    users.create(lab.settings, "operator", POLICY.read_text())
    run = play(lab, "operator", playbooks=("plan",))
    assert run.status == 0, run.output[-4000:]
    assert strangers.NAME not in run.output


@pytest.mark.parametrize(("playbook", "permission"), [("network", "ec2:CreateSubnet"), ("preflight", "iam:GetInstanceProfile")])
def test_a_permission_that_is_missing_is_told_by_its_name(lab: Lab, account: dict[str, str], playbook: str, permission: str) -> None:
    policy = json.loads(POLICY.read_text())
    policy["Statement"] = [
        {**statement, "Action": [action for action in statement["Action"] if action != permission]} for statement in policy["Statement"]
    ]
    users.create(lab.settings, "operator", json.dumps(policy))
    run = play(lab, "operator", *(GIVEN if playbook == "preflight" else ()), playbooks=(playbook,))
    assert run.status != 0
    assert f"arn:aws:iam::123456789012:user/operator is not authorized to perform: {permission}" in run.output
