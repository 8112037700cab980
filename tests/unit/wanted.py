"""A wanted stack that is right, and copies of it with one thing changed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "inventories/uda/group_vars/stack"

SHARED = {
    "stack_target": "lab",
    "stack_account_id": "123456789012",
    "stack_compute": "fleet",
    "stack_delivery": "image",
    "stack_load_balancer_tier": "public",
    "stack_fleet_tier": "public",
    "stack_builder_tier": "public",
    "stack_database_tier": "private",
    "stack_load_balancer_group": "load_balancer",
    "stack_fleet_group": "web",
    "stack_builder_group": "web",
    "stack_database_group": "database",
}


def wanted() -> dict[str, Any]:
    """The stack `uda` as its inventory writes it, expressions resolved."""
    result: dict[str, Any] = dict(SHARED)
    for path in sorted(INVENTORY.glob("*.yml")):
        result |= yaml.safe_load(path.read_text())
    resolved: dict[str, Any] = _resolve(result, result["stack_operator_cidrs"])
    return resolved


def _resolve(value: Any, operator: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, operator) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, operator) for item in value]
    return operator if value == "{{ stack_operator_cidrs }}" else value


def changed(path: str, value: Any) -> dict[str, Any]:
    """The wanted stack with the value at a dotted path replaced; None takes it away."""
    result = deepcopy(wanted())
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result
