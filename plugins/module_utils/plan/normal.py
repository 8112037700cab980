# SPDX-License-Identifier: GPL-3.0-or-later
"""One form for what AWS can say in several: tags, policies, numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ansible.module_utils.parsing.convert_bool import boolean

from .model import Unknown


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """Tags as a dictionary, in whichever of AWS's shapes they come; those that AWS itself sets left out."""
    listed: Any = next((item[word] for word in ("Tags", "TagList", "TagSet", "tags") if item.get(word)), [])
    if isinstance(listed, Mapping):
        pairs = dict(listed)
    else:
        pairs = {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in listed}
    return {str(key): str(value) for key, value in sorted(pairs.items()) if not str(key).startswith("aws:")}


def number(value: Any) -> Any:
    """A whole number, also when it comes as text (`-e name=2`)."""
    return value if isinstance(value, Unknown) else int(value)


def yes(value: Any) -> Any:
    """True or False, also when it comes as text."""
    return value if isinstance(value, Unknown) else boolean(value)


def policy(document: Any) -> Any:
    """A JSON policy by its meaning: a string in a list's place is that list, and the order of statements and actions says nothing.

    IAM User Guide, "Grammar of the IAM JSON policy language".
    """
    if isinstance(document, str):
        document = json.loads(unquote(document) if document.startswith("%") else document)
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, Mapping) else statements
    normal = [{key: _part(value) for key, value in statement.items()} for statement in statements]
    return {**document, "Statement": sorted(normal, key=lambda item: json.dumps(item, sort_keys=True))}


def _part(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _part(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted(map(str, value)) if len(value) != 1 else str(value[0])
    return str(value).lower() if isinstance(value, bool) else str(value)
