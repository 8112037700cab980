# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS can make of a standing DB instance: which versions meet a wanted one, and what it can grow to. Pure."""

from __future__ import annotations

import re

MAJORS = {"postgres": 1, "mysql": 2, "mariadb": 2}  # numbers that make a major version: 15, but 8.0 (RDS User Guide, "DB engine versions")
AT_REST = ("available", "storage-optimization")  # it can be used and changed (RDS User Guide, "Viewing Amazon RDS DB instance status")


def numbers(version: str) -> list[int]:
    """`15.12` -> [15, 12]"""
    return [int(part) for part in re.findall(r"\d+", version)]


def version_met(wanted: str, standing: str, majors: int) -> bool:
    """Whether a version is the wanted one: 15 is met by 15.12; 15.12 also by 15.13, to which RDS moves on by itself.

    RDS User Guide, "Automatically upgrading the minor engine version". `majors`: see MAJORS.
    """
    want, have = numbers(wanted), numbers(standing)
    return begins(wanted, standing) or (want[:majors] == have[:majors] and want < have)


def begins(wanted: str, version: str) -> bool:
    """Whether a version is one of the wanted: 15.12 of 15, and not 15.12 of 15.1."""
    return f"{version}.".startswith(f"{wanted}.")


def version_reached(wanted: str, standing: str) -> bool:
    """Whether an upgrade leads there; none leads back (RDS API Reference, ModifyDBInstance, EngineVersion)."""
    return numbers(wanted) >= numbers(standing)


def storage_reached(wanted: int, standing: int) -> bool:
    """Whether storage, in GiB, can become so much: it grows by a tenth at least (RDS API Reference, ModifyDBInstance, AllocatedStorage)."""
    return wanted == standing or wanted * 10 >= standing * 11
