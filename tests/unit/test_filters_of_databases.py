"""The filters of DB instances, on values."""

from __future__ import annotations

from typing import Any

import pytest

from .filters import load

STANDING = {
    "engine": "mysql", "db_name": "shop", "master_username": "admin", "allocated_storage": 10, "db_instance_status": "available",
    "db_instance_class": "db.t3.micro", "pending_modified_values": {}, "db_parameter_groups": [], "engine_version": "8.0.35",
    "db_subnet_group": {"db_subnet_group_name": "shop"}, "storage_encrypted": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ({"rds_engine": "mysql", "rds_database": "shop", "rds_username": "admin", "rds_allocated_storage": 20}, []),
        ({}, []),
        ({"rds_engine": "postgres"}, ["rds_engine is postgres, the DB instance has mysql"]),
        ({"rds_allocated_storage": 5}, ["rds_allocated_storage is 5, the DB instance has 10 GiB"]),
        ({"rds_allocated_storage": 10}, []),
        ({"rds_allocated_storage": 11}, []),
        ({"rds_engine_version": "8.0", "rds_subnet_group_name": "Shop"}, []),
        ({"rds_engine_version": "8.4"}, []),
        ({"rds_engine_version": "8.0.4"}, []),
        ({"rds_engine_version": "5.7"}, ["rds_engine_version is 5.7, the DB instance has 8.0.35"]),
        ({"rds_subnet_group_name": "other"}, ["rds_subnet_group_name is other, the DB instance has shop"]),
        ({"encrypted": True}, ["the DB instance is not encrypted"]),
    ],
)
def test_what_cannot_be_changed_on_a_db_instance_is_told(wanted: dict[str, Any], lines: list[str]) -> None:
    assert load("rds", "rds_replacing")([STANDING], wanted) == lines
    assert load("rds", "rds_replacing")([], wanted) == []


def test_storage_that_would_grow_by_less_than_a_tenth_is_told_with_what_it_grows_to() -> None:
    lines = load("rds", "rds_replacing")([{**STANDING, "allocated_storage": 101}], {"rds_allocated_storage": 105})
    assert lines == ["rds_allocated_storage is 105, the DB instance has 101 GiB, and grows to 112 at least"]


@pytest.mark.parametrize(
    ("engine", "wanted", "standing", "met"),
    [
        ("postgres", "15", "15.12", True),
        ("postgres", "15.12", "15.13", True),  # AWS has moved on by itself
        ("postgres", "15.13", "15.12", False),
        ("postgres", "15.12", "16.1", False),
        ("mysql", "8.0", "8.4.3", False),
        ("mysql", "8.0.35", "8.0.43", True),
        ("mariadb", "10.6", "10.11.2", False),
        ("postgres", "1", "15.12", False),
    ],
)
def test_a_version_is_met_within_its_major_one(engine: str, wanted: str, standing: str, met: bool) -> None:
    assert load("rds", "rds_version_met")(standing, wanted, engine) is met


def test_what_waits_on_a_db_instance_is_told_and_a_password_never() -> None:
    pending = {"db_instance_class": "db.t3.small", "master_user_password": "****"}
    groups = [{"db_parameter_group_name": "own", "parameter_apply_status": "pending-reboot"}]
    assert load("rds", "rds_pending")({**STANDING, "pending_modified_values": pending, "db_parameter_groups": groups}) == [
        "db_instance_class: db.t3.micro -> db.t3.small",
        "a new password",
        "parameters of own: they wait for a reboot",
    ]


@pytest.mark.parametrize(
    ("change", "awaited", "settled"),
    [
        ({}, ["multi_az"], True),
        ({"db_instance_status": "modifying"}, [], False),
        ({"db_instance_status": "storage-optimization"}, [], True),  # for hours after storage has grown, and at work meanwhile
        ({"pending_modified_values": {"multi_az": True}}, ["multi_az"], False),
        ({"pending_modified_values": {"multi_az": True}}, [], True),
        ({"pending_modified_values": {"master_user_password": "****"}}, [], False),
    ],
)
def test_a_db_instance_has_settled_when_nothing_awaited_is_under_way(change: dict[str, Any], awaited: list[str], settled: bool) -> None:
    assert load("rds", "rds_settled")([{**STANDING, **change}], awaited) is settled


def test_no_db_instance_has_not_settled() -> None:
    assert load("rds", "rds_settled")([], []) is False
