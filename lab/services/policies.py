"""What a scaling policy makes of a breach: the capacity that it asks for, or why it waits. Pure, and the same for every kind of capacity.

A group's instances and a service's tasks scale alike: the caller says how much there is, who of it is ready, and what happened last.
Sources: "Step and simple scaling policies", "Target tracking scaling policies" and "Scaling cooldowns" (Amazon EC2 Auto Scaling
User Guide).

Where AWS says no more than that target tracking scales in gradually, here it gives up one unit at a time, and only as long as the
rest stays within the target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Adjustment = Literal["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]
Direction = Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a policy works on: `ready` counts what is in service and warmed up, `desired` also what is still to come.

    `changed` is when the last scaling activity ended, `busy` whether one is under way.
    """

    desired: int
    minimum: int
    maximum: int
    ready: int
    changed: float | None = None
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """An adjustment for breaches between two distances from the alarm's threshold; None is no bound."""

    lower: float | None
    upper: float | None
    adjustment: int


@dataclass(frozen=True, slots=True)
class Simple:
    """Simple scaling: one adjustment, then `cooldown` seconds of rest."""

    adjustment: int
    kind: Adjustment = "ChangeInCapacity"
    minimum_change: int | None = None
    cooldown: float = 300.0


@dataclass(frozen=True, slots=True)
class Stepped:
    """Step scaling: the adjustment follows from how far the metric is beyond the alarm's threshold."""

    steps: Sequence[Step]
    kind: Adjustment = "ChangeInCapacity"
    minimum_change: int | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """Target tracking: as much capacity as keeps the metric at the target. The cooldowns are those of services; groups warm up instead."""

    target: float
    scale_in: bool = True
    out_cooldown: float = 0.0
    in_cooldown: float = 0.0


Policy = Simple | Stepped | Tracking


@dataclass(frozen=True, slots=True)
class Breach:
    """What set the policy off: the metric's newest value, the alarm's threshold, and on which side of it the metric is."""

    value: float
    threshold: float
    direction: Direction = "out"


@dataclass(frozen=True, slots=True)
class Decision:
    """The desired capacity that follows; `held` says why it is the present one."""

    desired: int
    held: str | None = None


def decide(policy: Policy, breach: Breach, capacity: Capacity, now: float) -> Decision:
    """The capacity that the policy asks for, within the bounds."""
    match policy:
        case Simple():
            return _simple(policy, capacity, now)
        case Stepped():
            return _stepped(policy, breach, capacity)
        case Tracking():
            return _tracking(policy, breach, capacity, now)


def adjusted(kind: Adjustment, current: int, adjustment: int, minimum_change: int | None = None) -> int:
    """A capacity after an adjustment. A percentage is rounded towards zero, but a change is never less than one or the minimum."""
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return current + adjustment
    exact = current * adjustment / 100
    change = math.trunc(exact) or (0 if exact == 0 else int(math.copysign(1, exact)))
    least = minimum_change or 0
    return current + (int(math.copysign(max(abs(change), least), adjustment)) if adjustment else 0)


def step_for(steps: Sequence[Step], distance: float) -> Step | None:
    """The step whose interval holds the distance from the threshold. Above it the lower bound is inclusive, below it the upper one."""
    for step in steps:
        lower, upper = (-math.inf if step.lower is None else step.lower), (math.inf if step.upper is None else step.upper)
        if (lower <= distance < upper) if distance >= 0 else (lower < distance <= upper):
            return step
    return None


def _simple(policy: Simple, capacity: Capacity, now: float) -> Decision:
    if capacity.busy:
        return Decision(capacity.desired, "a scaling activity is in progress")
    if capacity.changed is not None and now < capacity.changed + policy.cooldown:
        return Decision(capacity.desired, f"the cooldown lasts {capacity.changed + policy.cooldown - now:.0f} s more")
    return _within(capacity, adjusted(policy.kind, capacity.desired, policy.adjustment, policy.minimum_change))


def _stepped(policy: Stepped, breach: Breach, capacity: Capacity) -> Decision:
    """What is still warming up counts as there: a second breach of the same step adds nothing to the first."""
    step = step_for(policy.steps, breach.value - breach.threshold)
    if step is None:
        return Decision(capacity.desired, f"no step holds a distance of {breach.value - breach.threshold:g} from the threshold")
    growing = step.adjustment > 0 and policy.kind != "ExactCapacity"
    if growing:
        wanted = adjusted(policy.kind, min(capacity.ready, capacity.desired), step.adjustment, policy.minimum_change)
        return _within(capacity, max(wanted, capacity.desired))
    if capacity.ready < capacity.desired:
        return Decision(capacity.desired, "capacity is warming up")
    return _within(capacity, adjusted(policy.kind, capacity.desired, step.adjustment, policy.minimum_change))


def _tracking(policy: Tracking, breach: Breach, capacity: Capacity, now: float) -> Decision:
    rest = capacity.changed + (policy.out_cooldown if breach.direction == "out" else policy.in_cooldown) - now if capacity.changed else 0.0
    if rest > 0:
        return Decision(capacity.desired, f"the cooldown lasts {rest:.0f} s more")
    able = min(capacity.ready, capacity.desired)
    if breach.direction == "out":
        return _within(capacity, max(capacity.desired, math.ceil(able * breach.value / policy.target - 1e-9)))
    if not policy.scale_in:
        return Decision(capacity.desired, "scaling in is disabled")
    if capacity.ready < capacity.desired or capacity.busy:
        return Decision(capacity.desired, "capacity is warming up or leaving")
    if capacity.desired * breach.value > policy.target * (capacity.desired - 1):
        return Decision(capacity.desired, "the rest would be above the target")
    return _within(capacity, capacity.desired - 1)


def _within(capacity: Capacity, wanted: int) -> Decision:
    bounded = max(capacity.minimum, min(wanted, capacity.maximum))
    if bounded != capacity.desired:
        return Decision(bounded)
    if wanted > bounded:
        return Decision(bounded, f"the maximum is {capacity.maximum}")
    return Decision(bounded, f"the minimum is {capacity.minimum}" if wanted < bounded else "the capacity is right")
