"""The scaling policies of ECS services: reads a service's capacity from the API's state, lets policies.py decide, sets its desired count.

The loop of lab/services/ecs.py then starts or stops tasks. Sources: Application Auto Scaling User Guide, "How target tracking works" and
"How step scaling works".
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends

from ..aws import application_autoscaling as corrected
from . import ecs, policies
from .group_policies import step_of
from .watching import Event

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceScaling:
    """Carries out the policies of every ECS service (watching.Scaler); `pace` shortens cooldowns."""

    pace: float = 1.0

    def scale(self, arn: str, event: Event, now: float) -> str | None:
        """An alarm's action."""
        for _account, _region, backend in list(applicationautoscaling_backends.iter_backends()):
            for policy in corrected.policies(backend):
                if policy.policy_arn == arn:
                    return self._carry_out(backend, policy, event, now)
        return None

    def _carry_out(self, backend: Any, policy: Any, event: Event, now: float) -> str:
        target, service = corrected.target_of(backend, policy), _service(backend, policy)
        breach = policies.Breach(event.value, event.threshold, "out" if event.above else "in")
        if target is None or service is None or _suspended(target, breach.direction):
            return ""
        capacity = _capacity(backend, target, service)
        decision = policies.decide(self._policy(policy), breach, capacity, now)
        held = decision.held or (self._resting(policy, capacity, now) if policy.policy_type == "StepScaling" else None)
        if held or decision.desired == capacity.desired:
            LOG.debug("policy %s of %s waits: %s", policy.policy_name, policy.resource_id, held)
            return ""
        ecs.scale(service, decision.desired)
        cause = f"monitor alarm {event.alarm} in state {event.state} triggered policy {policy.policy_name}"
        corrected.note(backend, policy, cause, decision.desired)
        change = f"{cause} changing the desired count from {capacity.desired} to {decision.desired}."
        LOG.info("%s: %s", policy.resource_id, change)
        return change

    def _policy(self, policy: Any) -> policies.Policy:
        """moto's policy as a value."""
        if policy.policy_type == "StepScaling":
            wanted = policy.step_scaling_policy_configuration
            least = wanted.get("MinAdjustmentMagnitude")
            return policies.Stepped([step_of(step) for step in wanted["StepAdjustments"]], wanted["AdjustmentType"], least)
        wanted = policy.target_tracking_scaling_policy_configuration
        rests = (float(wanted.get(f"Scale{direction}Cooldown", 300)) / self.pace for direction in ("Out", "In"))
        return policies.Tracking(float(wanted["TargetValue"]), not wanted.get("DisableScaleIn"), *rests)

    def _resting(self, policy: Any, capacity: policies.Capacity, now: float) -> str | None:
        rest = float(policy.step_scaling_policy_configuration.get("Cooldown", 300)) / self.pace
        return "the cooldown lasts" if capacity.changed is not None and now < capacity.changed + rest else None


def _service(backend: Any, policy: Any) -> Any | None:
    """The ECS service that the policy scales, while it is there."""
    if policy.service_namespace != "ecs":
        return None
    _, cluster, name = policy.resource_id.split("/")
    service = backend.ecs_backend.services.get(f"{cluster}:{name}")
    return service if service is not None and service.status == "ACTIVE" else None


def _suspended(target: Any, direction: policies.Direction) -> bool:
    return bool((target.suspended_state or {}).get(f"DynamicScaling{direction.capitalize()}Suspended"))


def _capacity(backend: Any, target: Any, service: Any) -> policies.Capacity:
    """Scaling in waits for a deployment to end, as on AWS; scaling out does not."""
    moments = [activity["EndTime"] for activity in backend.lab_activities if activity["ResourceId"] == target.resource_id]
    return policies.Capacity(
        desired=service.desired_count,
        minimum=target.min_capacity,
        maximum=target.max_capacity,
        ready=service.running_count,
        changed=max(moments, default=None),
        busy=len(service.deployments) > 1 or service.deployments[0]["rolloutState"] == "IN_PROGRESS",
    )
