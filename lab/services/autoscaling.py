"""The Auto Scaling loop: looks at each group about once a second, asks scaling.py what to do, and does it inside the API's state.

The machines themselves come and go with their instances (lab/services/ec2.py). Alarms and scaling policies change a group's desired
capacity (group_policies.py); nothing else in here has to know them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import InstanceState, autoscaling_backends
from moto.core.exceptions import ServiceException
from moto.ec2.models import ec2_backends

from ..aws import autoscaling as corrected
from ..aws.instance_refreshes import active, specification_of, template_of
from ..engine.base import Status
from ..world import Machine, World
from . import scaling
from .base import Published
from .group_policies import Groups

LOG = logging.getLogger(__name__)
LAUNCH_PAUSE = 30.0  # seconds before a failed launch is tried again
REFRESH_LIMIT = 3600.0  # seconds after which AWS gives up a refresh that makes no progress
WORST_FIRST = ("draining", "unhealthy", "initial", "unused", "healthy")


class AutoScaling:
    """The service `autoscaling`."""

    def __init__(self, policies: Groups) -> None:
        self._policies = policies
        self._begun = False
        self._paused: dict[str, float] = {}  # ARN of a group -> until when it launches nothing

    def machines(self) -> Iterable[Machine]:
        return ()

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        """Nothing of its own stands."""

    def published(self) -> dict[str, Published]:
        return {}

    def tick(self) -> bool:
        now = time.time()
        if not self._begun:
            _begin_grace_period_anew(now)
            self._begun = True
        self._policies.carry_out_requests(now)
        changed = False
        for backend, group in groups():
            changed |= self._step(backend, group, now)
        return changed

    def _step(self, backend: Any, group: Any, now: float) -> bool:
        if group.lab_deleting and not group.instance_states:
            corrected.forget(backend, group)
            return False
        refresh = _follow_refresh(backend, group, now)
        wanted = _wanted(backend, group, refresh, now < self._paused.get(group.arn, 0.0))
        found = members(backend, group)
        actions = scaling.decide(wanted, found, now)
        for action in actions:
            self._act(backend, group, refresh, action, now)
        _register_missing(backend, group)
        if len(group.instance_states) == group.desired_capacity:
            group.lab_reason = ""
        if refresh and wanted.refresh:
            _conclude_refresh(backend, group, refresh, wanted, now)
        return any(isinstance(action, scaling.Launch | scaling.End) for action in actions)

    def _act(self, backend: Any, group: Any, refresh: dict[str, Any] | None, action: scaling.Action, now: float) -> None:
        by_id = {member.instance.id: member for member in group.instance_states}
        match action:
            case scaling.Launch(subnet_id, cause):
                try:
                    launch(backend, group, target_template(backend, group, refresh), subnet_id, cause, now)
                except ServiceException as error:
                    self._paused[group.arn] = now + LAUNCH_PAUSE
                    activity = corrected.record(backend, group.name, "Launching a new EC2 instance.", cause)
                    corrected.finish(activity, "Failed", f"{error.message}. Launching EC2 instance failed.")
                    LOG.warning("group %s cannot launch: %s", group.name, error.message)
            case scaling.Enter(instance_id):
                member = by_id[instance_id]
                member.lifecycle_state, member.lab_in_service = "InService", now
                if member.lab_activity:
                    corrected.finish(member.lab_activity)
            case scaling.MarkUnhealthy(instance_id):
                by_id[instance_id].health_status = "Unhealthy"
            case scaling.Retire(instance_id, cause, failed):
                corrected.retire(backend, group, by_id[instance_id], cause, failed)
            case scaling.End(instance_id):
                by_id[instance_id].lab_activity["StatusCode"] = "InProgress"
                ec2_backends[backend.account_id][backend.region_name].terminate_instances([instance_id])
            case scaling.Forget(instance_id):
                member = by_id[instance_id]
                group.instance_states = [other for other in group.instance_states if other is not member]
                if member.lab_activity:
                    corrected.finish(member.lab_activity)


def groups() -> Iterator[tuple[Any, Any]]:
    """Every group of every account and region, with its backend."""
    for _account, _region, backend in list(autoscaling_backends.iter_backends()):
        for group in list(backend.autoscaling_groups.values()):
            yield backend, group


def members(backend: Any, group: Any) -> list[scaling.Member]:
    """The group's instances as values."""
    known = backend.elbv2_backend.target_groups
    target_groups = [known[arn] for arn in group.target_group_arns if arn in known]
    return [
        scaling.Member(
            id=member.instance.id,
            zone=member.instance.placement.zone,
            template=_template(member),
            lifecycle=member.lifecycle_state,
            machine=member.instance.state,
            healthy=member.health_status == "Healthy",
            protected=bool(member.protected_from_scale_in),
            launched=member.lab_launched,
            in_service=member.lab_in_service,
            target=_target_state(backend.elbv2_backend, target_groups, member.instance.id),
            failed=member.lab_failed,
        )
        for member in group.instance_states
    ]


def _template(member: Any) -> scaling.Template:
    found = member.lab_template or {}
    return found.get("LaunchTemplateId", ""), int(found.get("Version", 0))


def _target_state(elbv2: Any, target_groups: list[Any], instance_id: str) -> str | None:
    """The worst of the instance's states in its target groups; None where it is in none."""
    states = {
        status.status
        for group in target_groups
        if instance_id in group.targets or instance_id in group.lab_draining
        for status in elbv2.describe_target_health(group.arn, [{"Id": instance_id}])
    }
    return next((state for state in WORST_FIRST if state in states), "initial" if target_groups else None)


def _wanted(backend: Any, group: Any, refresh: dict[str, Any] | None, paused: bool) -> scaling.Group:
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    suspended = {process["ProcessName"] for process in group.suspended_processes}
    subnet_ids = (group.vpc_zone_identifier or "").split(",")
    return scaling.Group(
        desired=group.desired_capacity,
        subnets=tuple((subnet.id, subnet.availability_zone) for subnet in map(ec2.get_subnet, filter(None, subnet_ids))),
        elb_checks=group.health_check_type == "ELB",
        grace_period=int(group.health_check_grace_period or 0),
        suspended=frozenset(suspended | ({"Launch"} if paused else set())),
        termination_policies=tuple(group.termination_policies),
        refresh=_refresh_value(refresh) if refresh and refresh["Status"] in ("InProgress", "RollbackInProgress") else None,
    )


def target_template(backend: Any, group: Any, refresh: dict[str, Any] | None) -> scaling.Template:
    """The version that the group launches now: `$Latest` and `$Default` are resolved at each launch."""
    configured = (refresh or {}).get("DesiredConfiguration")
    if refresh and configured and refresh["Status"] == "InProgress":
        return template_of(backend, specification_of(configured) or {})
    return template_of(backend, _specification(group))


def _specification(group: Any) -> dict[str, Any]:
    return {"LaunchTemplateId": group.ec2_launch_template.id, "Version": group.launch_template_version}


def launch(backend: Any, group: Any, template: scaling.Template, subnet_id: str, cause: str, now: float) -> None:
    """Start one instance from a launch template version; raises moto's ServiceException when EC2 refuses."""
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    version = ec2.get_launch_template(template[0]).get_version(template[1])
    data = version.data
    if data.get("ImageId") not in ec2.amis:
        raise ServiceException("InvalidAMIID.NotFound", f"The image id '[{data.get('ImageId')}]' does not exist")
    overrides = ((group.mixed_instances_policy or {}).get("LaunchTemplate") or {}).get("Overrides") or [{}]
    nics = [dict(nic) for nic in data.get("NetworkInterfaces") or []]
    group_ids = data.get("SecurityGroupIds") or [group_id for nic in nics for group_id in nic.get("Groups") or []]
    for nic in nics:
        nic.pop("Groups", None)
        nic["SubnetId"] = subnet_id
    tags = group.get_propagated_tags() | {"aws:autoscaling:groupName": group.name}
    arguments: dict[str, Any] = {
        "instance_type": overrides[0].get("InstanceType") or data.get("InstanceType"),
        "is_instance_type_default": False,
        "region_name": backend.region_name,
        "launch_template": {"LaunchTemplateId": template[0], "Version": str(template[1])},
        "subnet_id": subnet_id,
        "nics": nics,
        "associate_public_ip": None,
        "key_name": data.get("KeyName"),
        "security_group_ids": group_ids,
        "metadata_options": data.get("MetadataOptions") or {},
        "monitoring_state": "enabled" if (data.get("Monitoring") or {}).get("Enabled") else "disabled",
        "tags": {"instance": tags, "volume": _tags_for(data, "volume")},
    }
    reservation = ec2.run_instances(data["ImageId"], 1, data.get("UserData"), [], **arguments)
    instance = reservation.instances[0]
    profile = data.get("IamInstanceProfile") or {}
    if profile:
        ec2.associate_iam_instance_profile(
            instance_id=instance.id, iam_instance_profile_name=profile.get("Name"), iam_instance_profile_arn=profile.get("Arn")
        )
    instance.autoscaling_group = group
    member: Any = InstanceState(instance, "Pending", protected_from_scale_in=group.new_instances_protected_from_scale_in)
    member.lab_template = {
        "LaunchTemplateId": version.template.id, "LaunchTemplateName": version.template.name, "Version": str(version.number)
    }  # fmt: skip
    member.lab_launched = member.lab_in_service = now
    member.lab_activity = corrected.record(
        backend, group.name, f"Launching a new EC2 instance: {instance.id}", cause, Details=corrected.place(instance)
    )
    group.instance_states.append(member)


def _tags_for(data: dict[str, Any], kind: str) -> dict[str, str]:
    return {
        tag["Key"]: tag["Value"]
        for entry in data.get("TagSpecifications") or []
        if entry["ResourceType"] == kind
        for tag in entry.get("Tags") or []
    }


def _register_missing(backend: Any, group: Any) -> None:
    """Members in service belong into every target group of the group."""
    if any(process["ProcessName"] == "AddToLoadBalancer" for process in group.suspended_processes):
        return
    serving = [
        member.instance.id
        for member in group.instance_states
        if member.lifecycle_state == "InService" and member.instance.state == "running"
    ]
    for arn in group.target_group_arns:
        if target_group := backend.elbv2_backend.target_groups.get(arn):
            missing = [instance_id for instance_id in serving if instance_id not in target_group.targets]
            target_group.register([{"Id": instance_id} for instance_id in missing])


def _begin_grace_period_anew(now: float) -> None:
    """The lab itself has just been started: its machines may need to boot before they answer."""
    for _backend, group in groups():
        for member in group.instance_states:
            member.lab_in_service = now


# Instance refreshes


def _follow_refresh(backend: Any, group: Any, now: float) -> dict[str, Any] | None:
    """Move the group's refresh to its next status, as far as that needs no look at the members."""
    entry = active(backend, group.name)
    if entry is None:
        return None
    if entry["Status"] == "Cancelling":
        entry.update(Status="Cancelled", EndTime=datetime.now(UTC))
        return None
    if entry["Status"] == "Pending":
        wanted = target_template(backend, group, entry | {"Status": "InProgress"})
        skip = bool(entry["Preferences"].get("SkipMatching"))
        outdated = [member.instance.id for member in group.instance_states if not (skip and _template(member) == wanted)]
        entry.update(Status="InProgress", InstancesToUpdate=len(outdated))
        entry["Lab"] = {"outdated": outdated, "total": len(outdated), "started": now, "progress": now}
    if entry["Status"] == "RollbackInProgress" and not entry["Lab"].get("back"):
        wanted = target_template(backend, group, entry)
        outdated = [member.instance.id for member in group.instance_states if _template(member) != wanted]
        entry["Lab"] = {"outdated": outdated, "total": len(outdated), "started": now, "progress": now, "back": True}
        entry.update(InstancesToUpdate=len(outdated), PercentageComplete=0)
    return entry


def _refresh_value(entry: dict[str, Any]) -> scaling.Refresh:
    preferences, own = entry["Preferences"], entry["Lab"]
    return scaling.Refresh(
        outdated=frozenset(own["outdated"]),
        min_healthy_percentage=int(preferences.get("MinHealthyPercentage", 90)),
        max_healthy_percentage=int(preferences.get("MaxHealthyPercentage", 100)),
        warmup=int(preferences.get("InstanceWarmup") or 0),
        started=own["started"],
    )


def _conclude_refresh(backend: Any, group: Any, entry: dict[str, Any], wanted: scaling.Group, now: float) -> None:
    """Say how far the refresh has come, and end it when it is done or hopeless."""
    refresh, found, own = _refresh_value(entry), members(backend, group), entry["Lab"]
    alive = {member.id for member in found if member.lifecycle != "Terminating"}
    left = len(refresh.outdated & alive)
    waiting = [member.id for member in found if member.id in alive - refresh.outdated and not scaling.ready(wanted, refresh, member, now)]
    percentage = 100 if not own["total"] else 100 * max(own["total"] - left - len(waiting), 0) // own["total"]
    if (percentage, left) != (entry["PercentageComplete"], entry["InstancesToUpdate"]):
        own["progress"] = now
    entry.update(PercentageComplete=percentage, InstancesToUpdate=left)
    back = entry["Status"] == "RollbackInProgress"
    if scaling.refreshed(wanted, refresh, found, now):
        entry.update(Status="RollbackSuccessful" if back else "Successful", PercentageComplete=100, EndTime=datetime.now(UTC))
        entry.pop("StatusReason", None)
        if (configured := entry["DesiredConfiguration"]) and not back:
            group.mixed_instances_policy = configured.get("MixedInstancesPolicy")
            group._set_launch_configuration(None, configured.get("LaunchTemplate"), group.mixed_instances_policy)
    elif now - own["progress"] > REFRESH_LIMIT:
        reason = f"Failed to replace instances within {int(REFRESH_LIMIT)} seconds. Not ready: {', '.join(waiting) or 'none'}."
        if entry["Preferences"].get("AutoRollback") and not back:
            entry.update(Status="RollbackInProgress", StatusReason=reason)
        else:
            entry.update(Status="RollbackFailed" if back else "Failed", StatusReason=reason, EndTime=datetime.now(UTC))
    elif waiting:
        entry["StatusReason"] = f"Waiting for instances to warm up or become healthy. For example: {waiting[0]} is not ready."
    else:
        entry["StatusReason"] = "Waiting for the instances that were replaced to be terminated."
