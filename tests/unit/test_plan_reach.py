"""Who reaches whom, on plain values: the reference stacks as their inventories write them, and one rule or route changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from ansible.module_utils.plan import reach, reach_world, render
from ansible.module_utils.plan.families import want
from ansible.module_utils.plan.model import Resource
from ansible.module_utils.stack import check_reach
from ansible.module_utils.stack.shape import IDENTITY, shape
from ansible.module_utils.stack.validate import validate

from .called import called
from .wanted import changed, wanted

ROLES = ("vpc", "security_groups", "vpc_endpoints", "rds", "alb", "bastion", "launch_template", "asg", "ecs")
OWN = ("uda", "students", "tastylog", "meibo")  # inventory_app borrows what tests/lab/test_plan_reach.py lays down


@cache
def resources(stack: str) -> list[Resource]:
    facts = shape({kind: [] for kind in [*IDENTITY, "borrowed_databases"]})
    return reach_world.completed(want(called(stack, facts, ROLES)), [], [], {}, {})


def with_fields(stack: str, kind: str, key: str, **fields: Any) -> list[Resource]:
    """The stack with fields of one resource replaced."""
    assert any((item.kind, item.key) == (kind, key) for item in resources(stack))
    return [replace(item, fields={**item.fields, **fields}) if (item.kind, item.key) == (kind, key) else item for item in resources(stack)]


def traced(items: Sequence[Resource], stack: str = "uda", **more: Any) -> dict[str, Any]:
    variables = wanted(stack) | more
    sides = {"wanted": reach_world.world(items)}
    result: dict[str, Any] = reach.reachability(sides, check_reach.expectations(variables), check_reach.services(variables))
    return result


def answer(told: Mapping[str, Any], source: str, target: str) -> tuple[bool, bool, str]:
    (one,) = (one for one in told["answers"] if (one["from"], one["to"]) == (source, target))
    return one["reachable"], one["partly"], one["reason"]


def broken(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(one["from"], one["to"]) for one in told["broken"]]


@pytest.mark.parametrize("stack", OWN)
def test_every_stack_holds_what_is_expected_of_all(stack: str) -> None:
    told = traced(resources(stack), stack)
    assert (told["broken"], told["expectations"]) == ([], len(check_reach.DEFAULTS))
    assert {(one["from"], one["to"]) for one in told["answers"]} > {(one["from"], one["to"]) for one in check_reach.DEFAULTS}


def test_the_load_balancer_is_everybodys_or_only_the_operators() -> None:
    assert answer(traced(resources("students"), "students"), "internet", "load_balancer")[:2] == (True, False)
    reachable, partly, reason = answer(traced(resources("uda")), "internet", "load_balancer")
    assert (reachable, partly) == (True, True)
    assert "`tcp 80 from 203.0.113.10/32` of security group uda_sg_alb" in reason
    told = traced(resources("uda"), stack_reachability=[
        {"from": "203.0.113.10/32", "to": "load_balancer", "reachable": True},
        {"from": "198.51.100.0/24", "to": "load_balancer", "reachable": False},
        {"from": "internet", "to": "load_balancer", "reachable": True},
    ])  # fmt: skip
    assert broken(told) == [("internet", "load_balancer")]
    assert "shall reach load_balancer on port 80, and does only partly" in told["broken"][0]["message"]


OPEN = {"tcp 5432 0.0.0.0/0": ""}
OUT = {"0.0.0.0/0": "<internet_gateway/internet_gateway#id>"}


def opened(*what: str) -> list[Resource]:
    changes: dict[str, tuple[str, str, dict[str, Any]]] = {
        "rule": ("security_group", "database", {"ingress": OPEN}),
        "route": ("route_table", "private", {"routes": OUT}),
        "address": ("db_instance", "uda-psql-db", {"public": True}),
    }
    result = resources("uda")
    for kind, key, fields in (changes[word] for word in what):
        result = [replace(item, fields={**item.fields, **fields}) if (item.kind, item.key) == (kind, key) else item for item in result]
    return result


def test_the_internet_reaches_the_database_by_a_rule_a_route_and_a_public_address_and_not_without_one_of_them() -> None:
    told = traced(opened("rule", "route", "address"))
    assert ("internet", "database") in broken(told)
    message = told["broken"][0]["message"]
    assert "must not reach database on port 5432, and does (wanted): rule `tcp 5432 from 0.0.0.0/0` of security group uda_sg_rds" in message
    assert "route 0.0.0.0/0 of route table uda_route_table_private leads to the internet gateway. Take the rule out of" in message
    for missing, why in {
        ("route", "address"): "no rule of security group uda_sg_rds lets it in on port 5432",
        (
            "rule",
            "address",
        ): "route table uda_route_table_private has no route to an internet gateway (though rule `tcp 5432 from 0.0.0.0/0`",
        ("rule", "route"): "it has no public address (though rule `tcp 5432 from 0.0.0.0/0`",
    }.items():
        told = traced(opened(*missing))
        assert ("internet", "database") not in broken(told)
        assert answer(told, "internet", "database")[2].startswith(why)


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ("all 0.0.0.0/0", True), ("tcp 5000-6000 0.0.0.0/0", True), ("tcp 5432 198.51.100.0/24", True), ("tcp 5432 pl-1", True),
        ("tcp 5433 0.0.0.0/0", False), ("udp 5432 0.0.0.0/0", False), ("tcp 5432 10.0.0.0/8", False), ("tcp 5432 ::/0", False),
        ("icmp 0.0.0.0/0", False),
    ],
)  # fmt: skip
def test_rules_count_by_protocol_port_and_addresses(rule: str, reached: bool) -> None:
    items = [
        replace(item, fields={**item.fields, "ingress": {rule: ""}}) if (item.kind, item.key) == ("security_group", "database") else item
        for item in opened("rule", "route", "address")
    ]
    assert answer(traced(items), "internet", "database")[0] is reached


def test_who_is_shut_out_is_told_by_the_group_that_lacks_the_rule() -> None:
    told = traced(with_fields("uda", "security_group", "database", ingress={}))
    assert broken(told) == [("app", "database")]
    assert "no rule of security group uda_sg_rds lets it in on port 5432. Add the rule to" in told["broken"][0]["message"]
    told = traced(with_fields("uda", "security_group", "web", egress={"tcp 443 0.0.0.0/0": ""}))
    assert answer(told, "app", "database") == (False, False, (
        "no rule of security group uda_sg_web lets it out on port 5432 (though rule `tcp 5432 from uda_sg_web` of security group "
        "uda_sg_rds lets it in)"
    ))  # fmt: skip
    told = traced(with_fields("uda", "security_group", "web", ingress={"tcp 80 10.0.0.0/24": ""}))
    assert answer(told, "load_balancer", "app")[:2] == (True, True)  # from one of its two subnets
    assert broken(told) == [("load_balancer", "app")]


def test_a_machine_that_is_opened_beside_its_load_balancer_breaks_what_is_expected() -> None:
    items = with_fields("uda", "security_group", "web", ingress={"tcp 80 0.0.0.0/0": "", "tcp 80 <security_group/load_balancer#id>": ""})
    assert broken(traced(items)) == [("internet", "app")]
    addresses = [replace(item, fields={**item.fields, "public_addresses": False}) if item.kind == "subnet" else item for item in items]
    assert broken(traced(addresses)) == []


def test_private_subnets_leave_by_a_nat_gateway_of_their_own_zone_of_another_or_not_at_all() -> None:
    told = traced(resources("students"), "students")
    assert answer(told, "private_1", "internet")[2].endswith("leads to NAT gateway students-nat in its own zone")
    assert answer(told, "private_2", "internet")[2].endswith("NAT gateway students-nat in us-east-1a, another zone than its own us-east-1b")
    assert answer(traced(resources("uda")), "private_1", "internet")[0] is False
    cut = traced(with_fields("students", "route_table", "public", routes={}), "students")
    reachable, _partly, reason = answer(cut, "private_1", "internet")
    assert (reachable, "whose subnet public_1 has no route" in reason) == (False, True)
    dead = {("<route_table/private#id>", "0.0.0.0/0")}
    world = reach_world.world(resources("students"), dead)
    assert [one.reachable for one in reach.ask(world, "private_1", "internet")] == [False]


def test_services_are_reached_by_their_endpoint_whose_name_leads_nowhere_else() -> None:
    told = traced(resources("students"), "students")
    assert answer(told, "private_1", "secretsmanager") == (True, False, (
        "endpoint students-secrets, rule `tcp 443 from 10.0.0.0/16` of security group students-endpoints lets it in"
    ))  # fmt: skip
    assert answer(told, "private_1", "s3")[2].startswith("no endpoint for it, but route 0.0.0.0/0")
    shut = traced(with_fields("students", "security_group", "endpoints", ingress={}), "students")
    assert answer(shut, "private_1", "secretsmanager")[0] is False  # whatever the NAT gateway would let through
    gateway = {
        "service": "com.amazonaws.ap-northeast-1.s3", "type": "Gateway", "security_groups": [], "private_dns": False,
        "route_tables": ["<route_table/private#id>"],
    }  # fmt: skip
    told = traced([*resources("uda"), Resource("vpc_endpoint", "s3", gateway, "uda-s3", "vpce-1")])
    assert answer(told, "private_1", "s3") == (True, False, "gateway endpoint uda-s3 in route table uda_route_table_private")
    assert answer(told, "private_1", "secretsmanager")[0] is False


def test_what_is_not_there_is_not_asked_and_what_is_not_wanted_stays_as_it_is_found() -> None:
    network = [item for item in resources("uda") if item.kind in ("vpc", "subnet", "route_table", "internet_gateway")]
    told = traced(network)
    assert (told["expectations"], {one["to"] for one in told["answers"]}) == (0, {"internet", "s3", "secretsmanager"})
    database = next(item for item in resources("uda") if item.kind == "db_instance")
    found = replace(database, id="arn:1", fields={**database.fields, "security_groups": ["sg-9"]})
    half = replace(database, id="", fields={"port": 5433})
    (item,) = reach_world.completed([half], [found], [], {}, {})
    assert (item.id, item.fields["port"], item.fields["security_groups"]) == ("arn:1", 5433, ["sg-9"])


def test_the_inventorys_own_expectation_takes_the_place_of_a_default() -> None:
    own = [{"from": "internet", "to": "database", "reachable": "true"}]
    told = traced(opened("rule", "route", "address"), stack_reachability=own)
    assert ("internet", "database") not in broken(told)
    assert broken(traced(resources("uda"), stack_reachability=own)) == [("internet", "database")]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"from": "internet", "to": "databse", "reachable": False}, "stack_reachability[0].to is 'databse': not asked from internet."),
        ({"from": "fleet", "to": "database", "reachable": True}, "stack_reachability[0].from is 'fleet': nothing of the stack."),
        ({"from": "app", "to": "dynamo", "reachable": True}, "nothing that can be reached. Choose one of bastion, database, internet,"),
        ({"from": "private_1", "to": "database", "reachable": True}, "not asked from a subnet. Choose one of internet, s3, secretsmanager"),
        ({"from": "app", "to": "database", "port": 70000, "reachable": True}, "stack_reachability[0].port is 70000: no port."),
        ({"from": "app", "to": "database"}, "stack_reachability[0]: missing required arguments: reachable"),
        ("internet", "stack_reachability[0] is 'internet': not a map."),
    ],
)  # fmt: skip
def test_a_wrong_expectation_is_told_before_the_first_request(entry: Any, words: str) -> None:
    (problem,) = validate(wanted() | {"stack_reachability": [entry]})
    assert words in problem


def test_right_expectations_pass_and_the_same_question_twice_does_not() -> None:
    entry = {"from": "private_1", "to": "secretsmanager", "reachable": False}
    assert validate(wanted() | {"stack_reachability": [entry, {"from": "0.0.0.0/0", "to": "app", "port": 22, "reachable": False}]}) == []
    (problem,) = validate(wanted() | {"stack_reachability": [entry, deepcopy(entry) | {"reachable": True}]})
    assert "stack_reachability[0] says already what is expected" in problem
    assert len(validate(changed("stack_name", "uda") | {"stack_reachability": "x"})) == 1


def test_text_has_a_line_and_what_is_broken_and_everything_when_it_is_asked_for() -> None:
    plan: dict[str, Any] = {"changes": [], "counts": {}, "unchanged": 3, "reachability": traced(resources("uda"))}
    text = render.printed(plan, "text", "uda")
    assert text.splitlines() == ["Nothing to do: 3 unchanged.", "Reachability: 4 expectations hold."]
    assert "| wanted | internet | load_balancer | 80 | partly | rule `tcp 80 from" in render.printed(plan, "text", "uda", reach=True)
    plan["reachability"] = traced(with_fields("uda", "security_group", "database", ingress={}))
    for form in ("text", "markdown"):
        lines = render.printed(plan, form, "uda").splitlines()
        assert "Reachability: 1 of 4 expectations broken." in lines
        assert lines[-1].startswith("| wanted | app | database | 5432 | no | no rule of security group uda_sg_rds")
