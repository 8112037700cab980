# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and their rules: what they name must be there, and each must say what it does.

AWS's pages "Listeners for your Application Load Balancers" and "Listener rules" have the limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from .check_certificates import covers
from .problem import Wanted, entries, listing, port, problem

FIXED_RESPONSE = {
    "status": {"type": "int", "required": True},
    "content_type": {
        "type": "str",
        "choices": ["text/plain", "text/css", "text/html", "application/javascript", "application/json"],
        "default": "text/plain",
    },
    "body": {"type": "str", "default": ""},
}
ACTIONS = {
    "target_group": {"type": "str"},
    "weights": {"type": "dict"},
    "redirect": {"type": "raw"},
    "fixed_response": {"type": "dict", "options": FIXED_RESPONSE},
}
CONDITIONS = {
    "paths": {"type": "list", "elements": "str"},
    "hosts": {"type": "list", "elements": "str"},
    "methods": {"type": "list", "elements": "str"},
    "source_ips": {"type": "list", "elements": "str"},
    "headers": {"type": "dict"},
}
RULE = {"priority": {"type": "int", "required": True}, **CONDITIONS, **ACTIONS}
LISTENER = {
    "port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTP"},
    "certificate": {"type": "str"},
    "more_certificates": {"type": "list", "elements": "str", "default": []},
    "ssl_policy": {"type": "str"},
    "rules": {"type": "dict", "default": {}},
    **ACTIONS,
}
REDIRECT = {"protocol", "host", "port", "path", "query", "code"}
MOST_VALUES = 5  # of all conditions of a rule together
Entry = Mapping[str, Any]


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the listeners."""
    listeners, problems = entries(wanted, "alb_listeners", LISTENER)
    yield from problems
    ports: dict[int, str] = {}
    for key, listener in listeners.items():
        variable = f"alb_listeners.{key}"
        yield from port(f"{variable}.port", listener["port"])
        if listener["port"] in ports:
            wrong = f"alb_listeners.{ports[listener['port']]} has this port already"
            yield problem(f"{variable}.port", listener["port"], wrong, "Give each listener a port of its own")
        ports.setdefault(listener["port"], key)
        yield from action(wanted, variable, listener)
        if listener["redirect"] == key and not listener["rules"]:
            yield problem(f"{variable}.redirect", key, "a redirect to itself never ends", "Redirect to another listener")
        yield from tls(wanted, variable, listener)
        yield from rules(wanted, variable, listener)


def action(wanted: Wanted, variable: str, entry: Entry) -> Iterator[str]:
    """Exactly one thing is done with a request, and what it names exists."""
    chosen = [name for name in ACTIONS if entry[name] is not None]
    if len(chosen) != 1:
        found = "does nothing with a request" if not chosen else f"has {listing(chosen)}"
        yield f"{variable} {found}. Give it exactly one of {listing(ACTIONS)}"
        return
    groups = wanted.get("alb_target_groups") or {}
    for name in [entry["target_group"]] if chosen == ["target_group"] else entry["weights"] or []:
        if name not in groups:
            yield problem(f"{variable}.{chosen[0]}", name, "no such group in alb_target_groups", f"Choose one of {listing(groups)}")
    if entry["weights"] is not None:
        yield from weights(f"{variable}.weights", entry["weights"])
    if entry["redirect"] is not None:
        yield from redirect(wanted, f"{variable}.redirect", entry["redirect"])
    if entry["fixed_response"] is not None and not re.fullmatch("[245][0-9][0-9]", str(entry["fixed_response"]["status"])):
        yield problem(
            f"{variable}.fixed_response.status", entry["fixed_response"]["status"], "not allowed by AWS", "Choose 2xx, 4xx or 5xx"
        )


def weights(variable: str, values: Entry) -> Iterator[str]:
    wrong = {key: weight for key, weight in values.items() if not isinstance(weight, int) or not 0 <= weight <= 999}
    if wrong or not 1 <= len(values) <= 5:
        yield problem(variable, dict(values), "AWS takes one to five groups with weights from 0 to 999", "Correct them")


def redirect(wanted: Wanted, variable: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        listeners = wanted.get("alb_listeners") or {}
        if value not in listeners:
            yield problem(variable, value, "no such listener in alb_listeners", f"Choose one of {listing(listeners)}, or give a map")
    elif not isinstance(value, Mapping) or not value:
        yield problem(variable, value, "not a redirect", f"Give a key of alb_listeners, or some of {listing(REDIRECT)}")
    else:
        for word in sorted(set(value) - REDIRECT):
            yield problem(variable, word, "a redirect has no such part", f"Choose among {listing(REDIRECT)}")
        if not {"protocol", "host", "port", "path"} & set(value):
            yield problem(variable, dict(value), "the client would come back for ever", "Change protocol, host, port or path")
        if value.get("code", 301) not in (301, 302):
            yield problem(f"{variable}.code", value["code"], "not a redirect of AWS's", "Choose 301 or 302")


def tls(wanted: Wanted, variable: str, listener: Entry) -> Iterator[str]:
    """HTTPS has a certificate, HTTP has none."""
    certificates = wanted.get("certificate_map") or {}
    if listener["protocol"] == "HTTP":
        for word in ("certificate", "ssl_policy", "more_certificates"):
            if listener[word]:
                yield problem(f"{variable}.{word}", listener[word], "an HTTP listener has none", "Set protocol to HTTPS, or take it away")
        return
    if not listener["certificate"]:
        yield f"{variable} is HTTPS and has no certificate. Set {variable}.certificate to a key of certificate_map or to an ARN"
    for name in filter(None, [listener["certificate"], *listener["more_certificates"]]):
        if name.startswith("arn:"):
            parts = name.split(":")
            if parts[:3] not in (["arn", "aws", "acm"], ["arn", "aws", "iam"]) or len(parts) != 6:
                yield problem(f"{variable}.certificate", name, "not the ARN of a certificate", "Copy it from Certificate Manager")
                continue
            region = parts[3]
            if region and region != wanted.get("stack_region"):
                wrong = f"a certificate of {region}; a load balancer takes those of its own region"
                yield problem(f"{variable}.certificate", name, wrong, f"Use one of {wanted.get('stack_region')}")
        elif name not in certificates:
            remedy = f"Choose one of {listing(certificates)}" if certificates else "Describe it there, or give an ARN"
            yield problem(f"{variable}.certificate", name, "no such certificate in certificate_map", remedy)


def rules(wanted: Wanted, variable: str, listener: Entry) -> Iterator[str]:
    found, problems = entries({f"{variable}.rules": listener["rules"]}, f"{variable}.rules", RULE)
    yield from problems
    priorities: dict[int, str] = {}
    for key, rule in found.items():
        name, priority = f"{variable}.rules.{key}", rule["priority"]
        if not 1 <= priority <= 50000:
            yield problem(f"{name}.priority", priority, "out of range", "Choose 1 to 50000")
        if priority in priorities:
            wrong = f"{variable}.rules.{priorities[priority]} has this priority already"
            yield problem(f"{name}.priority", priority, wrong, "Give each rule of a listener a priority of its own")
        priorities.setdefault(priority, key)
        yield from action(wanted, name, rule)
        yield from conditions(name, rule)
        yield from hosts(wanted, name, rule, listener)


def conditions(variable: str, rule: Entry) -> Iterator[str]:
    lists = {word: rule[word] or [] for word in CONDITIONS if word != "headers"}
    headers = rule["headers"] or {}
    amount = sum(len(values) for values in lists.values()) + sum(len(values) for values in headers.values() if isinstance(values, list))
    if amount == 0 and not headers:
        yield f"{variable} has no condition. Give it some of {listing(CONDITIONS)}; what holds for every request is the listener's own"
    if amount > MOST_VALUES:
        yield problem(
            variable, amount, f"a rule has {MOST_VALUES} values at most, those of all its conditions together", "Make two rules of it"
        )
    for path in lists["paths"]:
        if not path.startswith(("/", "*")):
            yield problem(f"{variable}.paths", path, "no path of a request is like this", "Begin it with /")
    for method in lists["methods"]:
        if not re.fullmatch("[A-Z_-]{1,40}", method):
            yield problem(f"{variable}.methods", method, "not a method that AWS takes", "Use capital letters, such as GET")
    for source in lists["source_ips"]:
        try:
            ip_network(source)
        except ValueError:
            yield problem(f"{variable}.source_ips", source, "not a range of addresses", "Use a form such as 203.0.113.0/24")
    for name, values in headers.items():
        if not isinstance(values, list):
            yield problem(f"{variable}.headers.{name}", values, "not a list", "Give a list of values")


def hosts(wanted: Wanted, variable: str, rule: Entry, listener: Entry) -> Iterator[str]:
    """A host of an HTTPS listener's rule that no certificate covers is a host that no client gets through to."""
    keys = [listener["certificate"], *listener["more_certificates"]]
    certificates = wanted.get("certificate_map") or {}
    known = [certificates[key].get("names") for key in keys if isinstance(certificates.get(key), Mapping)]
    if listener["protocol"] != "HTTPS" or len(known) != len(keys) or not all(known):
        return  # what is in a certificate of somebody else is not known here
    names = [name for of_one in known for name in of_one or []]
    for host in rule["hosts"] or []:
        if not {"*", "?"} & set(host) and not covers(names, host):
            yield problem(
                f"{variable}.hosts", host, f"the listener's certificates cover {listing(names)} alone", "Add it to certificate_map"
            )
