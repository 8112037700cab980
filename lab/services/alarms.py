"""What a CloudWatch alarm makes of its datapoints. Pure: an alarm, points and the time in, a verdict out.

Sources: "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" (Amazon CloudWatch User Guide). Knows nothing
of who publishes points or what an alarm sets off, so that alarms on groups, services and databases are all evaluated here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2  # how much farther back CloudWatch looks when points are missing: its examples show five points for three periods

COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One value that was published for a metric, or a set of `count` values by their statistics."""

    at: float
    total: float
    count: float = 1.0
    low: float = math.nan
    high: float = math.nan

    @property
    def minimum(self) -> float:
        return self.total if math.isnan(self.low) else self.low

    @property
    def maximum(self) -> float:
        return self.total if math.isnan(self.high) else self.high


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm's rule. `pace` is how many seconds of AWS's time pass in one second: periods are shorter by that factor."""

    comparison: str
    threshold: float
    statistic: str = "Average"
    period: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    missing: str = "missing"
    pace: float = 1.0

    @property
    def needed(self) -> int:
        """How many of the evaluation periods have to be breaching: M out of N."""
        return self.datapoints_to_alarm or self.evaluation_periods

    @property
    def span(self) -> float:
        """A period in real seconds."""
        return self.period / self.pace

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Datapoint:
    """The statistic of one period, named by the period's beginning."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that follows, why, the datapoints it was judged by (oldest first), and the figures for StateReasonData."""

    state: str
    reason: str
    datapoints: tuple[Datapoint, ...] = ()

    @property
    def latest(self) -> float | None:
        """The newest datapoint's value: what scaling policies reckon with."""
        return self.datapoints[-1].value if self.datapoints else None


def evaluate(alarm: Alarm, points: Iterable[Point], state: str, now: float) -> Verdict:
    """Judge the complete periods before `now`; `state` is the present one, which `ignore` keeps."""
    return judge(alarm, window(alarm, points, now), state)


def window(alarm: Alarm, points: Iterable[Point], now: float) -> list[Datapoint | None]:
    """The evaluation range, oldest first: one entry for each complete period, None where nothing was published."""
    newest = math.floor(now / alarm.span) - 1
    wanted = range(newest - alarm.evaluation_periods - EXTRA_PERIODS + 1, newest + 1)
    periods: dict[int, list[Point]] = {}
    for point in points:
        number = math.floor(point.at / alarm.span + 1e-6)
        if number in wanted:
            periods.setdefault(number, []).append(point)
    return [Datapoint(number * alarm.span, statistic(alarm, periods[number])) if number in periods else None for number in wanted]


def statistic(alarm: Alarm, points: Sequence[Point]) -> float:
    """The alarm's statistic of a period's points. A sum over a shortened period is told as if it had lasted the whole of it,
    so that a rate stays the same at every pace."""
    total, count = sum(point.total for point in points), sum(point.count for point in points)
    match alarm.statistic:
        case "Sum":
            return total * alarm.pace
        case "SampleCount":
            return count * alarm.pace
        case "Minimum":
            return min(point.minimum for point in points)
        case "Maximum":
            return max(point.maximum for point in points)
        case _:
            return total / count if count else 0.0


def judge(alarm: Alarm, found: Sequence[Datapoint | None], state: str) -> Verdict:
    """The documented rules: enough real points are judged alone, the newest N of them; else missing ones are filled in as configured."""
    real = [datapoint for datapoint in found if datapoint is not None]
    wanted, needed = alarm.evaluation_periods, alarm.needed
    if len(real) >= wanted:
        return _by_threshold(alarm, real[-wanted:])
    filled = wanted - len(real)
    breaching = sum(alarm.breaches(datapoint.value) for datapoint in real)
    if not real:
        return _of_nothing(alarm, filled, state)
    if alarm.missing == "breaching":
        return _by_threshold(alarm, real, filled)
    if alarm.missing == "notBreaching" or breaching >= needed or breaching < len(real):
        return _by_threshold(alarm, real)
    oldest = len(found) - next(number for number, datapoint in enumerate(found) if datapoint is not None)
    if alarm.missing == "missing" and oldest >= needed:  # all that is known is breaching, and that for long enough
        return Verdict(ALARM, _threshold_reason(alarm, real, breaching, ALARM), tuple(real))
    return Verdict(state, "The state is kept: too few datapoints were received.", tuple(real))


def _by_threshold(alarm: Alarm, real: Sequence[Datapoint], filled_breaching: int = 0) -> Verdict:
    breaching = sum(alarm.breaches(datapoint.value) for datapoint in real) + filled_breaching
    state = ALARM if breaching >= alarm.needed else OK
    return Verdict(state, _threshold_reason(alarm, real, breaching, state), tuple(real))


def _of_nothing(alarm: Alarm, filled: int, state: str) -> Verdict:
    if alarm.missing in ("breaching", "notBreaching"):
        periods = f"{filled} period{'s' * (filled > 1)}"
        treated = f"{filled} missing datapoint{'s were' if filled > 1 else ' was'} treated as"
        word = "Breaching" if alarm.missing == "breaching" else "NonBreaching"
        reason = f"Threshold Crossed: no datapoints were received for {periods} and {treated} [{word}]."
        return Verdict(ALARM if alarm.missing == "breaching" else OK, reason)
    if alarm.missing == "ignore":
        return Verdict(state, "The state is kept: no datapoints were received.")
    return Verdict(INSUFFICIENT_DATA, f"Insufficient Data: {filled} datapoint{'s were' if filled > 1 else ' was'} unknown.")


def _threshold_reason(alarm: Alarm, real: Sequence[Datapoint], breaching: int, state: str) -> str:
    """In CloudWatch's words."""
    told = breaching if state == ALARM else len(real) - breaching
    some = [datapoint for datapoint in real if alarm.breaches(datapoint.value) is (state == ALARM)][::-1][:5]
    values = ", ".join(f"{datapoint.value} ({datetime.fromtimestamp(datapoint.at, UTC):%d/%m/%y %H:%M:%S})" for datapoint in some)
    verb = "were" if told != 1 else "was"
    crossed = f"{verb}{'' if state == ALARM else ' not'} {COMPARISONS[alarm.comparison][1]} the threshold ({alarm.threshold})"
    needed = alarm.needed if state == ALARM else alarm.evaluation_periods - alarm.needed + 1
    return (
        f"Threshold Crossed: {told} out of the last {max(len(real), told)} datapoints [{values}] {crossed} "
        f"(minimum {needed} datapoint{'s' * (needed > 1)} for {'OK -> ALARM' if state == ALARM else 'ALARM -> OK'} transition)."
    )


def reason_data(alarm: Alarm, verdict: Verdict, now: float) -> dict[str, Any]:
    """StateReasonData as CloudWatch gives it."""
    datapoints = list(reversed(verdict.datapoints))
    return {
        "version": "1.0",
        "queryDate": stamp(now),
        "startDate": stamp(datapoints[-1].at) if datapoints else None,
        "statistic": alarm.statistic,
        "period": alarm.period,
        "recentDatapoints": [datapoint.value for datapoint in verdict.datapoints],
        "threshold": alarm.threshold,
        "evaluatedDatapoints": [{"timestamp": stamp(datapoint.at), "value": datapoint.value} for datapoint in datapoints],
    }


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
