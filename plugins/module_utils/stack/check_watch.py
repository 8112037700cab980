# SPDX-License-Identifier: GPL-3.0-or-later
"""What watches the stack: topic, thresholds, alarms and log groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .check_policies import period
from .problem import Wanted, entries, names, problem, within

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)  # days that AWS and the module both take
LOG_GROUP = {"name": {"type": "str", "required": True}, "retention": {"type": "int"}}
ALARM = {
    "description": {"type": "str"},
    "namespace": {"type": "str", "required": True},
    "metric": {"type": "str", "required": True},
    "dimensions": {"type": "dict", "required": True},
    "statistic": {"type": "str", "choices": ["SampleCount", "Average", "Sum", "Minimum", "Maximum"], "default": "Average"},
    "above": {"type": "float"},
    "below": {"type": "float"},
    "period": {"type": "int", "default": 60},
    "periods": {"type": "int", "default": 1},
    "missing": {"type": "str", "choices": ["breaching", "notBreaching", "ignore", "missing"], "default": "missing"},
}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the watch."""
    yield from names(wanted, "watch_topic_name", r"[A-Za-z0-9_-]{1,256}", "Use 1 to 256 letters, digits, hyphens and underscores")
    yield from topic(wanted)
    for number, email in enumerate(wanted.get("watch_emails") or []):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(email)):
            yield problem(f"watch_emails[{number}]", email, "no e-mail address", "Use a form such as operations@example.com")
    yield from within(wanted, "watch_minutes", 1, 1440, " minutes")
    for variable in ("watch_cpu_percent", "watch_database_cpu_percent"):
        yield from within(wanted, variable, 1, 100, " percent")
    yield from storage(wanted)
    yield from alarms(wanted)
    yield from log_groups(wanted)


def topic(wanted: Wanted) -> Iterator[str]:
    """A stack's topic is found again, and removed, by the beginning of its name; the default follows the stack's name."""
    name, prefix = wanted.get("watch_topic_name"), f"{wanted.get('stack_name')}-"
    if name and name != f"{wanted.get('watch_name') or ''}-alarms" and not str(name).startswith(prefix):
        yield problem("watch_topic_name", name, "not named after the stack, by which it is found again", f"Begin it with {prefix}")


def storage(wanted: Wanted) -> Iterator[str]:
    """An alarm on free storage above what there is would never be quiet."""
    free, whole = wanted.get("watch_database_free_storage_gib"), wanted.get("rds_allocated_storage")
    if free is not None and whole is not None and free >= whole:
        wrong = f"not below rds_allocated_storage {whole}, so the alarm would never be quiet"
        yield problem("watch_database_free_storage_gib", free, wrong, "Choose a smaller size")


def alarms(wanted: Wanted) -> Iterator[str]:
    found, problems = entries(wanted, "watch_alarms", ALARM)
    yield from problems
    for key, alarm in found.items():
        if (alarm["above"] is None) == (alarm["below"] is None):
            yield problem(f"watch_alarms.{key}", wanted["watch_alarms"][key], "an alarm needs one of above and below", "Give one of them")
        yield from period(f"watch_alarms.{key}.period", alarm["period"])


def log_groups(wanted: Wanted) -> Iterator[str]:
    """A stack's log groups are found again, and removed, by its path."""
    found, problems = entries(wanted, "watch_log_groups", LOG_GROUP)
    yield from problems
    path = f"/{wanted.get('stack_name')}/"
    yield from retention("watch_log_retention", wanted.get("watch_log_retention"))
    for key, group in found.items():
        variable = f"watch_log_groups.{key}"
        if not re.fullmatch(r"[A-Za-z0-9_\-/.#]{1,512}", group["name"]):
            yield problem(f"{variable}.name", group["name"], "not a name that AWS takes", "Use 1 to 512 letters, digits and ._-/#")
        elif not group["name"].startswith(path):
            yield problem(f"{variable}.name", group["name"], "not below the stack's path", f"Begin it with {path}")
        yield from retention(f"{variable}.retention", group["retention"])


def retention(variable: str, days: int | None) -> Iterator[str]:
    if days is not None and days not in RETENTIONS:
        yield problem(variable, days, "no retention of CloudWatch Logs", f"Choose one of {', '.join(map(str, RETENTIONS))} days")
