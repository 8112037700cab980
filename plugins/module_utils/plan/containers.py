# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a stack of containers: the roles `ecr`, `container_image` and `ecs`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..stack.recipe import recipe
from .containers_details import CONTAINER_SETTINGS, DEFINITION_SETTINGS, details
from .model import Kind, Resource, Unknown
from .normal import policy, tags_of

__all__ = ["KINDS", "details", "found_containers", "leave_image", "leave_repository", "want_ecs", "want_image", "want_repository"]

LAYER = "containers"
NEW_TASKS = "every task is replaced, one after another"
NEWEST = "the newest revision"
PLATFORM = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}  # what Fargate takes when nothing is said
KINDS = (
    Kind("repository", LAYER, frozenset({"encryption"}), {"immutable_tags": "whether a tag can come to mean another image"}),
    Kind("repository_policy", LAYER, opens=True),
    Kind("container_image", LAYER),
    Kind("task_log_group", LAYER, effects={"retention": "older lines are deleted"}),
    Kind("cluster", LAYER),
    Kind("task_definition", LAYER, effects=dict.fromkeys(
        ("container", "image", "port", "protocol", "environment", "secrets", "cpu", "memory", "execution_role", "task_role", "network_mode",
         "compatibilities", "platform", "essential", "read_only", "log", "further"),
        f"a new revision: {NEW_TASKS}",
    )),
    Kind(
        "ecs_service", LAYER, frozenset({"cluster", "launch_type", "scheduling"}),
        dict.fromkeys(("task_definition", "subnets", "security_groups", "public_addresses", "targets"), NEW_TASKS)
        | {"circuit_breaker": "what happens to a rollout that fails", "health_check_grace_period": "how long a new task is not judged"},
    ),
    Kind("ecs_scaling", LAYER, effects=dict.fromkeys(("min_tasks", "max_tasks"), "tasks are started or stopped to stay between them")),
    Kind("ecs_scaling_policy", LAYER, effects=dict.fromkeys(("metric", "target"), "tasks are started or stopped to reach the target")),
)  # fmt: skip


def leave_repository(_arguments: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """What the role `ecr` leaves to its play."""
    return {"ecr_repository_uri": stack["repository"]["uri"]}


def leave_image(arguments: Mapping[str, Any], _stack: Mapping[str, Any]) -> dict[str, Any]:
    """What the role `container_image` leaves to its play: the hash of its folder and of how it is built."""
    return {"container_image_release": recipe([Path(arguments["container_image_source"])], arguments["__container_image_ingredients"])}


def want_repository(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `ecr` makes of its arguments."""
    name, key = arguments["ecr_name"], arguments["ecr_kms_key"]
    fields = {
        "immutable_tags": bool(arguments["ecr_immutable_tags"]),
        "scan_on_push": bool(arguments["ecr_scan_on_push"]),
        "encryption": {"type": "KMS" if key else "AES256", "key": key},
        "lifecycle": arguments["__ecr_lifecycle_policy"],
        "tags": _tags(arguments["ecr_tags"], name, "registry"),
    }
    yield Resource("repository", name, fields, name)


def want_image(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `container_image` builds and pushes, if it is not there: an image of a content has that content's tag."""
    release = leave_image(arguments, {})["container_image_release"]
    yield Resource("container_image", release, {"tag": release}, release)


def want_ecs(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `ecs` makes of its arguments; how many tasks run is the scaling's."""
    cluster, name = arguments["ecs_cluster_name"], arguments["ecs_service_name"]
    group = arguments["ecs_log_group"]
    log = {"retention": _number(arguments["ecs_log_retention_days"]), "tags": _tags(arguments["ecs_tags"], group)}
    yield Resource("task_log_group", group, log, group)
    yield Resource("cluster", cluster, {"tags": _tags(arguments["ecs_tags"], cluster)}, cluster)
    yield Resource("task_definition", name, _definition(arguments, name), name)
    service = {
        "cluster": cluster,
        "task_definition": NEWEST,
        "launch_type": "FARGATE",
        "scheduling": "REPLICA",
        "subnets": _sorted(arguments["ecs_subnet_ids"]),
        "security_groups": _sorted(arguments["ecs_security_group_ids"]),
        "public_addresses": bool(arguments["ecs_assign_public_ip"]),
        "targets": [_target(arguments["ecs_target_group_arn"], name, _number(arguments["ecs_port"]))],
        "min_healthy_percent": _number(arguments["ecs_min_healthy_percent"]),
        "max_percent": _number(arguments["ecs_max_percent"]),
        "circuit_breaker": True,
        "health_check_grace_period": _number(arguments["ecs_health_check_grace_period"]),
        "propagate_tags": "SERVICE",
        "tags": _tags(arguments["ecs_tags"], name),
    }
    yield Resource("ecs_service", name, service, name)
    bounds = {"cluster": cluster, "min_tasks": _number(arguments["ecs_min_tasks"]), "max_tasks": _number(arguments["ecs_max_tasks"])}
    yield Resource("ecs_scaling", name, bounds, name)
    follows = {
        "type": "TargetTrackingScaling",
        "metric": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "target": _number(arguments["ecs_cpu_target"]),
        "scale_out_cooldown": _number(arguments["ecs_scale_out_cooldown"]),
        "scale_in_cooldown": _number(arguments["ecs_scale_in_cooldown"]),
        "scales_in": True,
    }
    yield Resource("ecs_scaling_policy", f"{name}-cpu", follows, f"{name}-cpu")


def _definition(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    log = {"awslogs-group": arguments["ecs_log_group"], "awslogs-region": arguments["ecs_region"], "awslogs-stream-prefix": name}
    return {
        "container": name,
        "image": arguments["ecs_image"],
        "port": _number(arguments["ecs_port"]),
        "protocol": "tcp",
        "environment": arguments["ecs_environment"],
        "secrets": arguments["ecs_secrets"],
        "cpu": _number(arguments["ecs_cpu"]),
        "memory": _number(arguments["ecs_memory"]),
        "execution_role": arguments["ecs_execution_role_arn"],
        "task_role": arguments["ecs_task_role_arn"],
        "network_mode": "awsvpc",
        "compatibilities": ["FARGATE"],
        "platform": PLATFORM,
        "essential": True,
        "read_only": True,
        "log": {"driver": "awslogs", **log},
        "further": {},
        "tags": _tags(arguments["ecs_tags"], name),
    }


def _tags(tags: Any, name: str, role: str = "containers") -> Any:
    return tags if isinstance(tags, Unknown) else tags | {"Name": name, "Role": role}


def _number(value: Any) -> Any:
    return value if isinstance(value, Unknown) else int(value)


def _sorted(value: Any) -> Any:
    return value if isinstance(value, Unknown) else sorted(value)


def _target(group: Any, container: Any, port: Any) -> dict[str, Any]:
    return {"target_group": group, "container": container, "port": port}


def found_containers(found: Mapping[str, Any]) -> Iterator[Resource]:
    """What stands. Images of earlier releases are kept for a way back: they are no drift."""
    for repository in found["repositories"]:
        yield from _found_repository(repository, found["repository_settings"][repository["repositoryName"]])
    for group in found["task_log_groups"]:
        fields = {"retention": group.get("retentionInDays"), "tags": tags_of(group)}
        yield Resource("task_log_group", group["logGroupName"], fields, group["logGroupName"], group["arn"])
    for cluster in found["clusters"]:
        yield Resource("cluster", cluster["clusterName"], {"tags": tags_of(cluster)}, cluster["clusterName"], cluster["clusterArn"])
    newest = found["newest_definitions"]
    for family, definition in newest.items():
        yield Resource("task_definition", family, _found_definition(definition), family, definition["taskDefinitionArn"])
    for service in found["ecs_services"]:
        if service["status"] == "ACTIVE":
            yield _found_service(service, {definition["taskDefinitionArn"] for definition in newest.values()})
    for target in found["scalable_targets"]:
        _, cluster_name, name = target["ResourceId"].split("/")
        fields = {"cluster": cluster_name, "min_tasks": target["MinCapacity"], "max_tasks": target["MaxCapacity"]}
        yield Resource("ecs_scaling", name, fields, name, target["ResourceId"])
    for item in found["service_scaling_policies"]:
        yield _found_policy(item)


def _found_repository(repository: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Resource]:
    name, encryption = repository["repositoryName"], repository.get("encryptionConfiguration") or {}
    fields = {
        "immutable_tags": repository["imageTagMutability"] == "IMMUTABLE",
        "scan_on_push": bool(repository["imageScanningConfiguration"]["scanOnPush"]),
        "encryption": {"type": encryption.get("encryptionType", "AES256"), "key": encryption.get("kmsKey", "")},
        "lifecycle": json.loads(settings["lifecycle"]) if settings["lifecycle"] else None,
        "tags": tags_of(settings),
    }
    yield Resource("repository", name, fields, name, repository["repositoryArn"])
    if settings["policy"]:
        yield Resource("repository_policy", name, {"policy": policy(settings["policy"])}, name, repository["repositoryArn"], foreign=True)
    for tag in repository["imageTags"]:
        yield Resource("container_image", tag, {"tag": tag}, tag, f"{repository['repositoryUri']}:{tag}", borrowed=True)


def _found_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a revision. Of several containers the first is compared, the others are further settings."""
    container, *others = definition["containerDefinitions"]
    port, *ports = container.get("portMappings") or [{}]
    log = container.get("logConfiguration") or {}
    further = {
        **{key: container[key] for key in CONTAINER_SETTINGS if container.get(key)},
        **{key: definition[key] for key in DEFINITION_SETTINGS if definition.get(key)},
        **({"ports": ports} if ports else {}),
        **({"containers": [other["name"] for other in others]} if others else {}),
    }
    return {
        "container": container["name"],
        "image": container["image"],
        "port": port.get("containerPort"),
        "protocol": port.get("protocol", "tcp"),
        "environment": {entry["name"]: entry["value"] for entry in container.get("environment") or []},
        "secrets": {entry["name"]: entry["valueFrom"] for entry in container.get("secrets") or []},
        "cpu": _amount(definition.get("cpu")),
        "memory": _amount(definition.get("memory")),
        "execution_role": definition.get("executionRoleArn"),
        "task_role": definition.get("taskRoleArn"),
        "network_mode": definition.get("networkMode"),
        "compatibilities": definition.get("requiresCompatibilities") or [],
        "platform": definition.get("runtimePlatform") or PLATFORM,
        "essential": container.get("essential", True),
        "read_only": bool(container.get("readonlyRootFilesystem")),
        "log": {"driver": log.get("logDriver"), **(log.get("options") or {})},
        "further": further,
        "tags": tags_of(definition),
    }


def _amount(value: Any) -> int | None:
    return int(value) if value else None


def _found_service(service: Mapping[str, Any], newest: set[str]) -> Resource:
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    deployment = service.get("deploymentConfiguration") or {}
    breaker = deployment.get("deploymentCircuitBreaker") or {}
    fields = {
        "cluster": service["path"].split("/")[0],
        "task_definition": NEWEST if service["taskDefinition"] in newest else service["taskDefinition"],
        "launch_type": service.get("launchType"),
        "scheduling": service.get("schedulingStrategy"),
        "subnets": sorted(network.get("subnets", [])),
        "security_groups": sorted(network.get("securityGroups", [])),
        "public_addresses": network.get("assignPublicIp") == "ENABLED",
        "targets": [
            _target(item.get("targetGroupArn"), item.get("containerName"), item.get("containerPort"))
            for item in service.get("loadBalancers") or []
        ],
        "min_healthy_percent": deployment.get("minimumHealthyPercent"),
        "max_percent": deployment.get("maximumPercent"),
        "circuit_breaker": bool(breaker.get("enable") and breaker.get("rollback")),
        "health_check_grace_period": service.get("healthCheckGracePeriodSeconds"),
        "propagate_tags": service.get("propagateTags"),
        "tags": tags_of(service),
    }
    return Resource("ecs_service", service["serviceName"], fields, service["serviceName"], service["serviceArn"])


def _found_policy(item: Mapping[str, Any]) -> Resource:
    """A scaling policy; of one that follows no target, its steps."""
    follows = item.get("TargetTrackingScalingPolicyConfiguration") or {}
    fields = {
        "type": item["PolicyType"],
        "metric": follows.get("PredefinedMetricSpecification") or follows.get("CustomizedMetricSpecification"),
        "target": follows.get("TargetValue"),
        "scale_out_cooldown": follows.get("ScaleOutCooldown"),
        "scale_in_cooldown": follows.get("ScaleInCooldown"),
        "scales_in": not follows.get("DisableScaleIn"),
    }
    return Resource("ecs_scaling_policy", item["PolicyName"], fields, item["PolicyName"], item["PolicyARN"])
