# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wrong value is told: the variable, the value, what is wrong with it and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Wanted = Mapping[str, Any]


def parts(wanted: Wanted) -> tuple[str, ...]:
    """The parts of a stack that stand in a tier of subnets and have a security group, by what runs the application."""
    compute = ("task",) if wanted.get("stack_compute") == "containers" else ("fleet", "builder")
    return ("load_balancer", *compute, "database")


def problem(variable: str, value: Any, wrong: str, remedy: str) -> str:
    """One line of the report."""
    return f"{variable} is {value!r}: {wrong}. {remedy}"


def entries(wanted: Wanted, variable: str, specification: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The well-formed entries of a map variable, and what is wrong with the others (types, missing and unknown keys)."""
    good: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    found = wanted.get(variable) or {}
    if not isinstance(found, Mapping):
        return {}, [problem(variable, found, "not a map", "Give entries by key")]
    for key, entry in found.items():
        where = f"{variable}.{key}"
        if not isinstance(entry, Mapping):
            problems.append(problem(where, entry, "not a map", f"Give it the keys {listing(specification)}"))
            continue
        result = ArgumentSpecValidator(specification).validate(dict(entry))
        if result.error_messages:
            problems += [f"{where}: {message}" for message in result.error_messages]
        else:
            good[key] = result.validated_parameters
    return good, problems


def listing(values: Iterable[object]) -> str:
    return ", ".join(sorted(str(value) for value in values))


def names(wanted: Wanted, variable: str, pattern: str, rule: str) -> Iterator[str]:
    """Tell a name that does not follow AWS's rule; an unset one is not told here."""
    value = wanted.get(variable)
    if value is not None and not re.fullmatch(pattern, str(value)):
        yield problem(variable, value, "not a name that AWS takes", rule)


def within(wanted: Wanted, variable: str, low: int, high: int, unit: str = "") -> Iterator[str]:
    """Tell a number out of its range."""
    value = wanted.get(variable)
    if value is not None and not low <= value <= high:
        yield problem(variable, value, "out of range", f"Choose {low} to {high}{unit}")


def in_order(wanted: Wanted, least: str, desired: str, most: str) -> Iterator[str]:
    """Tell three numbers, by their variables, that do not stand in the order least, desired, most, or begin below zero."""
    low, middle, high = (wanted.get(name) for name in (least, desired, most))
    if low is None or high is None:
        return
    if low < 0:
        yield problem(least, low, "below zero", "Choose 0 or more")
    if low > high:
        yield problem(least, low, f"above {most} {high}", f"Lower it or raise {most}")
    elif middle is not None and not low <= middle <= high:
        yield problem(desired, middle, f"not between {least} {low} and {most} {high}", "Choose one between them")


def port(variable: str, value: int) -> Iterator[str]:
    """Tell a number that is no port."""
    if not 1 <= value <= 65535:
        yield problem(variable, value, "no port", "Choose 1 to 65535")
