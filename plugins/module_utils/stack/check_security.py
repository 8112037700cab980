# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups: rules that name what exists, and nothing open by accident."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from .check_network import findable
from .problem import Wanted, entries, listing, parts, problem
from .routes import is_borrowed

RULE = {
    "description": {"type": "str", "default": ""},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
    "port": {"type": "int", "required": True},
    "group": {"type": "str"},
    "cidrs": {"type": "list", "elements": "str"},
}
RULES = {"type": "list", "elements": "dict", "options": RULE}
GROUP = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "required": True},
    "ingress": {**RULES, "default": []},
    "egress": RULES,
}
BORROWED_GROUP = {
    "borrowed": {"type": "bool", "required": True},
    "id": {"type": "str"},
    "name": {"type": "str"},
    "ingress": {**RULES, "default": []},
    "replaces": {**RULES, "default": []},
}
ANYWHERE = IPv4Network("0.0.0.0/0")
ADMINISTRATION = {22: "SSH", 3306: "MySQL", 5432: "PostgreSQL"}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the security groups."""
    yield from operator(wanted)
    everything = wanted.get("security_groups_map") or {}
    own = {key: group for key, group in everything.items() if not is_borrowed(group)}
    groups, problems = entries({"security_groups_map": own}, "security_groups_map", GROUP)
    yield from problems
    yield from groups_of_parts(wanted)
    yield from bastion(wanted)
    yield from borrowed(wanted, {key: group for key, group in everything.items() if key not in own})
    for key, group in groups.items():
        variable = f"security_groups_map.{key}"
        if not re.fullmatch(r"(?!sg-)[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}", group["name"]):
            remedy = "Use 1 to 255 letters, digits and ._-, not sg- first"
            yield problem(f"{variable}.name", group["name"], "not a name that AWS takes", remedy)
        for direction in ("ingress", "egress"):
            for number, rule in enumerate(group[direction] or []):
                yield from rules(f"{variable}.{direction}[{number}]", rule, set(wanted["security_groups_map"]), direction)


def borrowed(wanted: Wanted, groups: Mapping[str, Any]) -> Iterator[str]:
    """A borrowed group gets rules of the stack's, perhaps in place of some that it has; the inventory states both."""
    good, problems = entries({"security_groups_map": groups}, "security_groups_map", BORROWED_GROUP)
    yield from problems
    keys = set(wanted["security_groups_map"])
    for key, group in good.items():
        variable = f"security_groups_map.{key}"
        if not wanted.get("vpc_borrowed"):
            yield problem(f"{variable}.borrowed", True, "the VPC is the stack's own", "Take it away, or set vpc_borrowed: true")
        yield from findable(variable, group)
        for number, rule in enumerate(group["ingress"]):
            yield from rules(f"{variable}.ingress[{number}]", rule, keys, "ingress")
        for number, rule in enumerate(group["replaces"]):
            yield from rules(f"{variable}.replaces[{number}]", rule, keys, "what stood before")
        if group["replaces"] and not group["ingress"]:
            yield problem(f"{variable}.replaces", group["replaces"], "nothing takes the place of it", "Say in ingress who may come instead")


def groups_of_parts(wanted: Wanted) -> Iterator[str]:
    """The group of each part must be among those of the stack."""
    keys = set(wanted.get("security_groups_map") or {})
    for variable in (f"stack_{part}_group" for part in parts(wanted)):
        key = wanted.get(variable)
        if keys and key is not None and key not in keys:
            yield problem(variable, key, "no such group in security_groups_map", f"Choose one of {listing(keys)}")


def bastion(wanted: Wanted) -> Iterator[str]:
    """A bastion has a group of its own."""
    if boolean(wanted.get("stack_bastion") or False, strict=False) and "bastion" not in (wanted.get("security_groups_map") or {}):
        remedy = "Add one that admits SSH from stack_operator_cidrs"
        yield problem("stack_bastion", True, "security_groups_map has no group bastion", remedy)


def operator(wanted: Wanted) -> Iterator[str]:
    for number, cidr in enumerate(wanted.get("stack_operator_cidrs") or []):
        yield from source(f"stack_operator_cidrs[{number}]", cidr)


def source(variable: str, cidr: str) -> Iterator[str]:
    try:
        IPv4Network(cidr)
    except ValueError:
        yield problem(variable, cidr, "not a range of IPv4 addresses", "Use a form such as 203.0.113.10/32")


def rules(variable: str, rule: Mapping[str, Any], keys: set[str], direction: str) -> Iterator[str]:
    """One rule: a port, and either a group or ranges of addresses."""
    port, group, cidrs = rule["port"], rule["group"], rule["cidrs"]
    if not 1 <= port <= 65535:
        yield problem(f"{variable}.port", port, "no port", "Choose 1 to 65535")
    if (group is None) == (cidrs is None):
        yield problem(variable, {"group": group, "cidrs": cidrs}, "a rule needs one of group and cidrs", "Give exactly one of them")
    if group is not None and group not in keys:
        yield problem(f"{variable}.group", group, "no such group in security_groups_map", f"Choose one of {listing(keys)}")
    for cidr in cidrs or []:
        problems = list(source(f"{variable}.cidrs", cidr))
        yield from problems
        if not problems and direction == "ingress" and port in ADMINISTRATION and IPv4Network(cidr) == ANYWHERE:
            wrong = f"{ADMINISTRATION[port]} would be open to the whole internet"
            yield problem(f"{variable}.cidrs", cidr, wrong, "Name your own addresses, such as stack_operator_cidrs")
