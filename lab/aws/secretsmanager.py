"""Secrets Manager: a secret without a version named is its AWSCURRENT version, also after the label was moved (moto keeps the old one)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.secretsmanager.models import SecretsManagerBackend

from ._patch import wrap


def install() -> None:
    wrap(SecretsManagerBackend, "update_secret_version_stage")(_move)


def _move(original: Callable[..., Any], backend: Any, secret_id: str, version_stage: str, *args: Any, **kwargs: Any) -> Any:
    answer = original(backend, secret_id, version_stage, *args, **kwargs)
    secret = backend.secrets[secret_id]
    current = [number for number, version in secret.versions.items() if "AWSCURRENT" in version["version_stages"]]
    if current:
        secret.set_default_version_id(current[0])
    return answer
