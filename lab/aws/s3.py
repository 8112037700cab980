"""Bucket policies: moto reads their statements without the conditions, and so denies everything where plain HTTP alone is denied.

The lab's API on loopback stands for AWS's, which is spoken to over HTTPS.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.s3.models import FakeBucket

from ._patch import wrap


def install() -> None:
    wrap(FakeBucket, "get_permission")(_get_permission)


def _get_permission(original: Callable[..., Any], bucket: Any, action: str, resource: str) -> Any:
    whole = bucket.policy
    if whole is None:
        return original(bucket, action, resource)
    document = json.loads(whole)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    rest = json.dumps(document | {"Statement": [statement for statement in statements if not _plain_http(statement)]}).encode()
    return original(SimpleNamespace(policy=rest), action, resource)  # the bucket keeps its own: other threads read and set it meanwhile


def _plain_http(statement: dict[str, Any]) -> bool:
    return str(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport", "")).lower() == "false"
