# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter generated_values: random letters and digits for a new secret."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any


def generated_values(lengths: Mapping[str, int]) -> dict[str, str]:
    """A new random value of the given length for each key."""
    alphabet = string.ascii_letters + string.digits
    return {key: "".join(secrets.choice(alphabet) for _ in range(length)) for key, length in lengths.items()}


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"generated_values": generated_values}
