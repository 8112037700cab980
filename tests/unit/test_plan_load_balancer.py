"""What the load balancer layer's roles want, and how what stands is paired with it, on values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.plan.certificates import want_certificates
from ansible.module_utils.plan.compare import compare, shown
from ansible.module_utils.plan.families import KINDS, want
from ansible.module_utils.plan.listeners import rule_keys, want_listeners
from ansible.module_utils.plan.log_bucket import want_log_bucket

from .balancer import calls, inventory
from .wanted import wanted


def test_everything_is_created_in_the_order_of_a_run(tmp_path: Path) -> None:
    ids = {"alb_vpc_id": "<vpc/vpc#id>", "alb_subnet_ids": ["<subnet/a#id>"], "alb_security_group_ids": ["<security_group/b#id>"]}
    changes = compare(want(calls(inventory(), tmp_path, ids)), [], KINDS)
    assert [(item.resource.kind, item.resource.key) for item in changes] == [
        ("certificate", "api"), ("certificate", "site"), ("log_bucket", "logs"), ("target_group", "spare"), ("target_group", "web"),
        ("load_balancer", "uda-alb"), ("listener", "http"), ("listener", "https"),
        *(("listener_rule", f"https.{name}") for name in ("api", "closed", "inside", "post", "split")),
    ]  # fmt: skip
    fields = {one.field: shown(one.new) for change in changes if change.resource.key == "uda-alb" for one in change.differences}
    assert fields["subnets"] == ["(known after apply: id of subnet a)"]


@pytest.mark.parametrize("name", ["uda", "inventory_app", "students", "meibo", "tastylog"])
def test_every_stack_wants_one_listener_and_its_group_and_neither_bucket_nor_certificate(name: str, tmp_path: Path) -> None:
    ids = {"alb_vpc_id": "vpc-1", "alb_subnet_ids": ["subnet-1"], "alb_security_group_ids": ["sg-1"]}
    resources = want(calls(wanted(name), tmp_path, ids))
    assert [item.kind for item in resources] == ["target_group", "load_balancer", "listener"]
    assert resources[2].fields["action"] == {"forward": {"web": 1}}


def test_a_certificate_of_a_file_has_its_chain_or_itself_and_one_given_by_its_arn_is_not_the_stacks(tmp_path: Path) -> None:
    file, chain = tmp_path / "a.pem", tmp_path / "b.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    chain.write_text(file.read_text() + "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n")
    given = {"file": str(file), "key_file": "k"}
    arguments = {
        "certificate_prefix": "uda", "certificate_directory": str(tmp_path), "certificate_tags": {},
        "certificate_map": {"alone": given, "signed": given | {"chain_file": str(chain)}, "theirs": {"arn": "arn:aws:acm:x"}},
    }  # fmt: skip
    alone, signed = want_certificates(arguments)
    assert (len(alone.fields["certificate"]), alone.fields["chain"]) == (1, alone.fields["certificate"])
    assert (len(signed.fields["chain"]), signed.fields["certificate"]) == (2, alone.fields["certificate"])
    assert not {"names", "renewal"} & signed.fields.keys()


def test_no_bucket_without_a_name() -> None:
    assert list(want_log_bucket({"log_bucket_name": ""})) == []


def test_listeners_go_by_the_keys_of_certificates_and_of_those_that_are_given_by_arn() -> None:
    arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/1"
    (listener,) = want_listeners(
        {"s": {"port": 443, "protocol": "HTTPS", "certificate": "site", "more_certificates": [arn], "weights": {"a": 3}}}, ["a"]
    )
    assert (listener.fields["certificate"], listener.fields["more_certificates"]) == ("site", [arn])
    assert listener.fields["action"] == {"forward": {"a": 1}}  # all of it, whatever the weight


def test_rules_are_paired_by_what_they_do_before_their_priority() -> None:
    def fields(priority: int, path: str) -> dict[str, Any]:
        return {"priority": priority, "conditions": [path], "action": {}}

    asked = {"a": fields(1, "/a"), "b": fields(2, "/b"), "c": fields(3, "/c")}
    assert rule_keys(asked, {"x": fields(1, "/b"), "y": fields(2, "/a"), "z": fields(3, "/other"), "n": fields(9, "/z")}) == {
        "x": "b",
        "y": "a",
        "z": "c",
    }
