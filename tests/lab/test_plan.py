"""The plan of whole layers against the lab's API, without machines: what it lists is what a run makes, and what others change it finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.plan.families import KINDS

from .account import Account
from .conftest import Cloud
from .mutations import change_every_field

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

LAYERS = ("network", "security")
Plan = dict[str, Any]


class Planned(Account):
    """An account of which a plan can be made."""

    def plan(self, **variables: Any) -> Plan:
        """The plan; it sends no mutating request."""
        self.mutations()
        file = self._home / "plan.json"
        self.must(variables | {"plan_file": str(file)}, "plan")
        assert self.mutations() == []
        return dict(json.loads(file.read_text()))

    def ids(self) -> dict[tuple[str, str], str]:
        """What stands, by kind and key."""
        return {(change["kind"], change["key"]): change["id"] for change in self.plan(want="absent")["changes"]}


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    (tmp_path / "account").mkdir()
    made = Planned(tmp_path / "account", "uda", "ap-northeast-1")
    yield made
    made.close()


def names(plan: Plan, action: str) -> set[tuple[str, str]]:
    return {(change["kind"], change["key"]) for change in plan["changes"] if change["action"] == action and change["layer"] in LAYERS}


def found_fields(plan: Plan) -> set[tuple[str, str, str]]:
    return {
        (change["kind"], change["key"], field["field"])
        for change in plan["changes"]
        if change["action"] == "update" and change["layer"] in LAYERS
        for field in change["fields"]
    }


def test_on_an_empty_account_it_lists_what_a_run_then_makes_and_on_what_stands_nothing(account: Planned) -> None:
    before = account.plan()
    assert (before["cost"]["region"], before["cost"]["now"]) == ("ap-northeast-1", {"min": 0, "max": 0})
    assert before["cost"]["unknown"] == []
    assert {"auto_scaling_group", "db_instance", "load_balancer"} <= {one["kind"] for one in before["cost"]["resources"]}
    assert names(before, "create") == {(one["kind"], one["key"]) for one in before["wanted"] if KINDS[one["kind"]].layer in LAYERS}
    account.must({}, *LAYERS)
    after = account.plan()
    assert [change for change in after["changes"] if change["layer"] in LAYERS] == []
    assert len(after["wanted"]) == len(before["wanted"])


def test_one_changed_variable_is_one_changed_field(account: Planned) -> None:
    account.must({}, *LAYERS)
    changed = account.plan(stack_operator_cidrs=["198.51.100.7/32"])
    assert found_fields(changed) == {("security_group", "load_balancer", "ingress"), ("security_group", "web", "ingress")}
    replaced = account.plan(vpc_cidr="10.0.0.0/17", plan_cost="false")
    assert names(replaced, "replace") == {("vpc", "vpc")}
    assert ("cost" in changed, "cost" in replaced) == (True, False)


def test_whatever_somebody_changes_is_found_by_its_field_and_mended_by_a_run(account: Planned) -> None:
    account.must({}, *LAYERS)
    wanted = [one for one in account.plan()["wanted"] if KINDS[one["kind"]].layer in LAYERS]
    made = change_every_field(account, wanted, account.plan(want="absent")["changes"])
    assert found_fields(account.plan()) == made
    account.must({}, *LAYERS)
    assert [change for change in account.plan()["changes"] if change["layer"] in LAYERS] == []


def test_what_strangers_put_into_the_vpc_is_foreign_and_no_drift_unless_it_opens_something(account: Planned) -> None:
    account.must({}, *LAYERS)
    vpc = account.ids()["vpc", "vpc"]
    account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="ap-northeast-1a")
    assert [(kind) for kind, _key in names(account.plan(), "foreign")] == ["subnet"]
    account.ec2.create_security_group(GroupName="stranger", Description="somebody else's", VpcId=vpc)
    assert sorted(kind for kind, _key in names(account.plan(), "foreign")) == ["security_group", "subnet"]
