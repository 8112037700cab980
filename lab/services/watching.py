"""CloudWatch at work: publishes what is measured, judges every alarm once a minute of the lab's time, and runs their actions.

An action is an SNS topic, which gets CloudWatch's message once for each change, or a scaling policy, which is asked again each
minute for as long as its alarm stays. Whose policy it is, the alarms do not know: every `Scaler` is asked.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from moto.cloudwatch.models import cloudwatch_backends
from moto.sns.models import sns_backends

from ..aws import cloudwatch as corrected
from ..engine.base import Engine, Status
from ..settings import Settings
from ..world import Machine, World
from . import alarms
from .base import Published
from .measurements import Measurement, Meter

LOG = logging.getLogger(__name__)
MINUTE = 60.0
KEPT_MINUTES = 180  # AWS keeps a minute's figures for fifteen days; a lab needs them for its alarms and for a look back
SPANNED_AT_MOST = 15  # minutes that one late measurement stands for


@dataclass(frozen=True, slots=True)
class Event:
    """An alarm that is in a state: its name, the metric's newest value, the alarm's threshold and comparison."""

    alarm: str
    state: str
    value: float
    threshold: float
    comparison: str

    @property
    def above(self) -> bool:
        return self.comparison.startswith("Greater")


class Scaler(Protocol):
    """Owner of scaling policies."""

    def scale(self, arn: str, event: Event, now: float) -> str | None:
        """Carry out the policy with this ARN: what came of it in a sentence, empty when nothing changed, None for a policy not its own."""


class Watching:
    """The service `cloudwatch`."""

    def __init__(self, settings: Settings, engine: Engine, scalers: Sequence[Scaler]) -> None:
        self._pace = settings.pace
        self._meter = Meter(settings, engine)
        self._scalers = scalers
        self._minute: int | None = None

    def machines(self) -> Iterable[Machine]:
        return ()

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        """Nothing of its own stands."""

    def published(self) -> dict[str, Published]:
        return {}

    def tick(self) -> bool:
        return self.watch(time.time())

    def watch(self, now: float) -> bool:
        """What somebody has put into another state at once, and all once a minute. True when something came of it."""
        came = [self._run_new(backend, alarm, now) for backend, alarm in every_alarm() if alarm.lab_acted != alarm.state_value]
        minute = math.floor(now * self._pace / MINUTE)
        if minute == self._minute:
            return any(came)
        spanned = range(minute - 1, minute) if self._minute is None else range(max(self._minute, minute - SPANNED_AT_MOST), minute)
        self._minute = minute
        self._publish(self._meter.take(now), spanned)
        for _account, _region, backend in list(cloudwatch_backends.iter_backends()):
            corrected.drop_old(backend, now - KEPT_MINUTES * MINUTE / self._pace)
        found = points()
        came += [self._judge(backend, alarm, found, now) for backend, alarm in every_alarm()]
        return any(came)

    def _publish(self, measured: Iterable[Measurement], minutes: range) -> None:
        """A late measurement stands for every minute that it spans: a level as it is, a count by its share."""
        for one in measured:
            backend = cloudwatch_backends[one.place[0]][one.place[1]]
            value = one.value / len(minutes) if one.counted else one.value
            for minute in minutes:
                corrected.publish(backend, one.namespace, one.name, value, one.dimensions, minute * MINUTE / self._pace, one.unit)

    def _judge(self, backend: Any, alarm: Any, found: Mapping[Key, list[alarms.Point]], now: float) -> bool:
        rule = rule_of(alarm, self._pace)
        if rule is None:
            return False
        metric = (backend.account_id, backend.region_name, alarm.namespace, alarm.metric_name, dimensions_of(alarm))
        verdict = alarms.evaluate(rule, found.get(metric, []), alarm.state_value, now)
        changed = verdict.state != alarm.state_value
        if changed:
            data = json.dumps(alarms.reason_data(rule, verdict, now))
            corrected.change_state(backend, alarm, verdict.state, verdict.reason, data)
            LOG.info("alarm %s is %s: %s", alarm.name, verdict.state, verdict.reason)
        latest = rule.threshold if verdict.latest is None else verdict.latest
        return self._run(backend, alarm, Event(alarm.name, alarm.state_value, latest, rule.threshold, rule.comparison), now) or changed

    def _run_new(self, backend: Any, alarm: Any, now: float) -> bool:
        """SetAlarmState: the state's actions are run with the threshold for a value, as nothing was measured."""
        threshold = float(alarm.threshold or 0)
        return self._run(backend, alarm, Event(alarm.name, alarm.state_value, threshold, threshold, alarm.comparison_operator or ""), now)

    def _run(self, backend: Any, alarm: Any, event: Event, now: float) -> bool:
        """The actions of the alarm's state: all when it is new, else scaling policies only."""
        new, alarm.lab_acted = alarm.lab_acted != event.state, event.state
        if not alarm.actions_enabled:
            return False
        wanted = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions, "INSUFFICIENT_DATA": alarm.insufficient_data_actions}
        came = False
        for arn in wanted[event.state] or []:
            if ":scalingPolicy:" in arn:
                came |= self._scale(backend, arn, event, new, now)
            elif new:
                corrected.record(backend, alarm.name, "Action", notify(backend, alarm, arn))
        return came

    def _scale(self, backend: Any, arn: str, event: Event, new: bool, now: float) -> bool:
        outcome = next((told for scaler in self._scalers if (told := scaler.scale(arn, event, now)) is not None), None)
        if outcome is None and new:
            corrected.record(backend, event.alarm, "Action", f"Failed to execute action {arn}: there is no such policy")
        elif outcome or new:
            corrected.record(backend, event.alarm, "Action", f"Successfully executed action {arn}", {"outcome": outcome})
        return bool(outcome)


Key = tuple[str, str, str, str, frozenset[tuple[str, str]]]


def every_alarm() -> list[tuple[Any, Any]]:
    """Every alarm of every account and region, with its backend."""
    return [
        (backend, alarm)
        for _account, _region, backend in list(cloudwatch_backends.iter_backends())
        for alarm in list(backend.alarms.values())
    ]


def rule_of(alarm: Any, pace: float) -> alarms.Alarm | None:
    """The alarm as a value; None for composite alarms, metric math and percentiles, which the lab does not judge."""
    if alarm.rule is not None or alarm.extended_statistic or not alarm.metric_name or alarm.comparison_operator not in alarms.COMPARISONS:
        return None
    return alarms.Alarm(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        statistic=alarm.statistic or "Average",
        period=int(alarm.period),
        evaluation_periods=int(alarm.evaluation_periods),
        datapoints_to_alarm=int(alarm.datapoints_to_alarm) if alarm.datapoints_to_alarm else None,
        missing=alarm.treat_missing_data or "missing",
        pace=pace,
    )


def dimensions_of(thing: Any) -> frozenset[tuple[str, str]]:
    return frozenset((dimension.name, dimension.value) for dimension in thing.dimensions)


def points() -> dict[Key, list[alarms.Point]]:
    """Everything that is published, by metric."""
    found: dict[Key, list[alarms.Point]] = {}
    for account, region, backend in list(cloudwatch_backends.iter_backends()):
        for datum in list(backend.metric_data):
            key = (account, region, datum.namespace, datum.name, dimensions_of(datum))
            at = corrected.moment(datum).timestamp()
            if hasattr(datum, "value"):
                point = alarms.Point(at, datum.value)
            else:
                point = alarms.Point(at, datum.sum, datum.sample_count, datum.min, datum.max)
            found.setdefault(key, []).append(point)
    return found


def notify(backend: Any, alarm: Any, arn: str) -> str:
    """Publish CloudWatch's message to a topic; what came of it, for the alarm's history."""
    topic = sns_backends[backend.account_id][backend.region_name].topics.get(arn)
    if topic is None:
        return f"Failed to execute action {arn}: there is no such topic"
    subject = f'{alarm.state_value}: "{alarm.name}" in {backend.region_name}'
    topic.publish(json.dumps(message(backend, alarm)), subject=subject[:100])
    return f"Successfully executed action {arn}"


def message(backend: Any, alarm: Any) -> dict[str, Any]:
    """What CloudWatch sends to a topic ("Amazon SNS notifications on alarm changes")."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": backend.account_id,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": alarms.stamp(datetime.now(UTC).timestamp()),
        "Region": backend.region_name,
        "AlarmArn": alarm.alarm_arn,
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": (alarm.statistic or "").upper(),
            "Dimensions": [{"name": dimension.name, "value": dimension.value} for dimension in alarm.dimensions],
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data or "missing",
        },
    }
