# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines: image, launch template and Auto Scaling group."""

from __future__ import annotations

from collections.abc import Iterator

from .check_policies import policies
from .problem import Wanted, in_order, names, within

INSTANCE_TYPE = r"[a-z][a-z0-9-]*\.([0-9]*x?large|nano|micro|small|medium|metal(-[0-9a-z]+)?)"


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the fleet."""
    for variable in ("launch_template_instance_type", "ami_instance_type"):
        yield from names(wanted, variable, INSTANCE_TYPE, "Use a type such as t3.micro")
    yield from names(wanted, "launch_template_name", r"[A-Za-z0-9().\-/_]{3,128}", "Use 3 to 128 letters, digits and ().-/_")
    yield from names(wanted, "ami_name", r"[A-Za-z0-9 ()\[\]./\-'@_]{3,100}", "Use 3 to 100 letters, digits and ()[] ./-'@_")
    yield from names(wanted, "asg_name", r"[^:]{1,255}", "Use 1 to 255 characters, no colon")
    yield from within(wanted, "ami_keep", 2, 100, " images")
    yield from within(wanted, "asg_health_check_grace_period", 0, 7200, " seconds")
    for number, kind in enumerate(wanted.get("asg_instance_types") or []):
        yield from names(
            {f"asg_instance_types[{number}]": kind}, f"asg_instance_types[{number}]", INSTANCE_TYPE, "Use a type such as t3.micro"
        )
    yield from in_order(wanted, "asg_min_size", "asg_desired_capacity", "asg_max_size")
    yield from policies(wanted)
