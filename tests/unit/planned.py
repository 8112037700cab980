"""A family of the plan asked as stack_plan asks it: its details read, brought through JSON, compared with what is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.model import Change, Resource


def told(family: Any, clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What the module hands over: what was found with the family's details, as JSON brings it."""
    whole = dict(found) | {name: call() for name, call in family.details(clients, found, wanted).items()}
    result: dict[str, Any] = json.loads(json.dumps(whole, default=str))
    return result


def planned(family: Any, wanted: Iterable[Resource], found: Iterable[Resource]) -> list[Change]:
    return compare(list(wanted), list(found), {kind.name: kind for kind in family.KINDS})


def brief(changes: Iterable[Change]) -> list[tuple[str, str, str, list[str]]]:
    """(action, kind, key, fields) of each change."""
    return [(one.action, one.resource.kind, one.resource.key, [item.field for item in one.differences]) for one in changes]
