"""What somebody could change behind a stack's back: for each field of each kind of the plan, one request or two that change it.

Requests about kinds in NAMED take a resource's name, where the plan's id is its ARN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.plan.families import KINDS

from ..account import Account
from . import database, fleet, identity, load_balancer, network, stored, watch
from .words import Mutations

NAMED = ("db_subnet_group", "db_parameter_group", "db_parameter", "db_instance", "scaling_policy", "alarm", "log_group", "dashboard")
MUTATIONS: Mutations = {
    **network.MUTATIONS,
    **identity.MUTATIONS,
    **stored.MUTATIONS,
    **database.MUTATIONS,
    **load_balancer.MUTATIONS,
    **fleet.MUTATIONS,
    **watch.MUTATIONS,
}


Wanted = Mapping[str, Any]  # one entry of a plan's `wanted`
Leave = Callable[[Wanted, str], bool]  # whether a field of it is to be left as it is


def change_every_field(
    account: Account,
    wanted: list[Wanted],
    standing: list[Mapping[str, Any]],
    leave: Leave = lambda _one, _field: False,
) -> set[tuple[str, str, str]]:
    """Change all fields that force no replacement, but for those that are to be left: (kind, key, field) of each that was changed.

    `standing` are the changes of the plan of the stack's end, which tell the ids.
    """
    ids = {(one["kind"], one["key"]): one["id"] for one in standing}
    made = set()
    for one in wanted:
        kind, key = one["kind"], one["key"]
        for field in one["fields"]:
            if field not in KINDS[kind].forces and not leave(one, field):
                MUTATIONS[kind, field](account, key if kind in NAMED else ids[kind, key], one["fields"])
                made.add((kind, key, field))
    return made
