"""What scaling policies ask for, on values."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.policies import Breach, Capacity, Decision, Simple, Step, Stepped, Tracking, adjusted, decide

NOW = 1000.0
HIGH = Breach(99.0, 50.0)
LOW = Breach(10.0, 45.0, "in")


def capacity(desired: int, ready: int | None = None, **more: object) -> Capacity:
    bounds: dict[str, Any] = {"minimum": 1, "maximum": 8}
    return Capacity(desired=desired, ready=desired if ready is None else ready, **(bounds | more))


def test_target_tracking_grows_by_as_much_as_the_target_asks() -> None:
    assert decide(Tracking(50.0), HIGH, capacity(2), NOW) == Decision(4)
    assert decide(Tracking(50.0), Breach(51.0, 50.0), capacity(2), NOW) == Decision(3)


def test_target_tracking_does_not_count_the_same_load_twice_while_what_it_launched_warms_up() -> None:
    assert decide(Tracking(50.0), HIGH, capacity(4, ready=2), NOW).desired == 4


def test_target_tracking_shrinks_one_at_a_time_and_only_below_the_target() -> None:
    assert decide(Tracking(50.0), LOW, capacity(4), NOW) == Decision(3)
    assert decide(Tracking(50.0), Breach(44.0, 45.0, "in"), capacity(4), NOW) == Decision(4, "the rest would be above the target")


def test_target_tracking_does_not_shrink_while_something_warms_up_or_leaves_or_when_it_may_not() -> None:
    assert decide(Tracking(50.0), LOW, capacity(4, ready=3), NOW).desired == 4
    assert decide(Tracking(50.0), LOW, capacity(4, busy=True), NOW).desired == 4
    assert decide(Tracking(50.0, scale_in=False), LOW, capacity(4), NOW) == Decision(4, "scaling in is disabled")


def test_a_services_cooldowns_are_its_policys_own() -> None:
    policy, before = Tracking(50.0, out_cooldown=60.0, in_cooldown=300.0), capacity(2, changed=NOW - 100.0)
    assert decide(policy, HIGH, before, NOW).desired == 4
    assert decide(policy, LOW, before, NOW) == Decision(2, "the cooldown lasts 200 s more")


def test_simple_scaling_rests_after_each_activity() -> None:
    policy = Simple(1, cooldown=300.0)
    assert decide(policy, HIGH, capacity(2), NOW) == Decision(3)
    assert decide(policy, HIGH, capacity(2, busy=True), NOW) == Decision(2, "a scaling activity is in progress")
    assert decide(policy, HIGH, capacity(3, changed=NOW - 100.0), NOW) == Decision(3, "the cooldown lasts 200 s more")
    assert decide(policy, HIGH, capacity(3, changed=NOW - 300.0), NOW) == Decision(4)


STEPS = [Step(0.0, 20.0, 1), Step(20.0, None, 3)]


@pytest.mark.parametrize(("value", "desired"), [(50.0, 3), (69.9, 3), (70.0, 5), (1000.0, 5), (40.0, 2)])
def test_step_scaling_goes_by_the_distance_from_the_threshold(value: float, desired: int) -> None:
    assert decide(Stepped(STEPS), Breach(value, 50.0), capacity(2), NOW).desired == desired


def test_below_the_threshold_a_steps_upper_bound_belongs_to_it() -> None:
    steps = [Step(None, -20.0, -2), Step(-20.0, 0.0, -1)]
    assert decide(Stepped(steps), Breach(30.0, 50.0, "in"), capacity(4), NOW).desired == 2
    assert decide(Stepped(steps), Breach(31.0, 50.0, "in"), capacity(4), NOW).desired == 3


def test_a_second_breach_adds_only_what_a_higher_step_has_more() -> None:
    assert decide(Stepped(STEPS), Breach(60.0, 50.0), capacity(3, ready=2), NOW).desired == 3
    assert decide(Stepped(STEPS), Breach(90.0, 50.0), capacity(3, ready=2), NOW).desired == 5


def test_bounds_hold_and_are_told() -> None:
    assert decide(Tracking(1.0), HIGH, capacity(2, maximum=4), NOW) == Decision(4)
    assert decide(Tracking(1.0), HIGH, capacity(4, maximum=4), NOW) == Decision(4, "the maximum is 4")
    assert decide(Tracking(50.0), Breach(0.0, 45.0, "in"), capacity(1), NOW) == Decision(1, "the minimum is 1")


@pytest.mark.parametrize(
    ("adjustment", "least", "result"), [(50, None, 6), (10, None, 5), (-10, None, 3), (-60, None, 2), (30, 2, 6), (-10, 2, 2)]
)
def test_percentages_are_rounded_towards_zero_but_change_something(adjustment: int, least: int | None, result: int) -> None:
    assert adjusted("PercentChangeInCapacity", 4, adjustment, least) == result


def test_an_exact_capacity_is_that() -> None:
    assert decide(Simple(5, "ExactCapacity"), HIGH, capacity(2), NOW) == Decision(5)


@given(
    policy=st.sampled_from([Tracking(50.0), Simple(3), Simple(-3), Stepped(STEPS), Stepped([Step(None, None, -2)])]),
    value=st.floats(0, 1000),
    direction=st.sampled_from(["out", "in"]),
    desired=st.integers(1, 8),
    ready=st.integers(0, 9),
)
def test_no_policy_leaves_the_bounds_or_grows_on_the_way_in(policy: Any, value: float, direction: Any, desired: int, ready: int) -> None:
    before = dataclasses.replace(capacity(desired), ready=ready)
    after = decide(policy, Breach(value, 50.0, direction), before, NOW).desired
    assert 1 <= after <= 8
    if isinstance(policy, Tracking):
        assert after >= desired if direction == "out" else after <= desired
