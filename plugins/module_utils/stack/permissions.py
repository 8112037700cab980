# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a security group as the inventory words them and as EC2 does, brought to one form that can be compared. Pure.

EC2 API Reference, "IpPermission": a permission may hold several ranges and groups; here each is told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class Permission(NamedTuple):
    """One source that may reach one range of ports; `source` is a range of addresses or the id of a group. Ports are None for all."""

    protocol: str
    first: int | None
    last: int | None
    source: str


def wanted(rules: Iterable[Mapping[str, Any]], group_ids: Mapping[str, str]) -> dict[Permission, str]:
    """The permissions of inventory rules, each with its description. A rule for a group that has no id yet permits nobody."""
    result = {}
    for rule in rules:
        if rule.get("group") is not None:
            sources = [group_ids[rule["group"]]] if rule["group"] in group_ids else []
        else:
            sources = list(rule.get("cidrs") or [])
        for source in sources:
            protocol = rule.get("protocol") or "tcp"
            port = None if protocol == "all" else rule["port"]
            result[Permission("-1" if protocol == "all" else protocol, port, port, source)] = rule.get("description") or ""
    return result


def found(permissions: Iterable[Mapping[str, Any]]) -> set[Permission]:
    """The permissions that EC2 tells; sources of other kinds (IPv6, prefix lists) are nothing that an inventory rule could mean."""
    return {Permission(p["IpProtocol"], p.get("FromPort"), p.get("ToPort"), source) for p in permissions for source in _sources(p)}


def ip_permission(permission: Permission, description: str = "") -> dict[str, Any]:
    """The permission in EC2's words."""
    text = {"Description": description} if description else {}
    if permission.source.startswith("sg-"):
        source: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": permission.source, **text}]}
    else:
        source = {"IpRanges": [{"CidrIp": permission.source, **text}]}
    ports = {} if permission.first is None else {"FromPort": permission.first, "ToPort": permission.last}
    return {"IpProtocol": permission.protocol, **ports, **source}


def _sources(permission: Mapping[str, Any]) -> Iterator[str]:
    for entry in permission.get("IpRanges", []):
        yield entry["CidrIp"]
    for pair in permission.get("UserIdGroupPairs", []):
        yield pair["GroupId"]
