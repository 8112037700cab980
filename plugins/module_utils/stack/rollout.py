# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an ECS service's rollout stands. Pure: what DescribeServices and DescribeTasks tell in, one verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MOST = 10  # events and reasons that are told, the newest first


def rollout(
    service: Mapping[str, Any], task_definition: str, stopped: Iterable[Mapping[str, Any]], deployment: str | None = None
) -> dict[str, Any]:
    """`state` of the rollout of `task_definition` (an ARN), with the texts that say why.

    completed: its tasks alone serve, as many as desired. in_progress: not yet. failed: the circuit breaker gave it up.
    rolled_back: the service runs, or goes back to, another revision (ECS Developer Guide, "deployment circuit breaker"). Where the same
    revision is deployed anew, `deployment` (an id) tells the new deployment from the one that it goes back to.
    """
    deployments = service.get("deployments", [])
    primary = next((found for found in deployments if found["status"] == "PRIMARY"), None)
    if primary is None or service.get("status") != "ACTIVE":
        state = "failed"
    elif primary["taskDefinition"] != task_definition or (deployment and primary["id"] != deployment):
        state = "rolled_back"
    elif primary["rolloutState"] == "FAILED":
        state = "failed"
    else:
        alone = len(deployments) == 1 and primary["runningCount"] >= service["desiredCount"]
        state = "completed" if primary["rolloutState"] == "COMPLETED" and alone else "in_progress"
    reasons = [task["stoppedReason"] for task in stopped if task["taskDefinitionArn"] == task_definition and task.get("stoppedReason")]
    return {
        "state": state,
        "events": [event["message"] for event in service.get("events", [])[:MOST]],
        "stopped_reasons": list(dict.fromkeys(reasons))[:MOST],
    }
