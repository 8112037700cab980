"""Security groups as an nftables ruleset for one machine's own network namespace. Pure.

AWS's rules (EC2 User Guide, "Security group rules" and "connection tracking"): groups only allow; several groups on an interface
add up; answers to what was allowed pass; a rule that names a group means the private addresses of that group's members;
DNS, IMDS and time at 169.254.169.x are never filtered. What is not allowed is dropped without an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..world import Machine, Rule, SecurityGroup, World

UNFILTERED = "169.254.169.0/24"


def members(machines: Iterable[Machine]) -> dict[str, list[str]]:
    """Security group id -> sorted private addresses of the interfaces that carry it."""
    found: dict[str, set[str]] = {}
    for machine in machines:
        for interface in machine.interfaces:
            for group_id in interface.group_ids:
                found.setdefault(group_id, set()).add(interface.address)
    return {group_id: sorted(addresses) for group_id, addresses in found.items()}


def ruleset(machine: Machine, world: World) -> str:
    """The complete ruleset of a machine as one nft file that replaces its predecessor atomically."""
    addresses = members(world.machines_of(machine.vpc_id))
    groups = [
        world.groups[group_id]
        for group_id in sorted({group for interface in machine.interfaces for group in interface.group_ids})
        if group_id in world.groups
    ]
    return "\n".join(
        [
            "add table inet security_groups",
            "delete table inet security_groups",
            "table inet security_groups {",
            *_chain("ingress", "input", "iif", "saddr", _rules(groups, "ingress"), addresses),
            *_chain("egress", "output", "oif", "daddr", _rules(groups, "egress"), addresses),
            "}",
            "",
        ]
    )


def _rules(groups: Iterable[SecurityGroup], direction: str) -> list[Rule]:
    return [rule for group in groups for rule in getattr(group, direction)]


def _chain(name: str, hook: str, interface: str, peer: str, rules: Iterable[Rule], members_of: Mapping[str, list[str]]) -> list[str]:
    lines = {line: None for rule in rules for line in _lines(rule, peer, members_of)}  # a dict keeps order and drops doubles
    return [
        f"  chain {name} {{",
        f"    type filter hook {hook} priority 0; policy drop;",
        "    ct state established,related accept",
        f"    {interface} lo accept",
        *([f"    ip daddr {UNFILTERED} accept"] if hook == "output" else []),
        *(f"    {line}" for line in lines),
        "  }",
    ]


def _lines(rule: Rule, peer: str, members_of: Mapping[str, list[str]]) -> list[str]:
    addresses = {*rule.cidrs, *(address for group_id in rule.group_ids for address in members_of.get(group_id, []))}
    if not addresses:
        return []
    everyone = "0.0.0.0/0" in addresses
    who = "" if everyone else f"ip {peer} {{ {', '.join(sorted(addresses))} }} "
    if rule.protocol == "-1":
        return [f"{who}accept"]
    if rule.protocol in ("tcp", "udp"):
        return [f"{who}{rule.protocol} dport {_ports(rule)} accept"]
    if rule.protocol == "icmp":
        kind = "" if rule.from_port in (None, -1) else f" type {rule.from_port}"
        return [f"{who}icmp{kind} accept" if kind else f"{who}meta l4proto icmp accept"]
    return []


def _ports(rule: Rule) -> str:
    first, last = rule.from_port, rule.to_port
    if first in (None, -1):
        return "0-65535"
    return str(first) if last in (None, first) else f"{first}-{last}"
