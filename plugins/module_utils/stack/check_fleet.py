# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines: image, launch template and Auto Scaling group."""

from __future__ import annotations

from collections.abc import Iterator

from .problem import Wanted, names, problem, within

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
    yield from sizes(wanted)


def sizes(wanted: Wanted) -> Iterator[str]:
    """The sizes must stand in the order min, desired, max."""
    low, desired, high = (wanted.get(f"asg_{size}") for size in ("min_size", "desired_capacity", "max_size"))
    if low is None or high is None:
        return
    if low < 0:
        yield problem("asg_min_size", low, "below zero", "Choose 0 or more")
    if low > high:
        yield problem("asg_min_size", low, f"above asg_max_size {high}", "Lower it or raise asg_max_size")
    elif desired is not None and not low <= desired <= high:
        yield problem("asg_desired_capacity", desired, f"not between asg_min_size {low} and asg_max_size {high}", "Choose one between them")
