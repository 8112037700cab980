# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a stack without places: resources of the plan in, subnets, parts and who may reach whom out. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ..plan.model import Change, Resource
from ..plan.security import want_security_groups
from .marks import Marks, rule_action
from .model import Outside, Part, Picture, Reach, Subnet
from .parts import parts
from .sight import FOREIGN, Sight, listed

ANYWHERE = ("0.0.0.0/0", "::/0")
Rule = tuple[str, str, str]  # key of the group, source, ports


class NothingError(Exception):
    """There is nothing to draw."""


def look(
    side: str, resources: Iterable[Resource], facts: Mapping[str, Any], inventory: Mapping[str, Any], changes: Iterable[Change],
    *, standing: bool, raw: Mapping[str, Any] | None = None, live: Mapping[str, Any] | None = None,
) -> Picture:  # fmt: skip
    """The picture of one side, `wanted` or `found`.

    On an account where nothing of the stack stands everything would be a change, so nothing is marked: `standing` says whether it does.
    Raises NothingError when the side has no subnets.
    """
    marks = Marks(changes if standing else (), side)
    sight = Sight(side, list(resources), facts, inventory, marks, raw or {}, live or {})
    subnets = tuple(_subnets(sight))
    if not subnets:
        raise NothingError(f"No subnet of the stack is {side}")
    drawn = tuple(parts(sight))
    reach, outside, insides = _reach(sight, drawn)
    vpc = next(sight.all("vpc"), None)
    gateway = next(sight.all("internet_gateway"), None)
    borrowed = bool(inventory.get("vpc_borrowed"))
    cidr = vpc.fields["cidr"] if vpc else facts.get("vpc_cidr") or ""
    name = f"VPC {vpc.title if vpc else inventory.get('vpc_name') or ''} {cidr}".strip() + (", borrowed" if borrowed else "")
    lent_gateway = "Internet gateway, borrowed" if borrowed and facts.get("igw_id") else ""
    return Picture(
        title=str(inventory["stack_name"]),
        subtitle=f"as {side}, region {inventory['stack_region']}",
        vpc=name,
        subnets=subnets,
        parts=tuple(_told(part, insides) for part in drawn),
        outside=outside,
        reach=reach,
        gateway=f"Internet gateway {gateway.title}" if gateway else lent_gateway,
        marks=marks.of(("vpc", "vpc")),
        gateway_marks=marks.of(("internet_gateway", "internet_gateway")),
        notes=(*_unused(sight, drawn), *marks.rest()),
    )


def _subnets(sight: Sight) -> Iterator[Subnet]:
    """The stack's subnets, its own or borrowed, and strangers in its VPC."""
    resources = {item.key: item for item in sight.all("subnet")}
    ways = _ways(sight)
    entries = sight.inventory.get("vpc_subnets") or {}
    for key, told in (sight.facts.get("subnets") or {}).items():
        item = resources.get(key)
        if item or sight.inventory.get("vpc_borrowed"):
            name = item.title if item else entries.get(key, {}).get("name", key)
            cidr, zone = (item.fields["cidr"], item.fields["zone"]) if item else (told.get("cidr", ""), told.get("az", ""))
            way, table = ways.get(key, ("", ""))
            marks = sight.marks.of(("subnet", key), *([("route_table", table)] if table else []))
            lines = tuple(filter(None, [f"{told.get('tier')} {cidr}", way]))
            yield Subnet(key, name, zone, str(told.get("tier") or "private"), lines, marks, borrowed=item is None)
    for item in resources.values():
        if item.foreign:
            lines = (str(item.fields["cidr"]),)
            yield Subnet(item.key, item.title, item.fields["zone"], FOREIGN, lines, sight.marks.of(("subnet", item.key)))


def _ways(sight: Sight) -> dict[str, tuple[str, str]]:
    """Key of a subnet -> (its way to the internet in words, key of its route table)."""
    names = {ref: f"NAT gateway {item.title}" for item in sight.all("nat_gateway") for ref in sight.names_of(item)}
    names |= {ref: "internet gateway" for item in sight.all("internet_gateway") for ref in sight.names_of(item)}
    ways: dict[str, tuple[str, str]] = {}
    for table in sight.all("route_table"):
        routes = {cidr: names.get(target, target) for cidr, target in table.fields["routes"].items()}
        out = [target for cidr, target in routes.items() if cidr in ANYWHERE]
        further = [f"{cidr} by {target}" for cidr, target in routes.items() if cidr not in ANYWHERE]
        words = ", ".join([f"way out: {out[0]}" if out else "no way out", *further])
        ways |= dict.fromkeys(sight.subnets_of(table.fields["subnets"]), (words, table.key))
    return ways


def _rules(sight: Sight) -> Iterator[tuple[Rule, str]]:
    """Who may come in by each rule, and what a plan would do to it. Of a borrowed group, what the stack adds."""
    groups = list(sight.all("security_group"))
    if sight.side == "wanted":
        groups += _lent(sight)
    for group in groups:
        for rule in group.fields["ingress"]:
            *words, source = rule.split(" ")
            action = rule_action(sight.marks.changes, sight.side, group.key, rule)
            yield (group.key, source, " ".join(word for word in words if word != "tcp") or "any port"), action


def _lent(sight: Sight) -> list[Resource]:
    """Borrowed groups, with the rules that the inventory adds to them, in the words of the plan."""
    entries = sight.inventory.get("security_groups_map") or {}
    lent = {
        key: {**entry, "borrowed": False, "description": ""} for key, entry in entries.items() if entry.get("borrowed") or entry.get("id")
    }
    arguments = {"map": lent, "ids": sight.facts.get("security_group_ids") or {}, "vpc_id": "", "tags": {}}
    return list(want_security_groups({f"security_groups_{name}": value for name, value in arguments.items()}))


def _reach(sight: Sight, drawn: Iterable[Part]) -> tuple[tuple[Reach, ...], tuple[Outside, ...], dict[str, list[str]]]:
    """Lines between parts and from outside, who is outside, and by part whatever in the VPC may reach it without being drawn."""
    members: dict[str, list[Part]] = {}
    for part in drawn:
        for group in part.groups:
            members.setdefault(group, []).append(part)
    vpc = next((item.fields["cidr"] for item in sight.all("vpc")), None) or sight.facts.get("vpc_cidr")
    lines: dict[tuple[str, str, str], dict[str, None]] = {}
    outside: dict[str, Outside] = {}
    insides: dict[str, list[str]] = {}
    for (group, source, ports), action in _rules(sight):
        for target in members.get(group, []):
            key = sight.group_keys.get(source, source)
            if key in members:
                sources = [part.key for part in members[key] if part.key != target.key]
            elif source in sight.group_keys:
                continue  # nobody has that group
            elif _within(source, vpc):
                insides.setdefault(target.key, []).append(f"{ports} open to {'the whole VPC' if source == vpc else source}")
                continue
            else:
                outside[source] = _outside(source, sight.inventory)
                sources = [source]
            for one in sources:
                lines.setdefault((one, target.key, action), {})[ports] = None
    reach = tuple(Reach(source, target, ", ".join(ports), action) for (source, target, action), ports in lines.items())
    return reach, tuple(sorted(outside.values(), key=lambda one: (one.key not in ANYWHERE, one.key))), insides


def _within(source: str, vpc: Any) -> bool:
    """Whether a range is one of the VPC's own."""
    try:
        inner, outer = ipaddress.ip_network(source), ipaddress.ip_network(str(vpc))
    except ValueError:
        return False
    return isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)


def _outside(source: str, inventory: Mapping[str, Any]) -> Outside:
    if source in ANYWHERE:
        return Outside(source, "The internet", source)
    return Outside(source, "The operator" if source in listed(inventory.get("stack_operator_cidrs")) else "Outside", source)


def _told(part: Part, insides: Mapping[str, list[str]]) -> Part:
    return Part(**{**vars(part), "lines": (*part.lines, *insides.get(part.key, []))})


def _unused(sight: Sight, drawn: Iterable[Part]) -> Iterator[str]:
    """Security groups that nothing in the picture has, in one line; strangers' apart, since they mark the plan."""
    used = {group for part in drawn for group in part.groups}
    idle = sorted((item for item in sight.all("security_group") if item.key not in used), key=lambda item: (item.foreign, item.title))
    for foreign, items in groupby(idle, key=lambda item: item.foreign):
        names = ", ".join(item.title for item in items)
        yield f"Security groups that nothing drawn here has: {names}" if not foreign else f"Security groups of others: {names}"
