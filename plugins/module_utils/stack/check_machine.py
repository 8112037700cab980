# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system of the machines, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator

from ansible.module_utils.parsing.convert_bool import boolean

from .problem import Wanted, listing, problem

SYSTEMS = ("debian12", "debian13", "ubuntu2204", "ubuntu2404", "al2023")
LAB_SYSTEMS = ("debian12",)  # what the lab has an image of
WITH_APT = ("debian12", "debian13", "ubuntu2204", "ubuntu2404")  # what roles and scripts that call apt can do with
WITH_PYTHON_311 = ("debian12", "debian13", "ubuntu2404")  # a plain machine runs ansible-core 2.19 with its own Python, and gets that by apt
ABLE: dict[str, dict[object, tuple[str, ...]]] = {  # whoever is not named here goes with every system
    "stack_delivery": {"pull": WITH_APT, "plain": WITH_PYTHON_311},
    "stack_app.runtime": {"node": WITH_APT},
}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the operating system."""
    system = wanted.get("stack_os", "debian12")
    if system not in SYSTEMS:
        yield problem("stack_os", system, "unknown", f"Choose one of {listing(SYSTEMS)}")
    elif wanted.get("stack_target") == "lab" and system not in LAB_SYSTEMS:
        yield problem("stack_os", system, "the lab has no image of it", f"Choose {listing(LAB_SYSTEMS)}, or stack_target: aws")
    else:
        for reason, able in demands(wanted):
            if system not in able:
                yield problem("stack_os", system, f"not made for {reason}", f"Choose one of {listing(able)}")


def demands(wanted: Wanted) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What else the stack wants of its machines, and the systems that are able to."""
    if wanted.get("stack_compute", "fleet") == "fleet":
        delivery, runtime = wanted.get("stack_delivery", "image"), (wanted.get("stack_app") or {}).get("runtime")
        for variable, value in (("stack_delivery", delivery), ("stack_app.runtime", runtime)):
            yield f"{variable} {value}", ABLE[variable].get(value, SYSTEMS)
        if boolean(wanted.get("cloudwatch_agent_enabled") or False, strict=False):
            yield "cloudwatch_agent_enabled", WITH_APT
    if boolean(wanted.get("stack_bastion") or False, strict=False):
        yield "stack_bastion", WITH_APT
