# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan reads of repositories, task definitions and scaling beyond stack.read. Nothing is asked where nothing stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Settings that the role `ecs` leaves alone and AWS tells only when somebody has made them. They change what a task is or may do.
# (ECS API Reference, "ContainerDefinition" and "TaskDefinition".)
CONTAINER_SETTINGS = (
    "command", "cpu", "credentialSpecs", "dependsOn", "disableNetworking", "dnsSearchDomains", "dnsServers", "dockerLabels",
    "dockerSecurityOptions", "entryPoint", "environmentFiles", "extraHosts", "firelensConfiguration", "healthCheck", "hostname",
    "interactive", "links", "linuxParameters", "memory", "memoryReservation", "mountPoints", "privileged", "pseudoTerminal",
    "repositoryCredentials", "resourceRequirements", "restartPolicy", "startTimeout", "stopTimeout", "systemControls", "ulimits", "user",
    "volumesFrom", "workingDirectory",
)  # fmt: skip
DEFINITION_SETTINGS = (
    "ephemeralStorage", "inferenceAccelerators", "ipcMode", "pidMode", "placementConstraints", "proxyConfiguration", "volumes",
)  # fmt: skip


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The tasks' log group, policies and tags of repositories, the newest revision of each family, the policies of what is scaled."""
    ecr, ecs, scaling, logs = (clients[name] for name in ("ecr", "ecs", "application-autoscaling", "logs"))
    name = wanted.get("ecs_log_group") if wanted.get("stack_compute") == "containers" else None
    groups = [group for group in found["log_groups"] if group["logGroupName"] == name]
    return {
        "task_log_groups": lambda: [{**group, "Tags": logs.list_tags_log_group(logGroupName=name)["tags"]} for group in groups],
        "repository_settings": lambda: {item["repositoryName"]: repository(ecr, item) for item in found["repositories"]},
        "newest_definitions": lambda: {family: definition(ecs, arn) for family, arn in newest(found["task_definitions"]).items()},
        "service_scaling_policies": lambda: [policy for target in found["scalable_targets"] for policy in policies(scaling, target)],
    }


def repository(ecr: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    """`{lifecycle, policy}` as AWS's texts, None for none, and `tags`."""
    name = item["repositoryName"]
    return {
        "lifecycle": text(ecr.get_lifecycle_policy, name, "lifecyclePolicyText", ecr.exceptions.LifecyclePolicyNotFoundException),
        "policy": text(ecr.get_repository_policy, name, "policyText", ecr.exceptions.RepositoryPolicyNotFoundException),
        "tags": ecr.list_tags_for_resource(resourceArn=item["repositoryArn"])["tags"],
    }


def text(call: Callable[..., Mapping[str, Any]], name: str, key: str, missing: type[Exception]) -> str | None:
    try:
        return str(call(repositoryName=name)[key])
    except missing:
        return None


def newest(definitions: list[Mapping[str, Any]]) -> dict[str, str]:
    """Family -> ARN of its newest revision."""
    arns = sorted((item["taskDefinitionArn"] for item in definitions), key=lambda arn: int(arn.rpartition(":")[2]))
    return {arn.rpartition("/")[2].rpartition(":")[0]: arn for arn in arns}


def definition(ecs: Any, arn: str) -> dict[str, Any]:
    told = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return {**told["taskDefinition"], "tags": told.get("tags", [])}


def policies(scaling: Any, target: Mapping[str, Any]) -> list[dict[str, Any]]:
    pages = scaling.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="ecs", ResourceId=target["ResourceId"])
    return [policy for page in pages for policy in page["ScalingPolicies"]]
