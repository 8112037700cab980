# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: RDS's rules for names, users and sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .problem import Wanted, listing, names, problem, within

RESERVED = {
    "postgres": {"admin", "rdsadmin", "rdsrepladmin", "public", "user", "all"},
    "mysql": {"rdsadmin", "rdsrepladmin"},
    "mariadb": {"rdsadmin", "rdsrepladmin"},
}
FAMILIES = {"postgres": "postgres16", "mysql": "mysql8.0", "mariadb": "mariadb10.11"}
GIVEN_BACK = ("backup_retention_period", "deletion_protection", "instance_class", "multi_az")
VERSION = r"\d+(\.\d+){0,2}(-rds\.\d{8}(\.R\d+)?)?"  # RDS User Guide, "DB engine versions"; the end is Extended Support's
STORAGE = {  # GiB, for each of these engines (RDS API Reference, CreateDBInstance, AllocatedStorage)
    "standard": (5, 3072),
    "gp2": (20, 65536),
    "gp3": (20, 65536),
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
    yield from storage(wanted)
    yield from within(wanted, "rds_backup_retention_period", 0, 35, " days")
    yield from parameter_group(wanted)
    yield from former(wanted)
    engine, user = wanted.get("rds_engine"), wanted.get("rds_username")
    version = wanted.get("rds_engine_version")
    if version is not None and not re.fullmatch(VERSION, str(version)):
        yield problem("rds_engine_version", version, "no version", "Use a major or a whole one in quotes, such as '15' or '15.12'")
    if user in RESERVED.get(str(engine), set()):
        yield problem("rds_username", user, f"reserved by {engine} on RDS", "Choose another name")


def storage(wanted: Wanted) -> Iterator[str]:
    """Each kind of storage has its sizes. Of a borrowed instance the kind may be unknown: then only AWS can tell."""
    kind = wanted.get("rds_storage_type") or (None if wanted.get("rds_borrowed") else "gp2")
    if kind in STORAGE:
        least, most = STORAGE[kind]
        yield from within(wanted, "rds_allocated_storage", least, most, f" GiB of {kind}")


def former(wanted: Wanted) -> Iterator[str]:
    """What is given back is a borrowed instance's, and can be given back: storage never shrinks."""
    given = wanted.get("rds_former") or {}
    if given and not wanted.get("rds_borrowed"):
        yield problem("rds_former", given, "the stack makes a DB instance of its own", "Take it away, or set rds_borrowed: true")
    for key in sorted(set(given) - set(GIVEN_BACK)):
        yield problem(f"rds_former.{key}", given[key], "cannot be given back", f"Choose from {listing(GIVEN_BACK)}")


def parameter_group(wanted: Wanted) -> Iterator[str]:
    """A group of its own has a family, which fits the engine; parameters need a group."""
    name, family, engine = (wanted.get(f"rds_{key}") for key in ("parameter_group_name", "parameter_group_family", "engine"))
    yield from names(
        {"rds_parameter_group_name": name or None}, "rds_parameter_group_name", r"(?!.*--)(?!default\.)[a-z][a-z0-9-]{0,254}(?<!-)",
        "Use 1 to 255 lower-case letters, digits and hyphens, a letter first, no two hyphens together or one at the end",
    )  # fmt: skip
    if name and not re.fullmatch(rf"{re.escape(str(engine))}\d+(\.\d+)?", str(family or "")):
        yield problem("rds_parameter_group_family", family, f"no family of {engine}", f"Use a name such as {FAMILIES.get(str(engine))}")
    for variable in ("rds_parameters", "rds_static_parameters"):
        if wanted.get(variable) and not name:
            yield problem(variable, wanted[variable], "there is no group to set them in", "Set rds_parameter_group_name")
