# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what a stack of containers has: repository, cluster with its service, task definitions, scaling.

ECR's and ECS's APIs cannot filter by tag, so names narrow the search: a repository is called by the stack's name or begins with it and
a slash; a family of task definitions and a scaled service are called by it.
"""

from __future__ import annotations

from typing import Any

from .aws import pages


def repositories(ecr: Any, name: str) -> list[dict[str, Any]]:
    """The stack's repositories, with the tags of their images as `imageTags`."""
    mine = [item for item in pages(ecr, "describe_repositories", "repositories") if item["repositoryName"].partition("/")[0] == name]
    for repository in mine:
        images = pages(ecr, "list_images", "imageIds", repositoryName=repository["repositoryName"], filter={"tagStatus": "TAGGED"})
        repository["imageTags"] = sorted({image["imageTag"] for image in images})
    return mine


def clusters(ecs: Any, name: str) -> list[dict[str, Any]]:
    """The stack's cluster, if there is one, with its `services`; one that is gone, which AWS goes on telling of, is none."""
    described = ecs.describe_clusters(clusters=[name], include=["TAGS"])["clusters"]
    found = [cluster for cluster in described if cluster["status"] == "ACTIVE" and _mine(cluster, name)]
    for cluster in found:
        cluster["services"] = services(ecs, cluster["clusterName"])
    return found


def services(ecs: Any, cluster: str) -> list[dict[str, Any]]:
    """Every service of a cluster: who owns the cluster owns them."""
    arns: list[Any] = pages(ecs, "list_services", "serviceArns", cluster=cluster)
    found = []
    for start in range(0, len(arns), 10):
        found += ecs.describe_services(cluster=cluster, services=arns[start : start + 10], include=["TAGS"])["services"]
    return [{**service, "path": f"{cluster}/{service['serviceName']}"} for service in found if service["status"] != "INACTIVE"]


def task_definitions(ecs: Any, name: str) -> list[dict[str, Any]]:
    """Those of the family that has the stack's name and are still in use."""
    arns = pages(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=name, status="ACTIVE")
    return [{"taskDefinitionArn": arn} for arn in arns]


def scalable_targets(scaling: Any, name: str) -> list[dict[str, Any]]:
    """Services whose number of tasks is scaled."""
    found = pages(scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs")
    return [target for target in found if target["ResourceId"].split("/")[1:2] == [name]]


def _mine(item: dict[str, Any], name: str) -> bool:
    return {"key": "Stack", "value": name} in item.get("tags", [])
