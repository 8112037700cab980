"""The filters that belong to no role: generated values, and resources counted for people."""

from __future__ import annotations

from .filters import load


def test_generated_values_are_new_each_time_and_have_their_length() -> None:
    generated = load("generated_values", "generated_values")
    first, second = generated({"password": 32}), generated({"password": 32})
    assert len(first["password"]) == 32
    assert first["password"].isalnum()
    assert first != second


def test_resources_are_counted_for_people() -> None:
    counted = load("resources", "resources_counted")
    assert counted({"subnets": ["a", "b"], "vpcs": ["c"], "database_snapshots": ["kept"]}) == "2 subnets, 1 vpcs"
    assert counted({"database_snapshots": ["kept"]}) == "nothing"
