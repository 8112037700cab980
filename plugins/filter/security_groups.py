# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter security_group_rules: from the inventory's rules to those of amazon.aws.ec2_security_group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def security_group_rules(rules: Iterable[Mapping[str, Any]], groups: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rules in the module's words; a `group` is the key of another group in `groups` and becomes its name."""
    return [translate(rule, groups) for rule in rules]


def translate(rule: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {"proto": rule.get("protocol", "tcp")}
    if "port" in rule:
        result |= {"from_port": rule["port"], "to_port": rule["port"]}
    if rule.get("description"):
        result["rule_desc"] = rule["description"]
    if "group" in rule:
        return result | {"group_name": groups[rule["group"]]["name"]}
    return result | {"cidr_ip": list(rule["cidrs"])}


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"security_group_rules": security_group_rules}
