# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for load balancers: from the inventory's words to AWS's, and what must answer when it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from ipaddress import ip_network
from itertools import islice, product
from typing import Any

import ansible.module_utils
from ansible import constants

# The project's own module_utils, which modules find by themselves and plugins do not.
ansible.module_utils.__path__ = [*ansible.module_utils.__path__, *constants.DEFAULT_MODULE_UTILS_PATH]
from ansible.module_utils.stack.listener_words import group_attributes, listeners_of, redirect_code

Map = Mapping[str, Any]


def alb_probes(listeners: Map, host: str = "", sources: Collection[str] = ()) -> list[dict[str, Any]]:
    """A request for each listener and rule that answers by itself (redirect or fixed response), and the status that must come back.

    What is forwarded cannot be told apart from outside, and a rule for some source addresses may not be for ours. A request that a rule of
    an earlier priority may take is none; without any other, nothing is asked. `host` is what requests are for that name no other, `sources`
    the ranges of addresses that they come from.
    """
    found = []
    for key, listener in sorted(listeners.items()):
        rules = sorted(listener.get("rules", {}).items(), key=lambda item: int(item[1]["priority"]))
        in_order = [rule for _name, rule in rules]
        named = [(key, listener, in_order), *((f"{key}.{name}", rule, in_order[:place]) for place, (name, rule) in enumerate(rules))]
        for name, entry, earlier in named:
            if _answers(entry) and not entry.get("source_ips"):
                probes = (
                    probe for probe in _probes(name, listener, entry) if not any(_takes(rule, probe, host, sources) for rule in earlier)
                )
                found += list(islice(probes, 1))
    return found


def alb_served_certificates(listeners: Map, certificates: Map) -> list[dict[str, Any]]:
    """The certificates that clients must get, by each of their names; those that are known by their ARN alone are left out.

    The `first` name is also the subject of one that is made here.
    """
    return [
        {"port": listener["port"], "name": name, "first": name == names[0], "made_here": not {"arn", "file"} & set(certificates[key])}
        for _, listener in sorted(listeners.items())
        if listener.get("protocol") == "HTTPS"
        for key in [listener["certificate"], *listener.get("more_certificates", [])]
        for names in [certificates.get(key, {}).get("names") or []]
        for name in names
    ]


def _answers(entry: Map) -> bool:
    return bool(entry.get("fixed_response") or entry.get("redirect"))


def _probes(name: str, listener: Map, entry: Map) -> Iterator[dict[str, Any]]:
    """Requests that an entry's own conditions take, one for each combination of their values."""
    asked = [[(header, _example(value)) for value in values] for header, values in (entry.get("headers") or {}).items()]
    asked += [[("Host", _example(value)) for value in entry["hosts"]]] if entry.get("hosts") else []
    for path, method, *headers in product(entry.get("paths") or ["/", "/x"], entry.get("methods") or ["GET"], *asked):
        yield {
            "name": name,
            "scheme": listener.get("protocol", "HTTP").lower(),
            "port": listener["port"],
            "path": _example(path),
            "method": method,
            "headers": dict(headers),
            "status": entry["fixed_response"]["status"] if entry.get("fixed_response") else redirect_code(entry["redirect"]),
        }


def _takes(rule: Map, probe: Map, host: str, sources: Collection[str]) -> bool:
    """Whether a rule's conditions may let a request in that comes from one of these ranges."""
    headers = {name.lower(): value for name, value in {"Host": host, **probe["headers"]}.items()}
    return all(
        [
            not rule.get("paths") or _matches(rule["paths"], probe["path"]),
            not rule.get("hosts") or _matches(rule["hosts"], headers["host"], re.IGNORECASE),
            not rule.get("methods") or probe["method"] in rule["methods"],
            not rule.get("source_ips") or _overlap(rule["source_ips"], sources),
            *(_matches(values, headers.get(name.lower(), ""), re.IGNORECASE) for name, values in (rule.get("headers") or {}).items()),
        ]
    )


def _overlap(ranges: Iterable[str], others: Collection[str]) -> bool:
    pairs = ((ip_network(one, strict=False), ip_network(other, strict=False)) for one, other in product(ranges, others))
    return any(one.version == other.version and one.overlaps(other) for one, other in pairs)


def _matches(patterns: Iterable[str], text: str, flags: int = 0) -> bool:
    """Whether one of a listener rule's patterns matches: * is any text, ? any one character."""
    signs = {"*": ".*", "?": "."}
    expressions = ("".join(signs.get(sign) or re.escape(sign) for sign in pattern) for pattern in patterns)
    return any(re.fullmatch(expression, text, flags | re.DOTALL) for expression in expressions)


def _example(pattern: str) -> str:
    """Something that a pattern matches."""
    return pattern.replace("*", "x").replace("?", "x")


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "alb_listeners": listeners_of,
            "alb_group_attributes": group_attributes,
            "alb_probes": alb_probes,
            "alb_served_certificates": alb_served_certificates,
        }
