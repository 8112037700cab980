# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups and listeners from the inventory's words to AWS's, spelled out as AWS gives them back, so that they compare equal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Map = Mapping[str, Any]
SSL_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


def listeners_of(listeners: Map, groups: Mapping[str, str], certificates: Mapping[str, str]) -> list[dict[str, Any]]:
    """Listeners in the words of amazon.aws.elb_application_lb, in the order of their keys.

    `groups` and `certificates` give the ARN for each key. An unknown key is a KeyError; check_listeners.py has told it before.
    """
    return [_listener(listener, listeners, groups, certificates) for _key, listener in sorted(listeners.items())]


def group_attributes(group: Map) -> dict[str, str]:
    """The attributes of a target group as ModifyTargetGroupAttributes takes them."""
    stickiness = int(group.get("stickiness", 0))
    attributes = {
        "deregistration_delay.timeout_seconds": str(group.get("deregistration_delay", 30)),
        "load_balancing.algorithm.type": group.get("algorithm", "round_robin"),
        "slow_start.duration_seconds": str(group.get("slow_start", 0)),
        "stickiness.enabled": "true" if stickiness else "false",
    }
    if stickiness:
        attributes |= {"stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": str(stickiness)}
    return attributes


def _listener(listener: Map, listeners: Map, groups: Mapping[str, str], certificates: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "Protocol": listener.get("protocol", "HTTP"),
        "Port": listener["port"],
        "DefaultActions": [_action(listener, listeners, groups)],
        "Rules": [
            {
                "Priority": str(rule["priority"]),
                "Conditions": list(_conditions(rule)),
                "Actions": [_action(rule, listeners, groups)],
            }
            for rule in sorted(listener.get("rules", {}).values(), key=lambda rule: int(rule["priority"]))
        ],
    }
    if result["Protocol"] == "HTTPS":
        keys = [listener["certificate"], *listener.get("more_certificates", [])]
        result["SslPolicy"] = listener.get("ssl_policy", SSL_POLICY)
        result["Certificates"] = [{"CertificateArn": key if key.startswith("arn:") else certificates[key]} for key in keys]
    return result


def _conditions(rule: Map) -> list[dict[str, Any]]:
    plain = {
        "paths": ("path-pattern", "PathPatternConfig"),
        "hosts": ("host-header", "HostHeaderConfig"),
        "methods": ("http-request-method", "HttpRequestMethodConfig"),
        "source_ips": ("source-ip", "SourceIpConfig"),
    }
    conditions: list[dict[str, Any]] = [
        {"Field": field, config: {"Values": sorted(rule[word])}} for word, (field, config) in plain.items() if rule.get(word)
    ]
    return conditions + [
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": sorted(values)}}
        for name, values in sorted((rule.get("headers") or {}).items())
    ]


def _action(entry: Map, listeners: Map, groups: Mapping[str, str]) -> dict[str, Any]:
    """The one action of a listener or rule."""
    if entry.get("redirect"):
        return {"Type": "redirect", "RedirectConfig": _redirect(entry["redirect"], listeners)}
    if entry.get("fixed_response"):
        fixed = entry["fixed_response"]
        config = {"StatusCode": str(fixed["status"]), "ContentType": fixed.get("content_type", "text/plain")}
        return {"Type": "fixed-response", "FixedResponseConfig": config | ({"MessageBody": fixed["body"]} if fixed.get("body") else {})}
    if entry.get("weights"):
        weighed = [{"TargetGroupArn": groups[key], "Weight": int(weight)} for key, weight in sorted(entry["weights"].items())]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": weighed, "TargetGroupStickinessConfig": {"Enabled": False}}}
    return {"Type": "forward", "TargetGroupArn": groups[entry["target_group"]]}


def _redirect(wanted: str | Map, listeners: Map) -> dict[str, str]:
    """To a listener of the same load balancer by its key, or wherever a map says."""
    if isinstance(wanted, str):
        wanted = {"protocol": listeners[wanted].get("protocol", "HTTP"), "port": listeners[wanted]["port"]}
    return {
        "Protocol": wanted.get("protocol", "#{protocol}"),
        "Host": wanted.get("host", "#{host}"),
        "Port": str(wanted.get("port", "#{port}")),
        "Path": wanted.get("path", "/#{path}"),
        "Query": wanted.get("query", "#{query}"),
        "StatusCode": f"HTTP_{redirect_code(wanted)}",
    }


def redirect_code(redirect: str | Map) -> int:
    """The status of a redirect."""
    return 301 if isinstance(redirect, str) else int(redirect.get("code", 301))
