# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter alb_listeners: from the inventory's listeners to those of amazon.aws.elb_application_lb."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def alb_listeners(listeners: Iterable[Mapping[str, Any]], groups: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Listeners in the module's words; `target_group` is a key of `groups` and becomes that group's name."""
    return [
        {
            "Protocol": listener.get("protocol", "HTTP"),
            "Port": listener["port"],
            "DefaultActions": [{"Type": "forward", "TargetGroupName": groups[listener["target_group"]]["name"]}],
        }
        for listener in listeners
    ]


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"alb_listeners": alb_listeners}
