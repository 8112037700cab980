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
        ({"rds_engine_version": "8.0", "rds_subnet_group_name": "Shop"}, []),
        ({"rds_engine_version": "8.4"}, []),
        ({"rds_engine_version": "8.0.4"}, ["rds_engine_version is 8.0.4, the DB instance has 8.0.35"]),
        ({"rds_subnet_group_name": "other"}, ["rds_subnet_group_name is other, the DB instance has shop"]),
        ({"encrypted": True}, ["the DB instance is not encrypted"]),
    ],
)
def test_what_cannot_be_changed_on_a_db_instance_is_told(wanted: dict[str, Any], lines: list[str]) -> None:
    assert load("rds", "rds_replacing")([STANDING], wanted) == lines
    assert load("rds", "rds_replacing")([], wanted) == []


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
        ({"pending_modified_values": {"multi_az": True}}, ["multi_az"], False),
        ({"pending_modified_values": {"multi_az": True}}, [], True),
        ({"pending_modified_values": {"master_user_password": "****"}}, [], False),
    ],
)
def test_a_db_instance_has_settled_when_nothing_awaited_is_under_way(change: dict[str, Any], awaited: list[str], settled: bool) -> None:
    assert load("rds", "rds_settled")([{**STANDING, **change}], awaited) is settled


def test_no_db_instance_has_not_settled() -> None:
    assert load("rds", "rds_settled")([], []) is False
