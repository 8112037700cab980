# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and their rules: the role `alb`. Target groups and certificates go by the inventory's keys on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..stack.listener_words import listeners_of
from . import certificates
from .model import Kind, Resource
from .normal import tags_of

LAYER = "load_balancer"
OTHERWISE = "requests are answered another way at once"
KINDS = (
    Kind(
        "listener", LAYER, effects={
            "protocol": "clients must speak another protocol", "tls_policy": "clients that speak no version of it are refused",
            "certificate": "clients get another certificate", "more_certificates": "clients of some names get another certificate",
            "action": OTHERWISE,
        }, pruned=True,
    ),
    Kind("listener_rule", LAYER, effects=dict.fromkeys(("priority", "conditions", "action"), OTHERWISE), pruned=True),
)  # fmt: skip
Item = Mapping[str, Any]
Names = Mapping[str, str]


def want_listeners(listeners: Item, groups: Iterable[str]) -> Iterator[Resource]:
    """What the role `alb` makes of its listeners."""
    chosen = {key for listener in listeners.values() for key in certificates_of(listener)}
    words = listeners_of(listeners, {key: key for key in groups}, {key: key for key in chosen})
    for key, listener in zip(sorted(listeners), words, strict=True):
        asked = [one["CertificateArn"] for one in listener.get("Certificates", [])]
        yield Resource("listener", key, _listener(listener, asked, {}), f"{key} ({listener['Port']})")
        rules = listeners[key].get("rules") or {}
        for name, rule in zip(sorted(rules, key=lambda one: int(rules[one]["priority"])), listener["Rules"], strict=True):
            yield Resource("listener_rule", f"{key}.{name}", _rule(rule, {}))


def certificates_of(listener: Item) -> list[str]:
    """The keys or ARNs of certificates that an inventory's listener names."""
    return [name for name in [listener.get("certificate"), *(listener.get("more_certificates") or [])] if name]


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Listeners, of each its rules and its certificates: AWS tells the two of one listener at a time.

    `alb_inventory` is what the inventory calls things, by which what stands is told apart.
    """
    elbv2 = clients["elbv2"]

    def pages(operation: str, word: str, **arguments: str) -> list[dict[str, Any]]:
        return [item for page in elbv2.get_paginator(operation).paginate(**arguments) for item in page[word]]

    def whole(listener: dict[str, Any]) -> dict[str, Any]:
        arn, secure = listener["ListenerArn"], listener["Protocol"] == "HTTPS"
        rules = pages("describe_rules", "Rules", ListenerArn=arn)
        served = pages("describe_listener_certificates", "Certificates", ListenerArn=arn) if secure else []
        return {**listener, "Rules": [rule for rule in rules if not rule["IsDefault"]], "Served": served}

    def listeners() -> list[dict[str, Any]]:
        arns = [item["LoadBalancerArn"] for item in found["load_balancers"]]
        return [whole(item) for arn in arns for item in pages("describe_listeners", "Listeners", LoadBalancerArn=arn)]

    inventory = {word: wanted.get(word) or {} for word in ("alb_listeners", "alb_target_groups", "certificate_map")}
    return {"listeners": listeners, "alb_inventory": lambda: inventory}


def found_listeners(found: Mapping[str, Any]) -> Iterator[Resource]:
    """What stands. A port or a rule that the inventory does not have goes by its port or priority."""
    inventory = found["alb_inventory"]
    wanted = list(want_listeners(inventory["alb_listeners"], inventory["alb_target_groups"]))
    keys = {item.fields["port"]: item.key for item in wanted if item.kind == "listener"}
    names = keys_by_arn(found)
    for listener in found["listeners"]:
        key = keys.get(listener["Port"], f"port {listener['Port']}")
        served = [one["CertificateArn"] for one in sorted(listener["Served"], key=lambda one: not one.get("IsDefault"))]
        yield Resource("listener", key, _listener(listener, served, names), f"{key} ({listener['Port']})", listener["ListenerArn"])
        asked = {item.key: item.fields for item in wanted if item.kind == "listener_rule" and item.key.startswith(f"{key}.")}
        rules = {rule["RuleArn"]: _rule(rule, names) for rule in listener["Rules"]}
        chosen = rule_keys(asked, rules)
        for arn, fields in rules.items():
            yield Resource("listener_rule", chosen.get(arn, f"{key} priority {fields['priority']}"), fields, id=arn)


def keys_by_arn(found: Mapping[str, Any]) -> dict[str, str]:
    """What the inventory calls target groups and certificates; an ARN that a listener names itself stays one."""
    inventory = found["alb_inventory"]
    named = {name for listener in inventory["alb_listeners"].values() for name in certificates_of(listener)}
    keys = {
        **{item["TargetGroupArn"]: group_key(item, found) for item in found["target_groups"]},
        **{item["CertificateArn"]: certificates.key_of(item, found) for item in found["certificates"]},
        **{entry["arn"]: key for key, entry in inventory["certificate_map"].items() if entry.get("arn")},
    }
    return {arn: key for arn, key in keys.items() if arn not in named}


def group_key(group: Item, found: Mapping[str, Any]) -> str:
    """The inventory's key of a target group, by its name, by which the role finds it, or else by its tag Key."""
    name = group["TargetGroupName"]
    keys = {entry["name"]: key for key, entry in found["alb_inventory"]["alb_target_groups"].items()}
    return str(keys.get(name) or tags_of(group).get("Key") or name)


def rule_keys(asked: Mapping[str, Item], rules: Mapping[str, Item]) -> dict[str, str]:
    """The key of each found rule's wanted one, as the collection's module pairs them: first those that do the same, then by priority."""
    chosen: dict[str, str] = {}
    for words in (("priority", "conditions", "action"), ("conditions", "action"), ("priority",)):
        for arn, found in rules.items():
            free = [key for key in asked if key not in chosen.values()]
            same = (key for key in free if all(asked[key][word] == found[word] for word in words))
            if arn not in chosen and (key := next(same, None)):
                chosen[arn] = key
    return chosen


def _listener(listener: Item, served: list[str], names: Names) -> dict[str, Any]:
    """`served` has the default certificate first, and once more where it is also an additional one (DescribeListenerCertificates)."""
    keys = [names.get(arn, arn) for arn in served]
    return {
        "port": int(listener["Port"]),
        "protocol": listener["Protocol"],
        "tls_policy": listener.get("SslPolicy"),
        "certificate": next(iter(keys), None),
        "more_certificates": sorted(set(keys[1:]) - set(keys[:1])),
        "action": _actions(listener["DefaultActions"], names),
    }


def _rule(rule: Item, names: Names) -> dict[str, Any]:
    return {
        "priority": int(rule["Priority"]),
        "conditions": sorted(_condition(one) for one in rule["Conditions"]),
        "action": _actions(rule["Actions"], names),
    }


def _condition(condition: Item) -> str:
    """`http-header X-Kind: robot*`. AWS tells the values of some conditions twice."""
    config = next((value for word, value in condition.items() if word.endswith("Config")), condition)
    values = [value if isinstance(value, str) else f"{value.get('Key', '')}={value['Value']}" for value in config.get("Values", [])]
    values += [f"regex {value}" for value in config.get("RegexValues", [])]
    header = config.get("HttpHeaderName")
    return f"{condition['Field']}{f' {header}' if header else ''}: {', '.join(sorted(values))}"


def _actions(actions: list[Item], names: Names) -> Any:
    """The one action that our listeners and rules have; several of somebody else's as a list."""
    told = [_action(one, names) for one in sorted(actions, key=lambda one: one.get("Order") or 0)]
    return told[0] if len(told) == 1 else told


def _action(action: Item, names: Names) -> dict[str, Any]:
    """By its type, with what AWS leaves out filled in."""
    kind = action["Type"]
    config: Item = next((value for word, value in action.items() if word.endswith("Config")), {})
    if kind == "forward":
        groups = config.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        weights = {names.get(one["TargetGroupArn"], one["TargetGroupArn"]): int(one.get("Weight", 1)) for one in groups}
        if len(weights) == 1:  # a single group gets everything, unless its weight is 0
            weights = {key: min(weight, 1) for key, weight in weights.items()}
        stickiness = config.get("TargetGroupStickinessConfig") or {}
        return {kind: weights} | ({"stickiness": stickiness.get("DurationSeconds")} if stickiness.get("Enabled") else {})
    if kind == "fixed-response":
        return {kind: {word: config.get(word) or "" for word in ("StatusCode", "ContentType", "MessageBody")}}
    if kind == "redirect":
        return {kind: {word: config.get(word) or "" for word in ("Protocol", "Host", "Port", "Path", "Query", "StatusCode")}}
    return {kind: dict(config)}
