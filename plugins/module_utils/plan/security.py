# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and their rules: the role `security_groups`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..stack.routes import is_borrowed
from .model import Kind, Resource, later
from .normal import tags_of

KINDS = (
    Kind(
        "security_group", "security", frozenset({"vpc", "name", "description"}),
        {"ingress": "who may come in changes at once", "egress": "who may be reached changes at once"}, opens=True,
    ),
)  # fmt: skip
SOURCES = (  # EC2 API Reference, "IpPermission"
    ("CidrIp", "IpRanges"),
    ("CidrIpv6", "Ipv6Ranges"),
    ("GroupId", "UserIdGroupPairs"),
    ("PrefixListId", "PrefixListIds"),
)
EVERYTHING = {"protocol": "all", "cidrs": ["0.0.0.0/0"]}  # what AWS lets out of a group when nothing is said


def want_security_groups(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `security_groups` makes of its arguments; borrowed groups are not its own."""
    groups, ids = arguments["security_groups_map"], arguments["security_groups_ids"]

    for key, group in groups.items():
        if is_borrowed(group):
            continue
        fields = {
            "vpc": arguments["security_groups_vpc_id"],
            "name": group["name"],
            "description": group["description"],
            "ingress": wanted_rules(group.get("ingress", []), ids),
            "egress": wanted_rules(group.get("egress", [EVERYTHING]), ids),
            "tags": arguments["security_groups_tags"] | {"Name": group["name"], "Role": key, "Key": key},
        }
        yield Resource("security_group", key, fields, group["name"])


def wanted_rules(rules: Iterable[Mapping[str, Any]], ids: Mapping[str, str]) -> dict[str, str]:
    """`tcp 80 sg-1` -> description, of the inventory's rules; `ids` are the ids of groups by key."""
    return dict(pair for rule in rules for pair in _wanted_rule(rule, ids))


def _wanted_rule(rule: Mapping[str, Any], ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(`tcp 80 from sg-1`, description): AWS keeps one rule for each source."""
    protocol = str(rule.get("protocol", "tcp"))
    ports = _ports(rule.get("port"), rule.get("port"))
    sources = [ids.get(rule["group"]) or later("security_group", rule["group"])] if "group" in rule else rule["cidrs"]
    return ((_words(protocol, ports, source), str(rule.get("description") or "")) for source in sources)


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The groups that somebody else has made in the stack's own VPC."""
    ids = [vpc["VpcId"] for vpc in found["vpcs"]]
    if not ids:
        return {}
    paginator = clients["ec2"].get_paginator("describe_security_groups")
    pages = paginator.paginate(Filters=[{"Name": "vpc-id", "Values": ids}])
    return {"vpc_security_groups": lambda: [group for page in pages for group in page["SecurityGroups"]]}


def found_security_groups(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The stack's groups, and strangers in its VPC; the default group, which AWS makes with each VPC, only when it has been opened."""
    ours = {group["GroupId"] for group in found["security_groups"]}
    for group in found["security_groups"]:
        yield _group(group, tags_of(group).get("Key", group["GroupId"]), foreign=False)
    for group in found.get("vpc_security_groups", []):
        if group["GroupId"] not in ours and not _as_aws_makes_it(group):
            yield _group(group, group["GroupId"], foreign=True)


def _group(group: Mapping[str, Any], key: str, *, foreign: bool) -> Resource:
    fields = {
        "vpc": group["VpcId"],
        "name": group["GroupName"],
        "description": group["Description"],
        "ingress": dict(_found_rules(group["IpPermissions"])),
        "egress": dict(_found_rules(group["IpPermissionsEgress"])),
        "tags": tags_of(group),
    }
    return Resource("security_group", key, fields, group["GroupName"], group["GroupId"], foreign)


def _found_rules(permissions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    return ((words, text) for words, text, _piece in pieces(permissions))


def pieces(permissions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each source of EC2's permissions for itself: in the plan's words, its description, and the permission that takes it away.

    That one goes without the description, which need not be told (EC2 API Reference, "RevokeSecurityGroupIngress").
    """
    for permission in permissions:
        protocol = "all" if permission["IpProtocol"] == "-1" else permission["IpProtocol"]
        ports = _ports(permission.get("FromPort"), permission.get("ToPort"))
        kept = {word: permission[word] for word in ("IpProtocol", "FromPort", "ToPort") if permission.get(word) is not None}
        for word, ranges in SOURCES:
            for one in permission.get(ranges, []):
                source = {name: value for name, value in one.items() if name != "Description"}
                yield _words(protocol, ports, one[word]), one.get("Description", ""), {**kept, ranges: [source]}


def _ports(first: Any, last: Any) -> str:
    if first in (None, -1):
        return ""
    return str(first) if first == last else f"{first}-{last}"


def _words(protocol: str, ports: str, source: str) -> str:
    return " ".join(word for word in (protocol, ports, source) if word)


def _as_aws_makes_it(group: Mapping[str, Any]) -> bool:
    """The default group lets in who has it, and everything out."""
    sources = [pair for permission in group["IpPermissions"] for pair in permission.get("UserIdGroupPairs", [])]
    ranges = [
        one
        for permission in group["IpPermissions"]
        for word in ("IpRanges", "Ipv6Ranges", "PrefixListIds")
        for one in permission.get(word, [])
    ]
    return group["GroupName"] == "default" and not ranges and all(pair["GroupId"] == group["GroupId"] for pair in sources)
