# SPDX-License-Identifier: GPL-3.0-or-later
"""Who shall reach whom: the expectations that hold for every stack, and those of an inventory. What they come to: plan/reach.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .problem import Wanted, listing, port, problem

EXPECTATION = {
    "from": {"type": "str", "required": True},
    "to": {"type": "str", "required": True},
    "port": {"type": "int"},
    "reachable": {"type": "bool", "required": True},
}
INTERNET = "internet"
PARTS = ("load_balancer", "app", "database", "bastion")
SERVICES = ("s3", "secretsmanager")  # besides those of vpc_endpoints_map
DEFAULTS = (
    {"from": INTERNET, "to": "database", "reachable": False},
    {"from": INTERNET, "to": "app", "reachable": False},  # but through its load balancer
    {"from": "load_balancer", "to": "app", "reachable": True},
    {"from": "app", "to": "database", "reachable": True},
)


def expectations(wanted: Wanted) -> list[dict[str, Any]]:
    """What shall hold: the inventory's own, and the defaults of which it says nothing else from the same source to the same target."""
    own = [{**entry} for entry in wanted.get("stack_reachability") or []]
    said = {(entry["from"], entry["to"]) for entry in own}
    return [*(dict(entry) for entry in DEFAULTS if (entry["from"], entry["to"]) not in said), *own]


def services(wanted: Wanted) -> list[str]:
    """The AWS services of which reachability is asked, by the last part of their endpoints' names."""
    endpoints = wanted.get("vpc_endpoints_map") or {}
    named = [str(entry["service"]) for entry in endpoints.values() if isinstance(entry, Mapping) and entry.get("service")]
    return list(dict.fromkeys([*SERVICES, *named]))


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the expectations."""
    stated = wanted.get("stack_reachability") or []
    if not isinstance(stated, list):
        yield problem("stack_reachability", stated, "not a list", "Give entries such as {from: internet, to: database, reachable: false}")
        return
    seen: dict[tuple[Any, ...], int] = {}
    for number, entry in enumerate(stated):
        variable = f"stack_reachability[{number}]"
        if not isinstance(entry, Mapping):
            yield problem(variable, entry, "not a map", f"Give it the keys {listing(EXPECTATION)}")
            continue
        result = ArgumentSpecValidator(EXPECTATION).validate(dict(entry))
        if result.error_messages:
            yield from (f"{variable}: {message}" for message in result.error_messages)
            continue
        yield from _entry(variable, result.validated_parameters, wanted)
        question = tuple(result.validated_parameters[word] for word in ("from", "to", "port"))
        if seen.setdefault(question, number) != number:
            yield problem(variable, dict(entry), f"stack_reachability[{seen[question]}] says already what is expected", "Take one away")


def _entry(variable: str, entry: Mapping[str, Any], wanted: Wanted) -> Iterator[str]:
    """One expectation: a source and a target that there are, and that can be asked together."""
    source, target = entry["from"], entry["to"]
    subnets, asked = list(wanted.get("vpc_subnets") or {}), services(wanted)
    inside = [*PARTS, *subnets]
    outside = source == INTERNET or is_range(source)
    if not outside and source not in inside:
        yield problem(f"{variable}.from", source, "nothing of the stack", f"Choose one of {listing([INTERNET, *inside])}, or addresses")
    elif outside and target not in PARTS:
        yield problem(f"{variable}.to", target, f"not asked from {source}", f"Choose one of {listing(PARTS)}")
    elif source in subnets and target not in [INTERNET, *asked]:
        yield problem(f"{variable}.to", target, "not asked from a subnet", f"Choose one of {listing([INTERNET, *asked])}")
    elif target not in [INTERNET, *asked, *PARTS] or source == target:
        others = [word for word in [INTERNET, *asked, *PARTS] if word != source]
        yield problem(f"{variable}.to", target, "nothing that can be reached", f"Choose one of {listing(others)}")
    if entry["port"] is not None:
        yield from port(f"{variable}.port", entry["port"])


def is_range(text: str) -> bool:
    """Whether a text is a range of IPv4 addresses."""
    try:
        IPv4Network(text)
    except ValueError:
        return False
    return True
