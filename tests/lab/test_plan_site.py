"""How site.yml uses its plan: it passes over what is as wanted, asks before something goes, and says in the end what is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Cloud
from .test_plan import Planned

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

LAYERS = ("network", "security")
WITH_NAT = {
    "vpc_nat_gateways": {"main": {"subnet": "public_1", "name": "uda-nat"}},
    "vpc_route_tables": {
        "public": {"name": "uda_route_table_public", "tier": "public", "internet": True},
        "private": {"name": "uda_route_table_private", "tier": "private", "nat_gateway": "main"},
    },
}


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    (tmp_path / "account").mkdir()
    made = Planned(tmp_path / "account", "uda", "ap-northeast-1")
    yield made
    made.close()


def reads(output: str) -> int:
    """How many layers have read the stack."""
    return output.count("TASK [Read the stack]")


def test_layers_with_nothing_to_do_are_passed_over_unless_all_are_asked_for(account: Planned) -> None:
    first = account.must({}, "approval", *LAYERS)
    assert reads(first) == 2
    account.mutations()
    assert reads(account.must({}, "approval", *LAYERS)) == 0
    assert reads(account.must({"stack_operator_cidrs": ["198.51.100.7/32"]}, "approval", *LAYERS)) == 1
    assert set(account.mutations()) == {"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"}
    assert reads(account.must({"stack_operator_cidrs": ["198.51.100.7/32"], "stack_pass_over": False}, "approval", *LAYERS)) == 2
    assert account.mutations() == []


def test_nothing_is_deleted_before_somebody_says_yes(account: Planned) -> None:
    account.must(WITH_NAT, *LAYERS)
    account.mutations()
    refused = account.play({}, "approval", *LAYERS)
    assert account.failed
    assert "The run would delete elastic_address uda-nat, delete nat_gateway uda-nat, and needs a yes" in " ".join(refused.split())
    assert account.mutations() == []
    account.must({"approve": "yes"}, "approval", *LAYERS)
    assert "DeleteNatGateway" in account.mutations()


def test_what_a_run_has_left_is_told_at_its_end(account: Planned) -> None:
    ended = account.play({}, "approval", *LAYERS, "proof")
    assert account.failed
    assert "The run has ended, and this is not as wanted: create role uda" in " ".join(ended.split())
    assert "create subnet" not in ended.rsplit("Fail when something is left to do", 1)[-1]
