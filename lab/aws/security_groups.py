"""Rules of security groups: a description does not make a rule another one (EC2 API Reference, RevokeSecurityGroupIngress)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.security_groups import SecurityGroupRule

from ._patch import wrap


def install() -> None:
    wrap(SecurityGroupRule, "__eq__")(_whatever_is_said_of_it)


def _whatever_is_said_of_it(original: Callable[..., bool], rule: Any, other: Any) -> bool:
    """moto compares a source group with its description, and so does not find the rule that is to be revoked."""
    groups = [(item.source_group or {}) for item in (rule, other)]
    if groups[0].get("GroupId") != groups[1].get("GroupId"):
        return False
    return original(_Without(rule), _Without(other))


class _Without:
    """A rule without its source group."""

    source_group = None

    def __init__(self, rule: Any) -> None:
        self._rule = rule

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rule, name)
