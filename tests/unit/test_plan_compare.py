"""The plan's comparison on plain values."""

from __future__ import annotations

import operator
from typing import Any

import pytest
from ansible.module_utils.plan.compare import DuplicateError, MissingError, compare, shown
from ansible.module_utils.plan.model import Change, Difference, Kind, Resource, Secret, Unknown, Version, later

KINDS = {
    kind.name: kind
    for kind in (
        Kind("net", "network", frozenset({"cidr"}), {"speed": "restart"}),
        Kind("rule", "security", pruned=True, opens=True),
        Kind("disk", "database", reached={"size": operator.ge}, replaced="all is lost"),
    )
}


def planned(wanted: list[Resource], found: list[Resource]) -> list[Change]:
    return compare(wanted, found, KINDS)


def test_what_is_wanted_and_not_found_is_created_with_all_its_fields() -> None:
    (change,) = planned([Resource("net", "a", {"cidr": "10.0.0.0/16", "note": None})], [])
    assert (change.action, [item.field for item in change.differences]) == ("create", ["cidr"])


def test_what_is_equal_is_no_change_and_fields_that_are_not_wanted_are_not_compared() -> None:
    assert planned([Resource("net", "a", {"speed": 1})], [Resource("net", "a", {"speed": 1, "desired": 7}, id="n-1")]) == []


def test_a_field_that_differs_is_an_update_and_says_what_it_does_to_the_service() -> None:
    (change,) = planned([Resource("net", "a", {"speed": 2})], [Resource("net", "a", {"speed": 1}, id="n-1")])
    assert (change.action, change.effect, change.resource.id) == ("update", "restart", "n-1")
    assert [(item.field, item.old, item.new) for item in change.differences] == [("speed", 1, 2)]


def test_a_field_that_aws_cannot_change_replaces_the_resource_and_names_what_refers_to_it() -> None:
    wanted = [Resource("net", "a", {"cidr": "10.1.0.0/16"}), Resource("rule", "r", {"to": ["n-1"]})]
    found = [Resource("net", "a", {"cidr": "10.0.0.0/16"}, id="n-1"), Resource("rule", "r", {"to": ["n-1"]}, id="r-1")]
    (change,) = planned(wanted, found)
    assert (change.action, change.differences[0].forces, change.follows) == ("replace", True, ("rule r",))


def test_what_the_inventory_no_longer_has_is_deleted_where_the_layer_takes_it_away_and_told_where_it_does_not() -> None:
    changes = planned([], [Resource("net", "a", {}, id="n-1"), Resource("rule", "r", {}, id="r-1")])
    assert [(change.action, change.resource.key) for change in changes] == [("foreign", "a"), ("delete", "r")]


def test_somebody_elses_is_foreign_and_says_when_it_opens_something() -> None:
    (change,) = planned([], [Resource("rule", "r-9", {"port": 22}, id="r-9", foreign=True)])
    assert (change.action, "opens" in change.effect) == ("foreign", True)


def test_what_waits_for_its_window_is_pending_and_no_update() -> None:
    found = [Resource("net", "a", {"speed": 1}, id="n-1", pending={"speed": 2})]
    (change,) = planned([Resource("net", "a", {"speed": 2}, window=frozenset({"speed"}))], found)
    assert (change.action, change.effect) == ("pending", "in the maintenance window")
    (change,) = planned([Resource("net", "a", {"speed": 2})], found)  # the run leaves nothing to the window
    assert (change.action, change.effect) == ("update", "restart")
    (change,) = planned([Resource("net", "a", {"speed": 3}, window=frozenset({"speed"}))], found)
    assert (change.action, change.effect) == ("update", "restart, in the maintenance window")


def test_what_waits_and_is_not_wanted_is_taken_back() -> None:
    (change,) = planned([Resource("net", "a", {"speed": 1})], [Resource("net", "a", {"speed": 1}, id="n-1", pending={"speed": 2})])
    assert (change.action, change.differences) == ("update", (Difference("speed", 2, 1),))


def test_what_aws_changes_in_one_direction_alone_is_replaced_by_what_lies_in_the_other() -> None:
    found = [Resource("disk", "d", {"size": 10}, id="d-1")]

    def actions(size: Any) -> list[tuple[str, str]]:
        return [(change.action, change.effect) for change in planned([Resource("disk", "d", {"size": size})], found)]

    assert actions(10) == actions(Unknown("a later step")) == []
    assert actions(5) == [("replace", "all is lost")]
    assert actions(20) == [("update", "")]


def test_a_version_is_met_by_what_it_is_the_beginning_of_and_by_what_aws_has_moved_on_to() -> None:
    found = [Resource("disk", "d", {"version": "15.12"})]

    def actions(version: Version) -> list[str]:
        return [change.action for change in planned([Resource("disk", "d", {"version": version})], found)]

    assert actions(Version("15")) == actions(Version("15.12")) == actions(Version("15.1")) == []
    assert actions(Version("15.13")) == actions(Version("15.1", majors=2)) == actions(Version("16")) == ["update"]


def test_what_is_borrowed_must_stand_is_never_taken_away_and_never_replaced() -> None:
    wanted = [Resource("net", "a", {"cidr": "10.1.0.0/16"}, borrowed=True)]
    with pytest.raises(MissingError, match="There is no net a to borrow"):
        planned(wanted, [])
    found = [Resource("net", "a", {"cidr": "10.0.0.0/16"}, id="n-1", borrowed=True)]
    assert [(change.action, change.effect) for change in planned(wanted, found)] == [("replace", "a run refuses it, since it is borrowed")]
    assert planned([], found) == []


def test_what_is_found_by_its_name_alone_counts_where_that_name_is_wanted() -> None:
    found = [Resource("net", key, {"speed": 1}, id=key, by_name=True) for key in ("a", "b")]
    assert [(change.action, change.resource.key) for change in planned([Resource("net", "a", {"speed": 2})], found)] == [("update", "a")]


def test_changes_come_in_the_order_in_which_a_run_makes_them() -> None:
    changes = planned([Resource("rule", "r", {}), Resource("net", "b", {}), Resource("net", "a", {})], [])
    assert [change.resource.key for change in changes] == ["a", "b", "r"]


def test_a_value_that_is_known_after_the_run_is_met_by_whatever_stands() -> None:
    wanted = [Resource("net", "a", {"speed": Unknown("the image")})]
    assert planned(wanted, [Resource("net", "a", {"speed": 1}, id="n-1")]) == []
    assert shown(planned(wanted, [])[0].differences[0].new) == "(known after apply: the image)"
    assert shown({"to": [later("net", "a"), "x"]}) == {"to": ["(known after apply: id of net a)", "x"]}


def test_secrets_differ_without_being_shown() -> None:
    (change,) = planned([Resource("net", "a", {"key": Secret("1")})], [Resource("net", "a", {"key": Secret("2")}, id="n-1")])
    assert (shown(change.differences[0].old), shown(change.differences[0].new)) == ("(secret)", "(secret)")


def test_two_resources_in_one_place_are_refused() -> None:
    with pytest.raises(DuplicateError, match="two resources of kind net are called a: n-1, n-2"):
        planned([], [Resource("net", "a", {}, id="n-1"), Resource("net", "a", {}, id="n-2")])


def test_a_strangers_in_a_wanted_place_is_compared_for_a_run_takes_it_up() -> None:
    (change,) = planned([Resource("rule", "r", {"port": 80})], [Resource("rule", "r", {"port": 22}, id="r-9", foreign=True)])
    assert (change.action, [item.field for item in change.differences]) == ("update", ["port"])
