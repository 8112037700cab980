# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole wanted stack against AWS's rules, before the first request. Pure: variables in, problems out."""

from __future__ import annotations

from . import (
    check_certificates,
    check_containers,
    check_database,
    check_endpoints,
    check_fleet,
    check_identity,
    check_listeners,
    check_load_balancer,
    check_machine,
    check_network,
    check_reach,
    check_release,
    check_routes,
    check_security,
    check_stack,
    check_watch,
)
from .problem import Wanted

CHECKS = (
    check_stack,
    check_network,
    check_routes,
    check_security,
    check_endpoints,
    check_reach,
    check_database,
    check_load_balancer,
    check_listeners,
    check_certificates,
    check_fleet,
    check_containers,
    check_machine,
    check_identity,
    check_release,
    check_watch,
)


def validate(wanted: Wanted) -> list[str]:
    """Everything that is wrong with the wanted stack, one line each, all at once.

    `wanted` holds the variables of the inventory over the defaults of the roles, by their own names.
    """
    return [line for family in CHECKS for line in family.check(wanted)]
