"""CloudWatch: alarms begin without data, keep their state when they are changed, and have a history.

moto evaluates nothing. lab/services/watching.py publishes what the lab measures, judges the alarms and runs their actions; what the two
share lies in plain attributes: on the backend `lab_history` (newest first, in the API's own shape), on an alarm `lab_acted`, the state
whose actions have been run.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import Alarm, CloudWatchBackend, Dimension, MetricDatum
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from ._patch import wrap

HISTORY = 1000  # entries; AWS keeps them for 30 days
FAST_PERIODS = (10, 20, 30)


def install() -> None:
    wrap(CloudWatchBackend, "__init__")(_without_history)
    wrap(CloudWatchBackend, "put_metric_alarm")(_keep_state)
    wrap(Alarm, "update_state")(_forget_acting)
    wrap(CloudWatchBackend, "set_alarm_state")(_note_request)
    wrap(CloudWatchBackend, "get_metric_statistics")(_of_one_metric)
    CloudWatchResponse.describe_alarm_history = _describe_history
    Dimension.__lt__ = lambda one, other: (one.name, one.value) < (other.name, other.value)  # moto sorts by it before it compares
    Alarm.lab_acted = None


def publish(
    backend: Any, namespace: str, name: str, value: float, dimensions: Iterable[tuple[str, str]], at: float, unit: str = "None"
) -> None:
    """Add one value of a metric, as AWS's own services do."""
    datum = MetricDatum(namespace, name, value, [], datetime.fromtimestamp(at, UTC).replace(tzinfo=None), unit)
    datum.dimensions = _shared(tuple(dimensions))
    backend.metric_data.append(datum)


@functools.lru_cache(512)
def _shared(dimensions: tuple[tuple[str, str], ...]) -> list[Dimension]:
    """Every value of a metric has the same dimensions: one list for all of them, in memory and in the saved state."""
    return [Dimension(name, value) for name, value in dimensions]


def drop_old(backend: Any, before: float) -> None:
    """Forget what was published before that time."""
    limit = datetime.fromtimestamp(before, UTC)
    if any(moment(datum) < limit for datum in backend.metric_data[:1]):
        backend.metric_data[:] = [datum for datum in backend.metric_data if moment(datum) >= limit]


def moment(datum: Any) -> datetime:
    """When a value was published; moto keeps times without a zone as well as with one."""
    at: datetime = datum.timestamp
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def record(backend: Any, alarm_name: str, kind: str, summary: str, data: dict[str, Any] | None = None) -> None:
    """Note something in an alarm's history: `StateUpdate`, `Action` or `ConfigurationUpdate`."""
    entry = {
        "AlarmName": alarm_name, "AlarmType": "MetricAlarm", "Timestamp": datetime.now(UTC), "HistoryItemType": kind,
        "HistorySummary": summary, "HistoryData": json.dumps(data or {}),
    }  # fmt: skip
    backend.lab_history.insert(0, entry)
    del backend.lab_history[HISTORY:]


def change_state(backend: Any, alarm: Any, state: str, reason: str, reason_data: str) -> None:
    """Put an alarm into a state and note it. Its actions are the service's to run."""
    old = {"stateValue": alarm.state_value, "stateReason": alarm.state_reason}
    alarm.update_state(reason, reason_data, state)
    new = {"stateValue": state, "stateReason": reason}
    data = {"version": "1.0", "oldState": old, "newState": new}
    record(backend, alarm.name, "StateUpdate", f"Alarm updated from {old['stateValue']} to {state}", data)


def _without_history(original: Callable[..., None], backend: Any, *args: Any, **kwargs: Any) -> None:
    original(backend, *args, **kwargs)
    backend.lab_history = []


def _keep_state(original: Callable[..., Any], backend: Any, *args: Any, **kwargs: Any) -> Any:
    """PutMetricAlarm: "When you create an alarm, its state is immediately set to INSUFFICIENT_DATA." "When you update an existing alarm,
    its state is left unchanged."; moto begins with OK each time."""
    name, period = kwargs["name"], int(kwargs.get("period") or 60)
    if period not in FAST_PERIODS and (period < 60 or period % 60):
        raise InvalidParameterValue("The period must be 10, 20, 30 or a multiple of 60")
    before = backend.alarms.get(name)
    alarm = original(backend, *args, **kwargs)
    alarm.state_value = alarm.lab_acted = "INSUFFICIENT_DATA"
    if before is not None:
        for attribute in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history", "lab_acted"):
            setattr(alarm, attribute, getattr(before, attribute))
    record(backend, name, "ConfigurationUpdate", f'Alarm "{name}" {"updated" if before is not None else "created"}')
    return alarm


def _forget_acting(original: Callable[..., None], alarm: Any, *args: Any, **kwargs: Any) -> None:
    """A new state has actions to be run. moto adds to `history` without end; the lab keeps its own."""
    before = alarm.state_value
    original(alarm, *args, **kwargs)
    alarm.history.clear()
    if alarm.state_value != before:
        alarm.lab_acted = None


def _of_one_metric(original: Callable[..., Any], backend: Any, *args: Any, **kwargs: Any) -> Any:
    """A metric is its name with exactly these dimensions; moto adds up all that have them among others."""
    wanted = {(dimension["Name"], dimension["Value"]) for dimension in kwargs.get("dimensions") or []}
    found = [datum for datum in backend.get_all_metrics() if {(one.name, one.value) for one in datum.dimensions} == wanted]
    return original(SimpleNamespace(get_all_metrics=lambda: found), *args, **kwargs)


def _note_request(original: Callable[..., None], backend: Any, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
    alarm = backend.alarms.get(alarm_name)
    before = alarm.state_value if alarm else None
    original(backend, alarm_name, reason, reason_data, state_value)
    if before != state_value:
        record(backend, alarm_name, "StateUpdate", f"Alarm updated from {before} to {state_value}", {"newState": {"stateReason": reason}})


def _describe_history(response: Any) -> ActionResult:
    """DescribeAlarmHistory, which moto lacks."""
    name, kind = response._get_param("AlarmName"), response._get_param("HistoryItemType")
    start, end = response._get_param("StartDate"), response._get_param("EndDate")
    found = [
        entry
        for entry in response.cloudwatch_backend.lab_history
        if (not name or entry["AlarmName"] == name)
        and (not kind or entry["HistoryItemType"] == kind)
        and (not start or entry["Timestamp"] >= start)
        and (not end or entry["Timestamp"] <= end)
    ]
    if response._get_param("ScanBy") == "TimestampAscending":
        found.reverse()
    return ActionResult({"AlarmHistoryItems": found[: response._get_int_param("MaxRecords") or 100]})
