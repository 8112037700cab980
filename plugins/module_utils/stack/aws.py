# SPDX-License-Identifier: GPL-3.0-or-later
"""How boto3's clients are asked: all pages, what may be gone meanwhile, and whose the answer is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def pages(client: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    """All pages of a describe call."""
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page.get(key, [])]


def unless_gone(client: Any, ask: Callable[[], Any]) -> Any:
    """The answer, or None when AWS says that there is no such thing: what a list has told can be gone by the next request."""
    try:
        return ask()
    except client.exceptions.ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            return None
        raise


def of_stack(items: list[dict[str, Any]], tags: str, name: str) -> list[dict[str, Any]]:
    """Those that carry the tag Stack with this name."""
    return [item for item in items if {"Key": "Stack", "Value": name} in item.get(tags, [])]
