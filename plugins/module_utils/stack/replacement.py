# SPDX-License-Identifier: GPL-3.0-or-later
"""The replacement of an Auto Scaling group's instances by those of another launch template version, to its end or back.

The version goes with the refresh, as its desired configuration: EC2 Auto Scaling gives it to the group when every instance has been
replaced, and else puts back what has been ("Undo changes with a rollback", Amazon EC2 Auto Scaling User Guide).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

UNFINISHED = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
WORDS = ("failed", "error", "traceback")
LINES, LENGTH = 4, 400  # of a console that are told


class ReplacementError(Exception):
    """The new instances do not serve. The message says how it ended, what serves now, and what the new ones' consoles say."""


@dataclass(frozen=True)
class Wanted:
    """The launch template version that the group shall run, and how its instances are replaced."""

    group: str
    template_id: str
    version: str
    preferences: Mapping[str, Any]
    timeout: float = 1800.0


class Replacement:
    """One group's replacement; `client` and `ec2` are boto3's clients, `pause` waits that many seconds between two looks."""

    def __init__(self, client: Any, ec2: Any, wanted: Wanted, pause: Callable[[float], None] = time.sleep, delay: float = 5.0) -> None:
        self._client, self._ec2, self._wanted, self._pause, self._delay = client, ec2, wanted, pause, delay

    def bring(self) -> bool:
        """Bring it about; False when the group runs the version already. Raises ReplacementError when it has to go back."""
        wanted = self._wanted
        if self._newest().get("Status") in UNFINISHED:
            self._await()  # a killed run's, or another person's; whatever became of it, what counts is what runs now
        group = self._group()
        if settled(group, wanted.template_id, wanted.version):
            return False
        self._client.start_instance_refresh(
            AutoScalingGroupName=wanted.group,
            DesiredConfiguration=desired_configuration(group, wanted.template_id, wanted.version),
            Preferences={**wanted.preferences, "SkipMatching": True, "AutoRollback": True},
        )
        entry, consoles = self._await()
        if entry["Status"] == "Successful":
            return True
        raise ReplacementError(told(entry, wanted, consoles))

    def _await(self) -> tuple[dict[str, Any], str]:
        """The refresh when it is over. One that takes too long is rolled back; what its instances' consoles said then comes second."""
        entry = self._look(self._wanted.timeout)
        if entry["Status"] not in ("Pending", "InProgress"):
            return entry, ""
        consoles = self._consoles()
        reason = f"not over after {self._wanted.timeout:.0f} s. {entry.get('StatusReason', '')}"
        return {**self._roll_back(), "StatusReason": reason}, consoles

    def _look(self, seconds: float) -> dict[str, Any]:
        for _ in range(max(1, round(seconds / self._delay))):
            entry = self._newest()
            if entry["Status"] not in UNFINISHED:
                return entry
            self._pause(self._delay)
        return self._newest()

    def _roll_back(self) -> dict[str, Any]:
        try:
            self._client.rollback_instance_refresh(AutoScalingGroupName=self._wanted.group)
        except self._client.exceptions.IrreversibleInstanceRefreshFault:  # begun by hand, without a configuration to go back from
            self._client.cancel_instance_refresh(AutoScalingGroupName=self._wanted.group)
        except self._client.exceptions.ActiveInstanceRefreshNotFoundFault:
            pass  # it has just ended by itself
        return self._look(self._wanted.timeout)

    def _newest(self) -> dict[str, Any]:
        found = self._client.describe_instance_refreshes(AutoScalingGroupName=self._wanted.group, MaxRecords=1)["InstanceRefreshes"]
        return found[0] if found else {}

    def _group(self) -> dict[str, Any]:
        groups = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[self._wanted.group])["AutoScalingGroups"]
        if not groups:
            raise ReplacementError(f"There is no Auto Scaling group {self._wanted.group}. Run the layer again: it makes one")
        return dict(groups[0])

    def _consoles(self) -> str:
        """What the new instances' consoles say of their trouble."""
        texts = []
        for instance in self._group()["Instances"]:
            if version_of(instance) == self._wanted.version:
                output = self._ec2.get_console_output(InstanceId=instance["InstanceId"]).get("Output") or ""
                lines = trouble(output)
                texts.append(f"The console of {instance['InstanceId']} says: {' | '.join(lines) if lines else 'nothing of an error'}.")
        return " ".join(texts)


def settled(group: Mapping[str, Any], template_id: str, version: str) -> bool:
    """Whether the group has this version, and every instance that stays runs it."""
    specification = _specification(group)
    has = (specification.get("LaunchTemplateId"), specification.get("Version")) == (template_id, version)
    staying = [instance for instance in group["Instances"] if not instance["LifecycleState"].startswith("Terminat")]
    return has and all(version_of(instance) == version for instance in staying)


def version_of(instance: Mapping[str, Any]) -> str:
    return str((instance.get("LaunchTemplate") or {}).get("Version", ""))


def desired_configuration(group: Mapping[str, Any], template_id: str, version: str) -> dict[str, Any]:
    """The group's own configuration with another version: a mixed instances policy stays one, with all that is in it."""
    specification = {"LaunchTemplateId": template_id, "Version": version}
    policy = group.get("MixedInstancesPolicy")
    if not policy:
        return {"LaunchTemplate": specification}
    return {
        "MixedInstancesPolicy": {**policy, "LaunchTemplate": {**policy["LaunchTemplate"], "LaunchTemplateSpecification": specification}}
    }


def trouble(console: str) -> list[str]:
    """The newest lines that tell of an error, each once."""
    lines = [" ".join(line.split())[:LENGTH] for line in console.splitlines() if any(word in line.lower() for word in WORDS)]
    return list(dict.fromkeys(lines))[-LINES:]


def told(entry: Mapping[str, Any], wanted: Wanted, consoles: str) -> str:
    """How a replacement that did not succeed ended, in sentences."""
    back = "the instances of the former version serve" if entry["Status"] == "RollbackSuccessful" else "look at what runs in the group now"
    reason = str(entry.get("StatusReason") or "no reason given").strip().rstrip(".")
    sentences = (
        f"The replacement of the instances of {wanted.group} by version {wanted.version} ended as {entry['Status']}, {back}: {reason}."
    )
    return f"{sentences} {consoles}".strip() + " Correct the cause and run again."


def _specification(group: Mapping[str, Any]) -> Mapping[str, Any]:
    mixed = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    found: Mapping[str, Any] = mixed.get("LaunchTemplateSpecification") or group.get("LaunchTemplate") or {}
    return found
