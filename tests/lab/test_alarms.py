"""An alarm's verdict, on values. The tables are those of "Configuring how CloudWatch alarms treat missing data"."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.services.alarms import ALARM, INSUFFICIENT_DATA, OK, Alarm, Datapoint, Point, evaluate, judge

KEPT = "the present state"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def alarm(periods: int = 3, needed: int | None = None, missing: str = "missing", **more: object) -> Alarm:
    rule: dict[str, Any] = {"comparison": "GreaterThanThreshold", "threshold": 50.0}
    return Alarm(**(rule | more), evaluation_periods=periods, datapoints_to_alarm=needed, missing=missing)


def found(row: str) -> list[Datapoint | None]:
    """0 is within the threshold, X breaching, - missing; the newest is the last."""
    return [None if sign == "-" else Datapoint(60.0 * number, 99.0 if sign == "X" else 1.0) for number, sign in enumerate(row)]


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("0-X-X", (OK, OK, OK, OK)),
        ("0----", (OK, OK, OK, OK)),
        ("-----", (INSUFFICIENT_DATA, KEPT, ALARM, OK)),
        ("0XX-X", (ALARM, ALARM, ALARM, ALARM)),
        ("--X--", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_three_out_of_three_as_in_aws_table(row: str, states: tuple[str, ...]) -> None:
    assert tuple(judge(alarm(3, missing=missing), found(row), KEPT).state for missing in TREATMENTS) == states


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("0-X-X", (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", (OK, OK, ALARM, OK)),
        ("----0", (OK, OK, ALARM, OK)),
        ("---X-", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_two_out_of_three_as_in_aws_table(row: str, states: tuple[str, ...]) -> None:
    assert tuple(judge(alarm(3, 2, missing), found(row), KEPT).state for missing in TREATMENTS) == states


def test_points_are_gathered_by_complete_periods_of_the_clock() -> None:
    points = [Point(60.0, 10.0), Point(119.0, 30.0), Point(120.0, 90.0), Point(180.0, 100.0)]  # the last period is not over
    verdict = evaluate(alarm(2), points, OK, 190.0)
    assert [datapoint.value for datapoint in verdict.datapoints] == [20.0, 90.0]
    assert verdict.state == OK
    assert evaluate(alarm(2), points, OK, 240.0).state == ALARM


@pytest.mark.parametrize(
    ("statistic", "value"), [("Average", 25.0), ("Sum", 100.0), ("Minimum", 5.0), ("Maximum", 60.0), ("SampleCount", 4.0)]
)
def test_a_set_of_values_counts_by_its_statistics(statistic: str, value: float) -> None:
    points = [Point(60.0, 80.0, count=3.0, low=5.0, high=60.0), Point(70.0, 20.0)]
    assert evaluate(alarm(1, statistic=statistic), points, OK, 120.0).latest == value


def test_at_a_faster_pace_periods_are_shorter_and_a_rate_stays_a_rate() -> None:
    points = [Point(3.0 * number, 5.0) for number in range(3)]
    verdict = evaluate(alarm(3, statistic="Sum", pace=20.0), points, OK, 9.5)
    assert [datapoint.value for datapoint in verdict.datapoints] == [100.0, 100.0, 100.0]
    assert verdict.state == ALARM


def test_reasons_are_told_in_cloudwatchs_words() -> None:
    assert judge(alarm(2), found("XX"), OK).reason == (
        "Threshold Crossed: 2 out of the last 2 datapoints [99.0 (01/01/70 00:01:00), 99.0 (01/01/70 00:00:00)] "
        "were greater than the threshold (50.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert judge(alarm(1), found("0"), ALARM).reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (01/01/70 00:00:00)] "
        "was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )
    assert judge(alarm(1, missing="breaching"), found("-"), OK).reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."
    )
    assert judge(alarm(3), found("---"), OK).reason == "Insufficient Data: 3 datapoints were unknown."


@pytest.mark.parametrize(
    ("comparison", "state"),
    [
        ("GreaterThanThreshold", OK),
        ("GreaterThanOrEqualToThreshold", ALARM),
        ("LessThanThreshold", OK),
        ("LessThanOrEqualToThreshold", ALARM),
    ],
)
def test_the_threshold_itself_is_within_or_not(comparison: str, state: str) -> None:
    assert judge(alarm(1, comparison=comparison), [Datapoint(0.0, 50.0)], OK).state == state


@given(row=st.text("0X-", min_size=5, max_size=5), needed=st.integers(1, 3), missing=st.sampled_from(TREATMENTS))
def test_more_breaching_points_never_calm_an_alarm(row: str, needed: int, missing: str) -> None:
    rank = {OK: 0, KEPT: 1, INSUFFICIENT_DATA: 1, ALARM: 2}
    rule = alarm(3, needed, missing)
    worse = row.replace("0", "X", 1)
    assert rank[judge(rule, found(worse), KEPT).state] >= rank[judge(rule, found(row), KEPT).state]
