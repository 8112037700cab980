# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over what community.aws.ecs_taskdefinition_info and ecs_service_info tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

PLATFORM = {"cpu_architecture": "X86_64", "operating_system_family": "LINUX"}  # what Fargate takes when nothing is said
# Settings that the role leaves alone, and that AWS tells only when somebody has made them.
CONTAINER_SETTINGS = (
    "command", "cpu", "credential_specs", "depends_on", "disable_networking", "dns_search_domains", "dns_servers", "docker_labels",
    "docker_security_options", "entry_point", "environment_files", "extra_hosts", "firelens_configuration", "health_check", "hostname",
    "interactive", "links", "linux_parameters", "memory", "memory_reservation", "mount_points", "privileged", "pseudo_terminal",
    "repository_credentials", "resource_requirements", "restart_policy", "start_timeout", "stop_timeout", "system_controls", "ulimits",
    "user", "volumes_from", "working_directory",
)  # fmt: skip
DEFINITION_SETTINGS = (
    "ephemeral_storage", "inference_accelerators", "ipc_mode", "pid_mode", "placement_constraints", "proxy_configuration", "volumes",
)  # fmt: skip


def ecs_definition_described(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A task definition in the words of the role `ecs`, to be compared with what is wanted; empty for none that can be used."""
    containers = definition.get("container_definitions") or []
    if definition.get("status") != "ACTIVE" or len(containers) != 1:
        return {}
    container = containers[0]
    mappings = container.get("port_mappings") or []
    ports = [mapping["container_port"] for mapping in mappings]
    log = container.get("log_configuration") or {}
    return {
        "container": container["name"],
        "image": container["image"],
        "port": ports[0] if len(ports) == 1 else None,
        "protocols": [mapping.get("protocol", "tcp") for mapping in mappings],
        "environment": {entry["name"]: entry["value"] for entry in container.get("environment") or []},
        "secrets": {entry["name"]: entry["value_from"] for entry in container.get("secrets") or []},
        "cpu": definition.get("cpu"),
        "memory": definition.get("memory"),
        "execution_role_arn": definition.get("execution_role_arn"),
        "task_role_arn": definition.get("task_role_arn"),
        "network_mode": definition.get("network_mode"),
        "compatibilities": definition.get("requires_compatibilities"),
        "platform": definition.get("runtime_platform") or PLATFORM,
        "essential": container.get("essential", True),
        "read_only": bool(container.get("readonly_root_filesystem")),
        "log": {"driver": log.get("log_driver"), **(log.get("options") or {})},
        "further": [name for name in CONTAINER_SETTINGS if container.get(name)]
        + [name for name in DEFINITION_SETTINGS if definition.get(name)],
    }


def ecs_service_described(services: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The one service in the words of the role `ecs`; empty when there is none, or it is being deleted."""
    found = [service for service in services if service["status"] == "ACTIVE"]
    if not found:
        return {}
    service = found[0]
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    deployment = service.get("deploymentConfiguration") or {}
    breaker = deployment.get("deploymentCircuitBreaker") or {}
    return {
        "task_definition": service["taskDefinition"],
        "subnet_ids": sorted(network.get("subnets", [])),
        "security_group_ids": sorted(network.get("securityGroups", [])),
        "assign_public_ip": network.get("assignPublicIp") == "ENABLED",
        "targets": [
            {"group": target.get("targetGroupArn"), "container": target.get("containerName"), "port": target.get("containerPort")}
            for target in service.get("loadBalancers") or []
        ],
        "min_healthy_percent": deployment.get("minimumHealthyPercent"),
        "max_percent": deployment.get("maximumPercent"),
        "grace_period": service.get("healthCheckGracePeriodSeconds"),
        "circuit_breaker": bool(breaker.get("enable") and breaker.get("rollback")),
    }


class FilterModule:
    """The filters of this file by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"ecs_definition_described": ecs_definition_described, "ecs_service_described": ecs_service_described}
