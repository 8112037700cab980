# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as a whole: its name, target, region and application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from .problem import Wanted, listing, names, problem

try:
    import botocore.session

    REGIONS = frozenset(botocore.session.get_session().get_available_regions("ec2"))
except ImportError:
    REGIONS = frozenset()

RUNTIMES = ("django",)
REQUIRED = (
    "stack_name", "stack_region", "stack_operator_cidrs", "stack_app", "vpc_name", "vpc_cidr", "vpc_subnets",
    "security_groups_map", "rds_identifier", "rds_engine", "rds_database", "rds_username", "alb_name",
    "alb_target_groups", "alb_listeners", "launch_template_name", "launch_template_instance_type",
    "asg_name", "asg_min_size", "asg_max_size",
)  # fmt: skip


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the stack itself."""
    for variable in REQUIRED:
        if wanted.get(variable) in (None, "", {}, []):
            yield f"{variable} is not set. Set it in the inventory, in group_vars/stack/"
    yield from names(wanted, "stack_name", r"[a-z][a-z0-9-]{0,19}", "Use 1 to 20 lower-case letters, digits and hyphens, a letter first")
    yield from target(wanted)
    yield from region(wanted)
    yield from application(wanted)


def target(wanted: Wanted) -> Iterator[str]:
    value, account = wanted.get("stack_target"), wanted.get("stack_account_id")
    if value not in ("lab", "aws"):
        yield problem("stack_target", value, "unknown", "Choose lab or aws")
    elif not re.fullmatch(r"\d{12}", str(account or "")):
        yield problem("stack_account_id", account, "not an account id", "Give the 12 digits of the account, in quotes")


def region(wanted: Wanted) -> Iterator[str]:
    value = wanted.get("stack_region")
    if value and REGIONS and value not in REGIONS:
        near = get_close_matches(value, REGIONS, n=1)
        yield problem("stack_region", value, "no such region", f"Did you mean {near[0]}?" if near else "Use a name such as ap-northeast-1")


def application(wanted: Wanted) -> Iterator[str]:
    app = wanted.get("stack_app")
    if not app:
        return
    if app.get("runtime") not in RUNTIMES:
        yield problem("stack_app.runtime", app.get("runtime"), "unknown runtime", f"Choose one of {listing(RUNTIMES)}")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", str(app.get("name", ""))):
        remedy = "Use lower-case letters, digits and hyphens"
        yield problem("stack_app.name", app.get("name"), "no name for a system user and its units", remedy)
