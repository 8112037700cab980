"""The policies of Auto Scaling groups: reads a group's capacity from the API's state, lets policies.py decide, changes what is desired.

The loop of lab/services/autoscaling.py then launches or ends instances, and their activities tell the reason that is noted here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from ..aws import autoscaling as corrected
from ..aws import scaling_policies
from . import policies
from .watching import Event

LOG = logging.getLogger(__name__)
DEFAULT_WARMUP = 300.0


@dataclass(frozen=True, slots=True)
class Groups:
    """Carries out the policies of every group; `pace` shortens cooldowns and warm-ups."""

    pace: float = 1.0

    def scale(self, arn: str, event: Event, now: float) -> str | None:
        """An alarm's action (watching.Scaler)."""
        for backend, policy in every_policy():
            if scaling_policies.arn_of(policy) == arn:
                breach = policies.Breach(event.value, event.threshold, "out" if event.above else "in")
                who = f"a monitor alarm {event.alarm} in state {event.state} triggered policy {policy.name}"
                return self._carry_out(backend, policy, breach, who, now)
        return None

    def carry_out_requests(self, now: float) -> None:
        """What ExecutePolicy has asked for since the last time. Unless it honours the cooldown, there is none."""
        for _account, _region, backend in list(autoscaling_backends.iter_backends()):
            while backend.lab_executions:
                request = backend.lab_executions.pop(0)
                policy = scaling_policies.by_arn(backend, request["policy"])
                if policy is not None:
                    breach = policies.Breach(request["value"], request["threshold"])
                    self._carry_out(
                        backend, policy, breach, f"a user request executed policy {policy.name}", now, request["honor_cooldown"]
                    )

    def _carry_out(self, backend: Any, policy: Any, breach: policies.Breach, who: str, now: float, rest: bool = True) -> str:
        group = backend.autoscaling_groups.get(policy.auto_scaling_group_name)
        if group is None or "AlarmNotification" in {process["ProcessName"] for process in group.suspended_processes}:
            return ""
        capacity = capacity_of(backend, group, self._warmup(group, policy), now)
        if not rest:
            capacity = policies.Capacity(capacity.desired, capacity.minimum, capacity.maximum, capacity.ready)
        decision = policies.decide(self._policy(group, policy), breach, capacity, now)
        if decision.desired == capacity.desired:
            LOG.debug("policy %s of %s waits: %s", policy.name, group.name, decision.held)
            return ""
        change = f"{who} changing the desired capacity from {capacity.desired} to {decision.desired}."
        corrected.set_desired(group, decision.desired, change)
        LOG.info("group %s: %s", group.name, change)
        return change

    def _warmup(self, group: Any, policy: Any) -> float:
        """Simple scaling knows no warm-up."""
        if policy.policy_type == "SimpleScaling":
            return 0.0
        given = policy.estimated_instance_warmup
        return float(given if given is not None else group.default_cooldown or DEFAULT_WARMUP) / self.pace

    def _policy(self, group: Any, policy: Any) -> policies.Policy:
        """moto's policy as a value."""
        least = int(policy.min_adjustment_magnitude) if policy.min_adjustment_magnitude else None
        if policy.policy_type == "TargetTrackingScaling":
            configuration = policy.target_tracking_configuration
            return policies.Tracking(float(configuration.TargetValue), not getattr(configuration, "DisableScaleIn", False))
        if policy.policy_type == "StepScaling":
            return policies.Stepped([step_of(step) for step in policy.step_adjustments], policy.adjustment_type, least)
        cooldown = policy.cooldown if policy.cooldown is not None else group.default_cooldown
        return policies.Simple(int(policy.scaling_adjustment), policy.adjustment_type, least, float(cooldown) / self.pace)


def every_policy() -> Iterator[tuple[Any, Any]]:
    for _account, _region, backend in list(autoscaling_backends.iter_backends()):
        for policy in list(backend.policies.values()):
            yield backend, policy


def capacity_of(backend: Any, group: Any, warmup: float, now: float) -> policies.Capacity:
    """How much of the group there is, and how much of it counts: only what a policy has launched has to warm up."""
    members = list(group.instance_states)
    serving = [member for member in members if member.lifecycle_state == "InService"]
    ended = [
        activity["EndTime"].timestamp()
        for activity in backend.lab_activities
        if activity["AutoScalingGroupName"] == group.name and "EndTime" in activity and corrected.by_policy(activity)
    ]
    return policies.Capacity(
        desired=group.desired_capacity,
        minimum=group.min_size,
        maximum=group.max_size,
        ready=sum(not _launched_by_policy(member) or now - member.lab_in_service >= warmup for member in serving),
        changed=max(ended, default=None),
        busy=len(serving) != len(members) or len(serving) != group.desired_capacity,
    )


def _launched_by_policy(member: Any) -> bool:
    return bool(member.lab_activity) and corrected.by_policy(member.lab_activity)


def step_of(step: dict[str, Any]) -> policies.Step:
    """A step adjustment in the API's words as a value."""
    lower, upper = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    return policies.Step(
        None if lower is None else float(lower), None if upper is None else float(upper), int(step["ScalingAdjustment"])
    )  # fmt: skip
