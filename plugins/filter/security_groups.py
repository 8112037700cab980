# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter security_group_rules: from the inventory's rules to those of amazon.aws.ec2_security_group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Groups = Mapping[str, Mapping[str, Any]]


def security_group_rules(rules: Iterable[Mapping[str, Any]], groups: Groups, ids: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Rules in the module's words; a `group` is a key of `groups` and becomes that group's name, a borrowed one its id in `ids`."""
    return [translate(rule, groups, ids or {}) for rule in rules]


def security_groups_owned(groups: Groups, owned: bool = True) -> dict[str, Mapping[str, Any]]:
    """The groups that belong to the stack, or with False those that it borrows."""
    return {key: group for key, group in groups.items() if bool(group.get("borrowed")) is not owned}


def translate(rule: Mapping[str, Any], groups: Groups, ids: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {"proto": rule.get("protocol", "tcp")}
    if "port" in rule:
        result |= {"from_port": rule["port"], "to_port": rule["port"]}
    if rule.get("description"):
        result["rule_desc"] = rule["description"]
    if "group" in rule and groups[rule["group"]].get("borrowed"):
        return result | {"group_id": ids[rule["group"]]}
    if "group" in rule:
        return result | {"group_name": groups[rule["group"]]["name"]}
    return result | {"cidr_ip": list(rule["cidrs"])}


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"security_group_rules": security_group_rules, "security_groups_owned": security_groups_owned}
