# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as a whole: its name, target, region and application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from .problem import Wanted, listing, names, problem

try:
    import botocore.session

    # Without a profile: one that is not there must not keep the checks from telling so.
    SESSION = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    REGIONS = frozenset(SESSION.get_available_regions("ec2"))
except ImportError:
    REGIONS = frozenset()

NAME_RULE = "Use 1 to 20 lower-case letters, digits, hyphens and underscores, a letter first"
COMPUTE = ("fleet", "containers")
RUNTIMES = {  # how each is delivered -> what can run it
    "image": ("django", "node"),
    "pull": ("node",),
    "plain": ("django",),
}
REQUIRED = (
    "stack_name", "stack_region", "stack_operator_cidrs", "stack_app", "vpc_subnets", "security_groups_map",
    "rds_identifier", "rds_engine", "rds_database", "rds_username", "alb_name", "alb_target_groups", "alb_listeners",
)  # fmt: skip
REQUIRED_OF_ITS_OWN = ("vpc_name", "vpc_cidr")  # unless the VPC is borrowed
REQUIRED_OF_FLEETS = ("launch_template_name", "launch_template_instance_type", "asg_name", "asg_min_size", "asg_max_size")


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the stack itself."""
    for variable in required(wanted):
        if wanted.get(variable) in (None, "", {}, []):
            yield f"{variable} is not set. Set it in the inventory, in group_vars/stack/"
    yield from names(wanted, "stack_name", r"[a-z][a-z0-9_-]{0,19}", NAME_RULE)
    yield from target(wanted)
    yield from region(wanted)
    yield from application(wanted)


def required(wanted: Wanted) -> tuple[str, ...]:
    """The variables that this kind of stack cannot do without."""
    own = () if wanted.get("vpc_borrowed") else REQUIRED_OF_ITS_OWN
    return REQUIRED + own + (REQUIRED_OF_FLEETS if wanted.get("stack_compute", "fleet") == "fleet" else ())


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
    yield from delivery(wanted, app.get("runtime"))
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", str(app.get("name", ""))):
        remedy = "Use lower-case letters, digits and hyphens"
        yield problem("stack_app.name", app.get("name"), "no name for a system user and its units", remedy)


def delivery(wanted: Wanted, runtime: str | None) -> Iterator[str]:
    """What runs the application, how it gets there, and whether the two go together."""
    compute, way = wanted.get("stack_compute", "fleet"), wanted.get("stack_delivery", "image")
    if compute not in COMPUTE:
        yield problem("stack_compute", compute, "unknown", f"Choose one of {listing(COMPUTE)}")
    elif way not in RUNTIMES:
        yield problem("stack_delivery", way, "unknown", f"Choose one of {listing(RUNTIMES)}")
    elif compute == "fleet" and runtime not in RUNTIMES[way]:
        wrong = "unknown runtime" if not any(runtime in known for known in RUNTIMES.values()) else f"not made for stack_delivery {way}"
        yield problem("stack_app.runtime", runtime, wrong, f"Choose one of {listing(RUNTIMES[way])}")
