"""The roles of the release layer against the lab's API: made once, left alone, told when spoilt, taken away, and silent about secrets."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import api, requests
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY

from .conftest import SESSION, Cloud

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

PROJECT = Path(__file__).resolve().parents[2]
REGION = "ap-northeast-1"
KEYS = ["releases/r1.tar.gz"]


class Account:
    """A served API without machines, and the play run on it."""

    def __init__(self, home: Path) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self._port = listening.getsockname()[1]
        self.log = home / "requests.jsonl"
        self.stop = api.serve(api.Application(requests.Log(self.log), threading.RLock(), lambda: None, {}), listening)
        keys = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}
        self.s3, self.ssm, self.secrets = (SESSION.create_client(name, REGION, **keys) for name in ("s3", "ssm", "secretsmanager"))
        self.archive = home / "r1.tar.gz"
        self.archive.write_bytes(b"an archive")
        self.shown = ""

    def play(self, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run it; what it says at the highest verbosity is kept."""
        sha256 = hashlib.sha256(self.archive.read_bytes()).hexdigest()
        wanted = {"db_host": "db", "archive": str(self.archive), "archive_sha256": sha256, "stack_region": REGION, **variables}
        command = [sys.executable, "-m", "ansible", "playbook", "tests/lab/release_roles.yml", "-i", "localhost,", "-vvvv"]
        command += ["-e", json.dumps({"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **wanted})]
        environment = os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}", "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        self.shown += done.stdout + done.stderr
        return done

    def parameters(self) -> dict[str, tuple[str, str]]:
        found = self.ssm.get_parameters_by_path(Path="/shop/dev", WithDecryption=True)["Parameters"]
        return {item["Name"].rpartition("/")[2]: (item["Type"], item["Value"]) for item in found}

    def objects(self) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket="shop-deploy").get("Contents", [])]


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path) -> Iterator[Account]:
    account = Account(tmp_path)
    yield account
    account.stop()


def test_a_release_is_provided_once_and_goes_without_a_trace(account: Account) -> None:
    assert "failed=0" in account.play().stdout, account.shown
    assert account.objects() == KEYS
    assert account.s3.get_bucket_versioning(Bucket="shop-deploy")["Status"] == "Enabled"
    assert set(account.s3.get_public_access_block(Bucket="shop-deploy")["PublicAccessBlockConfiguration"].values()) == {True}
    policy = json.loads(account.s3.get_bucket_policy(Bucket="shop-deploy")["Policy"])
    assert [(statement["Effect"], statement["Action"]) for statement in policy["Statement"]] == [
        ("Deny", "s3:*"),
        ("Allow", "s3:GetObject"),
    ]
    first = account.parameters()
    assert {name: kind for name, (kind, _) in first.items()} == {
        "DB_HOST": "String", "COOKIE_KEY": "SecureString", "DB_PASSWORD": "SecureString",
    }  # fmt: skip
    password = json.loads(account.secrets.get_secret_value(SecretId="shop/database")["SecretString"])["password"]
    assert first["DB_PASSWORD"][1] == password

    sent = len(account.log.read_text().splitlines())
    assert "changed=0" in account.play().stdout
    again = [json.loads(line) for line in account.log.read_text().splitlines()[sent:]]
    assert [entry for entry in again if entry["mutating"]] == []

    account.secrets.put_secret_value(SecretId="shop/database", SecretString=json.dumps({"password": "the-rotated-one"}))
    assert "failed=0" in account.play(db_host="db2").stdout
    rotated = account.parameters()
    assert rotated["DB_PASSWORD"][1] == "the-rotated-one", "a copy follows its secret"
    assert rotated["DB_HOST"][1] == "db2"
    assert rotated["COOKIE_KEY"] == first["COOKIE_KEY"], "a generated value is never overwritten"

    for secret in (first["COOKIE_KEY"][1], password, "the-rotated-one"):
        assert secret not in account.shown

    assert "failed=0" in account.play(gone=True).stdout
    assert account.s3.list_buckets()["Buckets"] == []
    assert account.parameters() == {}


def test_an_object_that_is_not_the_release_is_told_and_left_alone(account: Account) -> None:
    account.play()
    account.s3.put_object(Bucket="shop-deploy", Key=KEYS[0], Body=b"spoilt")
    told = account.play().stdout
    assert "s3://shop-deploy/releases/r1.tar.gz is 6 bytes with sha256 none, expected 10 bytes with sha256" in told
    assert "delete the object when no machine needs it, and run this again" in told
    assert account.s3.get_object(Bucket="shop-deploy", Key=KEYS[0])["Body"].read() == b"spoilt"
