"""What policies say of one request: allowed, denied, or nothing. Pure: documents and a request in, a verdict out.

The rules are those of the IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .conditions import Context, PolicyError, like, listed, met

Document = Mapping[str, Any]
KNOWN = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal",
}  # fmt: skip


class Effect(Enum):
    """What all statements together say; SILENT is AWS's implicit deny."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Ask:
    """One permission that a request needs: `ec2:RunInstances` on an ARN or `*`, with the condition keys of this very permission."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


def decide(documents: Iterable[Document], ask: Ask, context: Context, principals: Collection[str] | None = None) -> Effect:
    """The verdict of some policies; an explicit deny beats every allow.

    `principals` are the names by which a resource-based policy may call the caller (its ARN, its role's, its account, a service);
    None for policies that hang on the caller itself. Raises PolicyError for an element that is not known here.
    """
    merged = {**context, **ask.context}
    effects = {
        statement["Effect"]
        for document in documents
        for statement in listed(document.get("Statement", []))
        if _applies(statement, ask, merged, principals)
    }
    if "Deny" in effects:
        return Effect.DENY
    return Effect.ALLOW if "Allow" in effects else Effect.SILENT


def _applies(statement: Mapping[str, Any], ask: Ask, context: Context, principals: Collection[str] | None) -> bool:
    unknown = set(statement) - KNOWN
    if unknown:
        raise PolicyError(f"the policy element {', '.join(sorted(unknown))} is not evaluated here")
    return (
        _action(statement, ask.action)
        and _resource(statement, ask.resource, context)
        and (principals is None or _principal(statement.get("Principal"), principals))
        and met(_substituted_conditions(statement.get("Condition", {}), context), context)
    )


def _action(statement: Mapping[str, Any], action: str) -> bool:
    """Actions are compared without regard to case."""
    if "NotAction" in statement:
        return not any(like(pattern.lower(), action.lower()) for pattern in listed(statement["NotAction"]))
    return any(like(pattern.lower(), action.lower()) for pattern in listed(statement.get("Action", [])))


def _resource(statement: Mapping[str, Any], resource: str, context: Context) -> bool:
    """A trust policy has no Resource: it is about the role that it hangs on."""
    if "NotResource" in statement:
        return not any(like(_substituted(pattern, context), resource) for pattern in listed(statement["NotResource"]))
    return any(like(_substituted(pattern, context), resource) for pattern in listed(statement.get("Resource", "*")))


def _principal(element: Any, principals: Collection[str]) -> bool:
    if element == "*":
        return True
    if not isinstance(element, Mapping):
        return False
    named = [str(name) for kind in ("AWS", "Service") for name in listed(element.get(kind, []))]
    return any(name == "*" or name in principals for name in named)


def _substituted(pattern: str, context: Context) -> str:
    """Policy variables such as `${aws:username}`; one that the request does not have stays as it is and fits nothing."""
    return re.sub(r"\$\{([^}]+)\}", lambda found: context.get(found[1].lower(), found[0]), pattern)


def _substituted_conditions(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> dict[str, dict[str, list[Any]]]:
    return {
        operator: {
            key: [_substituted(value, context) if isinstance(value, str) else value for value in listed(values)]
            for key, values in keys.items()
        }
        for operator, keys in conditions.items()
    }
