"""A wanted stack that is right, and copies of it with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleUndefinedVariable
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).parents[2]
INVENTORIES = ROOT / "inventories"

SHARED = {
    "stack_target": "lab",
    "stack_account_id": "123456789012",
    "stack_compute": "fleet",
    "stack_delivery": "image",
    "stack_bastion": False,
    "stack_load_balancer_tier": "public",
    "stack_fleet_tier": "public",
    "stack_builder_tier": "public",
    "stack_bastion_tier": "public",
    "stack_database_tier": "private",
    "stack_load_balancer_group": "load_balancer",
    "stack_fleet_group": "web",
    "stack_builder_group": "web",
    "stack_database_group": "database",
    "stack_task_tier": "private",
    "stack_task_group": "task",
}


def wanted(stack: str = "uda") -> dict[str, Any]:
    """A reference stack as its inventory writes it, its expressions resolved; those that hang on what stands in AWS are left out."""
    variables: dict[str, Any] = dict(SHARED)
    for path in sorted((INVENTORIES / stack / "group_vars/stack").glob("*.yml")):
        variables |= yaml.safe_load(path.read_text())
    return resolved(variables)


def served() -> dict[str, Any]:
    """The reference stack with HTTPS, rules and access logs, as its whole-stack test sets it."""
    return resolved(wanted() | yaml.safe_load((ROOT / "tests/stacks/https.yml").read_text()))


def resolved(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with their expressions resolved, without those that hang on something else."""
    templar = Templar(DataLoader(), variables=trusted(variables))
    result = {}
    for name, value in trusted(variables).items():
        try:
            result[name] = templar.template(value)
        except AnsibleUndefinedVariable:
            continue
    return result


def trusted(value: Any) -> Any:
    """The same value with its strings marked as templates."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def changed(path: str, value: Any, stack: str = "uda") -> dict[str, Any]:
    """The wanted stack with the value at a dotted path replaced; None takes it away."""
    return replaced(deepcopy(wanted(stack)), path, value)


def replaced(result: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A stack with the value at a dotted path replaced in it; None takes it away."""
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result
