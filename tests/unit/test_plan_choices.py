"""What may be done about what the plan has found: the names of the choices, their inventory lines, and why some are not possible."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.module_utils.plan import render
from ansible.module_utils.plan.choices import choices, chosen, key_of, routes_without
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.plan.model import Resource

from plugins.filter.plan import plan_choices, plan_choices_text, plan_chosen, plan_lines

STACK = {
    "igw_id": "igw-1",
    "nat_gateways": {"a": {"id": "nat-1"}},
    "subnets": {"private_1": {"id": "subnet-1"}, "private_2": {"id": "subnet-2"}},
    "subnet_ids": {"private": ["subnet-1", "subnet-2"]},
    "security_group_ids": {"web": "sg-1", "endpoints": "sg-2"},
    "route_table_ids": {"private": "rtb-1"},
}
INVENTORY = {
    "stack_name": "shop",
    "stack_tags": {"Stack": "shop"},
    "stack_compute": "fleet",
    "stack_role_name": "shop-web",
    "stack_parameters_path": "/shop/dev",
    "security_groups_map": {"web": {}, "endpoints": {}},
}
GROUP = {"vpc": "vpc-1", "name": "Back office", "description": "theirs", "ingress": {}, "egress": {"all 0.0.0.0/0": ""}, "tags": {}}
ENDPOINT = {
    "vpc": "vpc-1", "service": "com.amazonaws.eu-west-1.ecr.api", "type": "Interface", "subnets": ["subnet-2", "subnet-1"],
    "security_groups": ["sg-2"], "route_tables": [], "private_dns": True, "tags": {},
}  # fmt: skip


def stranger(kind: str, key: str, fields: dict[str, Any], foreign: bool = True) -> Resource:
    return Resource(kind, key, fields, fields.get("name", ""), key, foreign=foreign)


def offered(found: list[Resource], wanted: list[Resource] | None = None) -> list[dict[str, Any]]:
    plan = render.as_json(compare(wanted or [], found, KINDS), wanted or [], KINDS)
    return plan_choices(plan, STACK, INVENTORY)


def updated(kind: str, key: str, field: str, old: Any, new: Any) -> list[dict[str, Any]]:
    return offered([Resource(kind, key, {field: old}, id="x-1")], [Resource(kind, key, {field: new})])


def rule(words: str, text: str = "") -> dict[str, Any]:
    (choice,) = updated("security_group", "web", "ingress", {words: text, "tcp 80 sg-2": ""}, {"tcp 80 sg-2": ""})
    return choice


def test_a_rule_is_adopted_in_the_inventorys_words() -> None:
    choice = rule("udp 53 10.0.0.0/8", "names")
    assert choice["name"] == "rule/web/ingress/udp/53/10.0.0.0/8"
    line = {"port": 53, "protocol": "udp", "description": "names", "cidrs": ["10.0.0.0/8"]}
    assert choice["adopt"]["lines"] == {"security_groups_map": {"web": {"ingress": [line]}}}
    assert rule("tcp 443 sg-1")["adopt"]["lines"]["security_groups_map"]["web"]["ingress"] == [{"port": 443, "group": "web"}]
    assert choice["remove"]["arguments"] == {"id": "x-1", "way": "ingress", "rules": ["udp 53 10.0.0.0/8"]}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("tcp 22 0.0.0.0/0", "SSH would be open to the whole internet"),
        ("tcp 8000-8010 10.0.0.0/8", "no word"),
        ("all 10.0.0.0/8", "no word"),
        ("tcp 80 sg-9", "no word"),
        ("tcp 80 2001:db8::/32", "not a range of IPv4"),
        ("tcp 80 pl-1", "no word"),
    ],
)
def test_a_rule_that_the_inventory_may_not_have_is_only_removed(words: str, why: str) -> None:
    choice = rule(words)
    assert why in choice["adopt"]["not"]
    assert choice["remove"]["arguments"]["rules"] == [words]


def test_a_route_and_policies_of_the_role() -> None:
    routes = updated("route_table", "private", "routes", {"0.0.0.0/0": "nat-1", "10.9.0.0/16": "pcx-1"}, {})
    assert [(one["name"], one["adopt"]["lines"]) for one in routes] == [
        ("route/private/0.0.0.0/0", {"vpc_route_tables": {"private": {"nat_gateway": "a"}}}),
        ("route/private/10.9.0.0/16", {}),
    ]
    assert routes[0]["remove"]["arguments"] == {"id": "x-1", "destination": "0.0.0.0/0"}
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    (managed,) = updated("role", "shop-web", "managed_policies", [arn, "ours"], ["ours"])
    assert (managed["name"], managed["remove"]["arguments"]["policy"]) == ("policy/shop-web/AdministratorAccess", arn)
    assert managed["adopt"]["lines"] == {"iam_managed_policies": [arn]}
    (other,) = updated("role", "shop-task", "managed_policies", [arn], [])
    assert "its layer names" in other["adopt"]["not"]
    (inline,) = updated("role", "shop-web", "inline_policies", {"theirs": {}, "shop-web": {"a": 1}}, {"shop-web": {"a": 2}})
    assert (inline["name"], inline["remove"]["how"]) == ("policy/shop-web/theirs", "inline_policy")


def test_the_other_routes_of_a_table_stay() -> None:
    told = [
        {"destination_cidr_block": "10.0.0.0/16", "gateway_id": "local"},
        {"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"},
        {"destination_cidr_block": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1"},
        {"destination_ipv6_cidr_block": "::/0", "gateway_id": "igw-1"},
        {"destination_prefix_list_id": "pl-1", "gateway_id": "vpce-1"},
    ]
    assert routes_without(told, "10.9.0.0/16") == [{"dest": "0.0.0.0/0", "gateway_id": "nat-1"}, {"dest": "::/0", "gateway_id": "igw-1"}]
    assert {"dest": "10.9.0.0/16", "vpc_peering_connection_id": "pcx-1"} in routes_without(told, "0.0.0.0/0")


def test_a_route_that_leads_elsewhere_than_wanted_is_no_choice_but_a_change() -> None:
    assert updated("route_table", "private", "routes", {"0.0.0.0/0": "igw-1"}, {"0.0.0.0/0": "nat-1"}) == []


def test_public_access_is_blocked_and_never_adopted() -> None:
    (choice,) = updated("bucket", "shop-deploy", "public_access", {"BlockPublicAcls": "open"}, {"BlockPublicAcls": "blocked"})
    assert (choice["opens"], choice["remove"]["how"], bool(choice["adopt"]["not"])) == (True, "public_access", True)


def test_a_strangers_group_gets_a_key_and_the_tags_that_make_it_ours() -> None:
    (choice,) = offered([stranger("security_group", "sg-9", GROUP | {"ingress": {"tcp 443 sg-1": "in"}})])
    assert choice["adopt"]["tags"] == {"Stack": "shop", "Name": "back_office", "Role": "back_office", "Key": "back_office"}
    entry = {"name": "Back office", "description": "theirs", "ingress": [{"port": 443, "description": "in", "group": "web"}]}
    assert choice["adopt"]["lines"] == {"security_groups_map": {"back_office": entry}}


def test_what_has_left_the_inventory_comes_back_under_its_key_without_a_tag() -> None:
    own = GROUP | {"tags": {"Stack": "shop", "Key": "office"}}
    (choice,) = offered([stranger("security_group", "office", own, foreign=False)])
    assert (choice["adopt"]["tags"], list(choice["adopt"]["lines"]["security_groups_map"])) == ({}, ["office"])


def test_endpoints_parameters_and_subscriptions() -> None:
    (interface,) = offered([stranger("vpc_endpoint", "vpce-1", ENDPOINT)])
    (entry,) = interface["adopt"]["lines"]["vpc_endpoints_map"].values()
    assert {key: entry[key] for key in entry if key != "name"} == {"service": "ecr.api", "tier": "private", "security_group": "endpoints"}
    (elsewhere,) = offered([stranger("vpc_endpoint", "vpce-1", ENDPOINT | {"subnets": ["subnet-9"]})])
    assert "all subnets of a tier" in elsewhere["adopt"]["not"]
    text, other = ({"type": kind, "value": "x", "tags": {}} for kind in ("String", "StringList"))
    choice, listed = offered([stranger("parameter", "/shop/dev/A", text), stranger("parameter", "/shop/dev/B", other)])
    assert (choice["opens"], choice["adopt"]["lines"]) == (True, {"stack_parameters": {"A": "x"}})
    assert "no word" in listed["adopt"]["not"]
    (mail,) = offered([stranger("subscription", "shop-alarms/email me@example.com", {"topic": "shop-alarms"})])
    assert mail["name"] == "subscription/shop-alarms/email/me@example.com"
    assert mail["adopt"]["lines"] == {"watch_emails": ["me@example.com"]}
    assert "no ARN yet" in mail["remove"]["not"]


def test_a_kind_without_a_way_says_what_to_do_and_what_opens_comes_first() -> None:
    found = offered([stranger("key_pair", "old", {"tags": {}}, foreign=False), stranger("security_group", "sg-9", GROUP)])
    assert [one["opens"] for one in found] == [True, False]
    assert "destroy" in found[1]["remove"]["not"]


def test_a_choice_is_found_by_name_or_by_an_id_that_only_one_has() -> None:
    found = offered([stranger("security_group", "sg-9", GROUP)])
    assert chosen(found, "sg-9") is chosen(found, "security_group/sg-9") is found[0]
    both = updated("security_group", "web", "ingress", {"tcp 1 10.0.0.0/8": "", "tcp 2 10.0.0.0/8": ""}, {})
    assert chosen(both, "x-1") is None
    with pytest.raises(AnsibleFilterError, match="security_group/sg-9"):
        plan_chosen(found, "nothing", "adopt")
    with pytest.raises(AnsibleFilterError, match="SSH would be open"):
        plan_chosen([rule("tcp 22 0.0.0.0/0")], "x-1", "adopt")


def test_several_adoptions_are_one_text_and_no_choice_says_so() -> None:
    both = updated("security_group", "web", "ingress", {"tcp 1 10.0.0.0/8": "", "tcp 2 10.0.0.0/8": ""}, {})
    assert plan_lines(both).count("port:") == 2
    assert plan_lines(both).count("ingress:") == 1
    assert plan_choices_text([]).startswith("Nothing")
    assert plan_choices_text(both).count("takes this one rule away") == 2


def test_keys_are_new_ones() -> None:
    assert [key_of("A b", {}), key_of("A b", {"a_b": 1}), key_of("--", {})] == ["a_b", "a_b_2", "adopted"]
    assert choices([], STACK, INVENTORY) == []
