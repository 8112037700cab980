# SPDX-License-Identifier: GPL-3.0-or-later
"""The rotation of a secret in steps that can be repeated: a new version waits as AWSPENDING until it is promoted to AWSCURRENT.

The steps and their labels are those of AWS (Secrets Manager User Guide, "Rotation function templates").
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any, NamedTuple

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
ALPHABET = string.ascii_letters + string.digits


class RotationError(Exception):
    """What was found, what was expected, what to do."""


class Versions(NamedTuple):
    """Version ids by their labels; None where no version has the label. An AWSPENDING that is current already is none."""

    current: str | None
    pending: str | None


def versions(stages: Mapping[str, list[str]]) -> Versions:
    """From DescribeSecret's VersionIdsToStages."""
    by_label = {label: version for version, labels in stages.items() for label in labels}
    current, pending = by_label.get(CURRENT), by_label.get(PENDING)
    return Versions(current, pending if pending != current else None)


def renewed(text: str, lengths: Mapping[str, int]) -> str:
    """The secret's JSON with a new random value of letters and digits for each key. Raises RotationError when it is no JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RotationError('the secret is not a JSON object; expected one such as {"password": ...}')
    return json.dumps(value | {key: "".join(secrets.choice(ALPHABET) for _ in range(length)) for key, length in lengths.items()})


def prepare(client: Any, name: str, lengths: Mapping[str, int]) -> bool:
    """See that a version waits as AWSPENDING. One that an interrupted rotation left is taken up. True when one was made."""
    found = versions(client.describe_secret(SecretId=name)["VersionIdsToStages"])
    if found.pending:
        return False
    text = client.get_secret_value(SecretId=name, VersionStage=CURRENT)["SecretString"]
    client.put_secret_value(SecretId=name, SecretString=renewed(text, lengths), VersionStages=[PENDING])
    return True


def pending_value(client: Any, name: str) -> str:
    """The text of the version that waits."""
    return str(client.get_secret_value(SecretId=name, VersionStage=PENDING)["SecretString"])


def promote(client: Any, name: str) -> bool:
    """Make the version that waits the current one. True when one waited."""
    found = versions(client.describe_secret(SecretId=name)["VersionIdsToStages"])
    if not found.pending:
        return False
    client.update_secret_version_stage(
        SecretId=name, VersionStage=CURRENT, MoveToVersionId=found.pending, RemoveFromVersionId=found.current
    )
    client.update_secret_version_stage(SecretId=name, VersionStage=PENDING, RemoveFromVersionId=found.pending)
    return True
