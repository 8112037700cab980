# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter certificate_lacks: which names a certificate does not cover."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def certificate_lacks(names: Iterable[str], covered: Iterable[str]) -> list[str]:
    """Those of the names that none of `covered` stands for: a certificate's own names, a wildcard for one label (RFC 6125)."""
    known = {name.lower() for name in covered}
    return [name for name in names if not {name.lower(), f"*.{name.lower().partition('.')[2]}"} & known]


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"certificate_lacks": certificate_lacks}
