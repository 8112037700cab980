# SPDX-License-Identifier: GPL-3.0-or-later
"""How machines and tasks are: what the plan does not ask for, since it comes and goes by itself. Reads AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def live(clients: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """`{health: {id or address of a target: state}, tasks: [...]}`, tasks as ECS words them.

    `found` is what stack.read has found. ELB's API Reference, DescribeTargetHealth; ECS's, ListTasks and DescribeTasks (a hundred at
    a time). Raises botocore's errors.
    """
    health: dict[str, str] = {}
    for group in found["target_groups"]:
        told = clients["elbv2"].describe_target_health(TargetGroupArn=group["TargetGroupArn"])
        health |= {item["Target"]["Id"]: item["TargetHealth"]["State"] for item in told["TargetHealthDescriptions"]}
    tasks: list[dict[str, Any]] = []
    for cluster in found["clusters"]:
        name = cluster["clusterName"]
        pages = clients["ecs"].get_paginator("list_tasks").paginate(cluster=name, PaginationConfig={"PageSize": 100})
        for page in pages:
            if page["taskArns"]:
                tasks += clients["ecs"].describe_tasks(cluster=name, tasks=page["taskArns"])["tasks"]
    return {"health": health, "tasks": tasks}
