"""The Condition block of a policy statement (IAM JSON policy reference, "Condition operators"). Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

Context = Mapping[str, str]  # condition key in lower case -> value; a key that the request does not have is not in it


class PolicyError(Exception):
    """A policy says something that is not evaluated here; the message names it."""


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """Whether a value fits a pattern in which `*` stands for any text and `?` for one character."""
    return _compiled(pattern).fullmatch(value) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Each of an ARN's six parts by itself, so that `*` does not reach over a colon."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(like, patterns, values))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda wanted, found: compare(float(found), float(wanted))


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda wanted, found: compare(datetime.fromisoformat(found), datetime.fromisoformat(wanted))


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {  # (value in the policy, value of the request)
    "StringEquals": lambda wanted, found: wanted == found,
    "StringEqualsIgnoreCase": lambda wanted, found: wanted.lower() == found.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "IpAddress": lambda wanted, found: ip_address(found) in ip_network(wanted, strict=False),
    "NumericEquals": _number(lambda found, wanted: found == wanted),
    "NumericLessThan": _number(lambda found, wanted: found < wanted),
    "NumericLessThanEquals": _number(lambda found, wanted: found <= wanted),
    "NumericGreaterThan": _number(lambda found, wanted: found > wanted),
    "NumericGreaterThanEquals": _number(lambda found, wanted: found >= wanted),
    "DateLessThan": _date(lambda found, wanted: found < wanted),
    "DateGreaterThan": _date(lambda found, wanted: found > wanted),
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
}


def met(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all conditions hold: operators and keys are joined by AND, the values of one key by OR.

    Raises PolicyError for an operator that is not known here.
    """
    return all(
        _holds(operator, [_text(value) for value in listed(values)], context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def listed(value: Any) -> list[Any]:
    """A policy element that may be written with or without brackets."""
    return list(value) if isinstance(value, list) else [value]


def _holds(operator: str, wanted: Iterable[str], found: str | None) -> bool:
    name = operator.removesuffix("IfExists")
    if name == "Null":  # "true": the key must not be there
        return any((found is None) == (value.lower() == "true") for value in wanted)
    if name not in OPERATORS and name not in NEGATED:
        raise PolicyError(f"the condition operator {operator} is not evaluated here")
    if found is None:
        return name in NEGATED or operator != name
    if name in NEGATED:
        return not any(OPERATORS[NEGATED[name]](value, found) for value in wanted)
    return any(OPERATORS[name](value, found) for value in wanted)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
