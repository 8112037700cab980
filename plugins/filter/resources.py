# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter resources_counted: how many resources of each kind, for people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

KEPT = "database_snapshots"  # a last snapshot is kept by choice


def resources_counted(resources: Mapping[str, Collection[str]]) -> str:
    """A line such as `2 subnets, 1 vpcs`; `nothing` when there is none. Database snapshots do not count."""
    counts = [f"{len(names)} {kind.replace('_', ' ')}" for kind, names in sorted(resources.items()) if kind != KEPT]
    return ", ".join(counts) or "nothing"


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"resources_counted": resources_counted}
