"""All of a stack of machines, made by site.yml: every field of every resource is changed behind its back, found by its name, and mended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.services.load_balancers import LoadBalancers

from .conftest import Cloud
from .mutations import change_every_field
from .test_plan import Plan, Planned

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(600)]

# Fields that are not changed here, and why. Those that force a replacement are not either.
UNCHANGED = {
    ("auto_scaling_group", "min_size"): "a machine would start, and there are none here; test_plan_fleet.py changes it",
    ("auto_scaling_group", "outdated_instances"): "there are no machines; test_plan_fleet.py has some",
    ("db_instance", "allocated_storage"): "storage only grows: another size is mended by a replacement alone",
    ("db_instance", "engine_version"): "a version only grows, too",
    ("db_instance", "parameters"): "it waits for a reboot: test_plan_database_changes.py",
    ("key_pair", "public_key"): "a run refuses a key that is not ours; test_plan_identity.py",
    **dict.fromkeys(
        (("listener", field) for field in ("certificate", "more_certificates", "protocol", "tls_policy")),
        "they need HTTPS; test_plan_balancer_changes.py",
    ),
    ("listener", "port"): "a listener is known by its port: on another one it is another listener",
    ("load_balancer", "address_type"): "IPv6 needs subnets that have it",
    ("scaling_policy", "group"): "it belongs to its group",
    ("scaling_policy", "resource_label"): "says which load balancer is meant when requests are counted",
    ("scaling_policy", "type"): "a policy of another type has other fields",
}


class Stack(Planned):
    """An account whose databases and load balancers are ready as soon as they have begun."""

    def round(self, times: int = 1) -> Any:
        self.answer()
        return super().round(times)

    def site(self, wanted: dict[str, Any]) -> str:
        return self.must(wanted, "../site")


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setattr(LoadBalancers, "_serve", lambda _service, _elbv2, balancer: setattr(balancer, "state", "active"))
    (tmp_path / "account").mkdir()
    made = Stack(tmp_path / "account", "uda", "ap-northeast-1")
    yield made
    made.close()


def wanted(home: Path) -> dict[str, Any]:
    """The reference stack with machines that configure themselves, none of them yet, and with what it does without otherwise."""
    return {
        "stack_delivery": "plain", "asg_min_size": 0, "asg_desired_capacity": 0, "stack_ssh_key_file": str(home / "key"),
        "asg_policies": {"cpu": {"type": "target_tracking", "metric": "cpu", "target": 10}},
        "rds_wait_delay": 1, "rds_parameter_group_name": "uda", "rds_parameter_group_family": "postgres15",
        "rds_static_parameters": {"max_connections": 60}, "watch_emails": ["operations@example.com"], "approve": True,
    }  # fmt: skip


def named(plan: Plan, action: str) -> set[tuple[str, str]]:
    return {(one["kind"], one["key"]) for one in plan["changes"] if one["action"] == action}


def updates(plan: Plan) -> set[tuple[str, str, str]]:
    return {(one["kind"], one["key"], field["field"]) for one in plan["changes"] if one["action"] == "update" for field in one["fields"]}


def test_whatever_is_changed_behind_its_back_is_found_by_its_field_and_mended_by_site_yml(stack: Stack, tmp_path: Path) -> None:
    variables = wanted(tmp_path)
    foretold = stack.plan(**variables)
    stack.site(variables)
    before, standing = stack.plan(**variables), stack.plan(**variables, want="absent")
    assert before["empty"]
    assert named(standing, "delete") == named(foretold, "create")
    made = change_every_field(stack, before["wanted"], standing["changes"], lambda one, field: (one["kind"], field) in UNCHANGED)
    assert len(made) >= 60
    assert updates(stack.plan(**variables)) == made
    stack.site(variables)
    assert stack.plan(**variables)["empty"]
