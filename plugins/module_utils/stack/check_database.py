# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: RDS's rules for names, users and sizes."""

from __future__ import annotations

from collections.abc import Iterator

from .problem import Wanted, names, problem, within

RESERVED = {
    "postgres": {"admin", "rdsadmin", "rdsrepladmin", "public", "user", "all"},
    "mysql": {"rdsadmin", "rdsrepladmin"},
    "mariadb": {"rdsadmin", "rdsrepladmin"},
}


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the database."""
    yield from names(
        wanted, "rds_identifier", r"(?!.*--)[a-z][a-z0-9-]{0,62}(?<!-)",
        "Use 1 to 63 lower-case letters, digits and hyphens, a letter first, no two hyphens together or one at the end",
    )  # fmt: skip
    yield from names(wanted, "rds_database", r"[A-Za-z][A-Za-z0-9_]{0,62}", "Use 1 to 63 letters, digits and underscores, a letter first")
    yield from names(wanted, "rds_username", r"[A-Za-z][A-Za-z0-9_]{0,15}", "Use 1 to 16 letters, digits and underscores, a letter first")
    yield from names(wanted, "rds_instance_class", r"db\.[a-z0-9]+\.[a-z0-9]+", "Use a class such as db.t4g.micro")
    yield from within(wanted, "rds_port", 1150, 65535)
    yield from within(wanted, "rds_allocated_storage", 20, 65536, " GiB")
    yield from within(wanted, "rds_backup_retention_period", 0, 35, " days")
    engine, user = wanted.get("rds_engine"), wanted.get("rds_username")
    if user in RESERVED.get(str(engine), set()):
        yield problem("rds_username", user, f"reserved by {engine} on RDS", "Choose another name")
