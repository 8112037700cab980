# SPDX-License-Identifier: GPL-3.0-or-later
"""What amazon.aws.elb_application_lb leaves undone on listeners that stand. Pure: wanted and found in AWS's words, changes out.

It compares the default certificate alone, and does not notice when a condition is taken out of a rule, or when the only target group of an
action has the weight 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def certificates(wanted: Mapping[str, Any], found: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Certificates to add to a listener and to remove from it. `found` is DescribeListenerCertificates' answer; the default one stays."""
    asked = [certificate["CertificateArn"] for certificate in wanted.get("Certificates") or []]
    standing = {certificate["CertificateArn"] for certificate in found}
    others = {certificate["CertificateArn"] for certificate in found if not certificate.get("IsDefault")}
    return [arn for arn in asked if arn not in standing], sorted(others - set(asked))


def rules(wanted: Mapping[str, Any], found: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rules that have more conditions than wanted: ARN and wanted conditions. `found` is DescribeRules' answer."""
    by_priority = {str(rule["Priority"]): rule for rule in wanted.get("Rules") or []}
    return [
        (rule["RuleArn"], by_priority[rule["Priority"]]["Conditions"])
        for rule in found
        if rule["Priority"] in by_priority and len(rule["Conditions"]) > len(by_priority[rule["Priority"]]["Conditions"])
    ]


def emptied(wanted: Iterable[Mapping[str, Any]], found: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the found actions send nothing to their only target group, and the wanted ones do not ask for that."""
    standing = weights(found)
    return standing == [0] and weights(wanted) != standing


def weights(actions: Iterable[Mapping[str, Any]]) -> list[int]:
    """The weights that actions give to target groups."""
    groups = [group for action in actions for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or []]
    return [int(group.get("Weight", 1)) for group in groups]
