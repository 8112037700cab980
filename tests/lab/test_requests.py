"""The request log tells reads from mutations."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import requests
from lab.errors import LabError

SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host"}


def test_region_and_service_are_read_from_the_signature() -> None:
    assert requests.scope_of(SIGNED) == ("us-east-1", "ec2")
    assert requests.scope_of({}) == ("-", "-")


def test_a_presigned_urls_scope_is_read_from_its_own_parameter_alone() -> None:
    assert requests.scope_of({}, "X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request") == ("us-east-1", "s3")
    assert requests.scope_of({}, "x=Credential=AKIA/20260101/us-east-1/ec2/aws4_request") == ("-", "-")


@pytest.mark.parametrize(
    ("method", "query", "headers", "body", "action"),
    [
        ("POST", "", {}, b"Action=RunInstances&Version=2016-11-15", "RunInstances"),
        ("POST", "", {"x-amz-target": "secretsmanager.GetSecretValue"}, b"{}", "GetSecretValue"),
        ("PUT", "tagging=", {}, b"<x/>", "PUT /bucket?tagging"),
        ("GET", "Action=GetCallerIdentity", {}, b"", "GetCallerIdentity"),
    ],
)
def test_the_action_is_found_in_every_protocol(method: str, query: str, headers: dict[str, str], body: bytes, action: str) -> None:
    assert requests.action_of(method, "/bucket", query, headers, body) == action


@pytest.mark.parametrize(
    "action",
    ["DescribeInstances", "GetSecretValue", "ListTagsForResource", "AssumeRole", "GET /bucket", "HEAD /bucket"],
)
def test_reads(action: str) -> None:
    assert not requests.is_mutating(action)


@pytest.mark.parametrize(
    "action",
    ["RunInstances", "DisableMetricsCollection", "PutParameter", "PUT /bucket", "DELETE /bucket/key", "DetachVolume"],
)
def test_mutations(action: str) -> None:
    assert requests.is_mutating(action)


def test_the_log_is_read_back_filtered(tmp_path: Path) -> None:
    log = requests.Log(tmp_path / "requests.jsonl")
    for at, action in ((1.0, "RunInstances"), (2.0, "DescribeInstances"), (3.0, "CreateVpc")):
        log.add(requests.Request(at, "controller", "ec2", action, requests.is_mutating(action), 200, 5.0))
    assert [found.action for found in requests.read(tmp_path / "requests.jsonl", mutating=True, since=2.0)] == ["CreateVpc"]


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert list(requests.read(tmp_path / "none.jsonl")) == []


@pytest.mark.parametrize("line", ["{", "[]", '{"at": 1.0, "unknown": 1}'])
def test_a_log_with_something_else_in_it_is_told_of(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(LabError, match=r"requests\.jsonl, line 1: "):
        list(requests.read(path))
