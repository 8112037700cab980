# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole wanted stack against AWS's rules, before the first request. Pure: variables in, problems out."""

from __future__ import annotations

from . import check_database, check_fleet, check_load_balancer, check_network, check_security, check_stack
from .problem import Wanted

CHECKS = (check_stack, check_network, check_security, check_database, check_load_balancer, check_fleet)


def validate(wanted: Wanted) -> list[str]:
    """Everything that is wrong with the wanted stack, one line each, all at once.

    `wanted` holds the variables of the inventory over the defaults of the roles, by their own names.
    """
    return [line for family in CHECKS for line in family.check(wanted)]
