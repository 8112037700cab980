"""The plan of endpoints, identity and what machines fetch against the lab's API: every field, changed by somebody, found, and mended."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from .account import PROJECT
from .conftest import Cloud
from .mutations import MUTATIONS, change_every_field
from .test_network_playbooks import NOBODY_IS_SERVED
from .test_plan import Plan, Planned

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

REGION = "ap-northeast-1"
ENDPOINTS = {
    "stack_reachability": NOBODY_IS_SERVED,
    "security_groups_map": {
        key: {"name": f"uda-{key}", "description": key, "ingress": [{"port": 443, "cidrs": ["10.0.0.0/16"]}]}
        for key in ("load_balancer", "web", "database", "endpoints")
    },
    "vpc_endpoints_map": {
        "secrets": {"name": "secrets", "service": "secretsmanager", "tier": "private", "security_group": "endpoints"},
        "files": {"name": "files", "service": "s3", "type": "gateway", "route_tables": ["public"]},
    },
}


@pytest.fixture
def uda(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    yield from planned(tmp_path, "uda")


@pytest.fixture
def tastylog(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    yield from planned(tmp_path, "tastylog")


def planned(home: Path, stack: str) -> Iterator[Planned]:
    (home / "account").mkdir()
    made = Planned(home / "account", stack, REGION)
    yield made
    made.close()


def changes(plan: Plan, layers: Collection[str]) -> list[dict[str, Any]]:
    return [change for change in plan["changes"] if change["layer"] in layers]


def fields(plan: Plan, layers: Collection[str]) -> set[tuple[str, str, str]]:
    found = changes(plan, layers)
    assert {change["action"] for change in found} <= {"update"}
    return {(change["kind"], change["key"], field["field"]) for change in found for field in change["fields"]}


def changed(account: Planned, layers: Collection[str], variables: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Change every field of everything that stands in these layers; what was changed."""
    wanted = [one for one in account.plan(**variables)["wanted"] if one["layer"] in layers]
    standing = account.plan(**variables, want="absent")["changes"]
    return change_every_field(account, wanted, standing, is_left)


def is_left(one: Plan, field: str) -> bool:
    """Whether this is nothing that somebody could change here."""
    return (one["kind"], field) not in MUTATIONS or (
        one["kind"] == "vpc_endpoint" and is_for_the_other_type(field, one["fields"][field], one["fields"])
    )


def is_for_the_other_type(field: str, value: Any, of: dict[str, Any]) -> bool:
    """Whether an endpoint of this type has no such thing: a gateway endpoint has no subnets, an interface endpoint no route tables."""
    return value == [] or (field == "private_dns" and of["type"] == "Gateway")


def test_endpoints(uda: Planned) -> None:
    before = uda.plan(**ENDPOINTS)
    assert {(one["action"], one["key"]) for one in changes(before, ["endpoints"])} == {("create", "secrets"), ("create", "files")}
    uda.must(ENDPOINTS, "network", "security", "endpoints")
    assert changes(uda.plan(**ENDPOINTS), ["endpoints"]) == []
    made = changed(uda, ["endpoints"], ENDPOINTS)
    assert len(made) == 6
    assert fields(uda.plan(**ENDPOINTS), ["endpoints"]) == made
    uda.must(ENDPOINTS, "endpoints")
    assert changes(uda.plan(**ENDPOINTS), ["endpoints"]) == []


def test_an_endpoint_of_another_key_takes_the_place_of_one_that_goes(uda: Planned) -> None:
    uda.must(ENDPOINTS, "network", "security", "endpoints")
    (endpoint,) = uda.ec2.describe_vpc_endpoints(Filters=[{"Name": "tag:Key", "Values": ["secrets"]}])["VpcEndpoints"]
    uda.ec2.create_tags(Resources=[endpoint["VpcEndpointId"]], Tags=[{"Key": "Key", "Value": "other"}])
    assert [(one["action"], one["key"]) for one in changes(uda.plan(**ENDPOINTS), ["endpoints"])] == [
        ("delete", "other"), ("create", "secrets"),
    ]  # fmt: skip
    uda.must(ENDPOINTS, "endpoints")
    assert changes(uda.plan(**ENDPOINTS), ["endpoints"]) == []


def stack(home: Path) -> dict[str, Any]:
    """Variables of a stack whose machines pull, without its database; a release lies packed."""
    shown = subprocess.run(
        [sys.executable, "roles/artifact/files/build_artifact.py", "--identify", "--name", "tastylog", "--runtime", "node",
         "--source", "examples/apps/tastylog", "--cache", str(home / "cache"), "--exclude", ".*", "--exclude", "*.md"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    path = Path(json.loads(shown.stdout)["path"])
    path.parent.mkdir()
    path.write_bytes(b"a release")
    return {
        "artifact_cache": str(home / "cache"),
        "artifact_exclude": [".*", "*.md"],
        "stack_ssh_key_file": str(home / "key"),
        "stack_parameters": {"DB_HOST": "db"},
        "parameters_generated": {"COOKIE_KEY": 40},
        "stack_parameters_secrets": {"DB_PASSWORD": {"secret": "tastylog/app", "key": "secret_key"}},
    }


def test_identity_and_what_machines_fetch(tastylog: Planned, tmp_path: Path) -> None:
    layers, variables = ("identity", "release"), stack(tmp_path)
    before = changes(tastylog.plan(**variables), layers)
    assert [(one["action"], one["kind"]) for one in before] == [
        ("create", kind)
        for kind in ("role", "instance_profile", "key_pair", "secret", "bucket", "release_object", "parameter", "parameter", "parameter")
    ]
    tastylog.must(variables, *layers)
    after = changes(tastylog.plan(**variables), layers)
    assert after == []

    ssm, secrets = tastylog.client("ssm"), tastylog.client("secretsmanager")
    made = changed(tastylog, layers, variables)
    assert len(made) == 5 + 2 + 1 + 4 + 6 + 3 + 2 + 3  # role, profile, key pair, secret, bucket, parameters
    ssm.put_parameter(Name="/tastylog/dev/LD_PRELOAD", Value="x", Type="String")
    plan = tastylog.plan(**variables)
    foreign = [one for one in plan["changes"] if one["action"] == "foreign"]
    assert [one["key"] for one in foreign if one["kind"] == "parameter"] == ["/tastylog/dev/LD_PRELOAD"]
    assert fields({"changes": [one for one in plan["changes"] if one not in foreign]}, layers) == made
    value = secrets.get_secret_value(SecretId="tastylog/app")["SecretString"]
    assert json.loads(value)["secret_key"] not in json.dumps(plan)
    ssm.delete_parameter(Name="/tastylog/dev/LD_PRELOAD")
    tastylog.must(variables, *layers)
    assert fields(tastylog.plan(**variables), layers) == set()


def test_a_key_pair_and_a_release_that_are_not_ours_are_told_and_refused(tastylog: Planned, tmp_path: Path) -> None:
    layers, variables = ("identity", "release"), stack(tmp_path)
    tastylog.must(variables, *layers)
    (pair,) = tastylog.ec2.describe_key_pairs()["KeyPairs"]
    tastylog.ec2.delete_key_pair(KeyName=pair["KeyName"])
    tastylog.ec2.create_key_pair(
        KeyName=pair["KeyName"], KeyType="ed25519", TagSpecifications=[{"ResourceType": "key-pair", "Tags": pair["Tags"]}]
    )
    name, key = "tastylog-dev-deploy-bucket-123456789012", next(iter(tmp_path.glob("cache/*"))).name.removeprefix("tastylog-")
    tastylog.s3.put_object(Bucket=name, Key=f"releases/{key}", Body=b"spoilt")
    told = [(one["kind"], [field["field"] for field in one["fields"]]) for one in changes(tastylog.plan(**variables), layers)]
    assert told[0] == ("key_pair", ["public_key"])
    assert told[-1] == ("release_object", ["sha256", "bytes"])
    assert "is not the other half of" in tastylog.play(variables, "identity")
    assert "A release is never overwritten" in tastylog.play(variables, "release")
    assert tastylog.failed
