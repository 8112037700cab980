"""The filters of security groups and their rules, on values."""

from __future__ import annotations

from .filters import load


def test_rules_name_groups_and_ranges() -> None:
    rules = load("security_groups", "security_group_rules")
    groups = {"load_balancer": {"name": "uda_sg_alb"}}
    assert rules([{"port": 80, "group": "load_balancer", "description": "HTTP"}], groups) == [
        {"proto": "tcp", "from_port": 80, "to_port": 80, "rule_desc": "HTTP", "group_name": "uda_sg_alb"}
    ]
    assert rules([{"protocol": "all", "cidrs": ["0.0.0.0/0"]}], groups) == [{"proto": "all", "cidr_ip": ["0.0.0.0/0"]}]


def test_rules_name_borrowed_groups_by_their_ids() -> None:
    rules = load("security_groups", "security_group_rules")
    assert rules([{"port": 3306, "group": "database"}], {"database": {"borrowed": True}}, {"database": "sg-1"}) == [
        {"proto": "tcp", "from_port": 3306, "to_port": 3306, "group_id": "sg-1"}
    ]


def test_groups_are_owned_or_borrowed() -> None:
    owned, groups = load("security_groups", "security_groups_owned"), {"web": {}, "database": {"borrowed": True}}
    assert list(owned(groups)) == ["web"]
    assert list(owned(groups, False)) == ["database"]
