# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of a stack, wanted or found, with what its resources refer to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..plan.model import Resource, later
from .marks import Marks

FOREIGN = "foreign"  # the tier of a subnet that is not the stack's


@dataclass(frozen=True)
class Sight:
    """What the picture is drawn from.

    `resources` are the plan's of one side. `facts` are stack_info's (for what is wanted, completed by plan.facts), `inventory` the stack's
    variables, `raw` what AWS told by kind, `live` what diagram.live told; the last two are empty for what is wanted.
    """

    side: str
    resources: list[Resource]
    facts: Mapping[str, Any]
    inventory: Mapping[str, Any]
    marks: Marks
    raw: Mapping[str, Any]
    live: Mapping[str, Any]

    def all(self, kind: str) -> Iterator[Resource]:
        return (item for item in self.resources if item.kind == kind)

    @cached_property
    def subnet_keys(self) -> dict[str, str]:
        """Id of a subnet, or promise of one -> its key."""
        return self._keys("subnet", {key: entry.get("id") for key, entry in (self.facts.get("subnets") or {}).items()})

    @cached_property
    def group_keys(self) -> dict[str, str]:
        """Id of a security group, or promise of one -> its key."""
        return self._keys("security_group", self.facts.get("security_group_ids") or {})

    def _keys(self, kind: str, ids: Mapping[str, Any]) -> dict[str, str]:
        return {
            **{later(kind, key): key for key in ids},
            **{str(id_): key for key, id_ in ids.items() if id_},
            **{item.id: item.key for item in self.all(kind) if item.id},
        }

    @cached_property
    def group_names(self) -> dict[str, str]:
        """Names of the security groups by key."""
        entries = self.inventory.get("security_groups_map") or {}
        return {key: entry["name"] for key, entry in entries.items() if entry.get("name")} | {
            item.key: item.title for item in self.all("security_group")
        }

    def subnets_of(self, ids: Any) -> tuple[str, ...]:
        """Keys of subnets by a resource's ids; what only a run can tell is none."""
        return tuple(self.subnet_keys[one] for one in listed(ids) if one in self.subnet_keys)

    def groups_of(self, ids: Any) -> tuple[str, ...]:
        """Keys of security groups by a resource's ids; one that is not the stack's goes by its id."""
        return tuple(self.group_keys.get(one, one) for one in listed(ids))

    def tier(self, name: str) -> tuple[str, ...]:
        """Keys of the stack's subnets of a tier."""
        return tuple(key for key, entry in (self.facts.get("subnets") or {}).items() if entry.get("tier") == name and entry.get("id"))

    def names_of(self, item: Resource) -> set[str]:
        """How others refer to a resource: by its id or, when it does not stand yet, by the promise of one."""
        facts = self.facts
        told = {
            "internet_gateway": facts.get("igw_id"),
            "nat_gateway": ((facts.get("nat_gateways") or {}).get(item.key) or {}).get("id"),
            "route_table": (facts.get("route_table_ids") or {}).get(item.key),
            "launch_template": (facts.get("launch_template") or {}).get("id"),
        }
        return {str(name) for name in (item.id, later(item.kind, item.key), told.get(item.kind) if not item.foreign else "") if name}

    def machines(self) -> dict[str, Mapping[str, Any]]:
        """Instances as AWS words them, by id."""
        told: Iterable[Mapping[str, Any]] = [*self.raw.get("instances", []), *self.raw.get("vpc_instances", [])]
        return {one["InstanceId"]: one for one in told}


def listed(ids: Any) -> list[str]:
    """Ids as a list: one alone is a list of one, what is not known is none."""
    if isinstance(ids, str):
        return [ids]
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []
