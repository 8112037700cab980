# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack of containers: repository, task and service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .check_watch import retention
from .problem import Wanted, in_order, listing, names, problem, within
from .routes import subnet_tables

REQUIRED = ("ecr_name", "ecs_cluster_name", "ecs_service_name", "ecs_min_tasks", "ecs_max_tasks")
MEMORY = {  # CPU units -> MiB of memory that go with them (ECS Developer Guide, "Task CPU and memory")
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
NEEDED = ("ecr.api", "ecr.dkr", "s3", "logs", "secretsmanager")  # what a task asks before its program starts
NAME_RULE = "Use 1 to 255 letters, digits, hyphens and underscores"


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the containers; nothing for a stack of machines."""
    if wanted.get("stack_compute") != "containers":
        return
    for variable in REQUIRED:
        if wanted.get(variable) in (None, ""):
            yield f"{variable} is not set. Set it in the inventory, in group_vars/stack/"
    for variable in ("ecs_cluster_name", "ecs_service_name"):
        yield from names(wanted, variable, r"[A-Za-z0-9_-]{1,255}", NAME_RULE)
    yield from names_by_stack(wanted)
    yield from size(wanted)
    yield from in_order(wanted, "ecs_min_tasks", "ecs_desired_tasks", "ecs_max_tasks")
    yield from targets(wanted)
    yield from way_out(wanted)
    yield from admitted(wanted)
    yield from within(wanted, "ecr_keep", 1, 1000, " images")
    yield from within(wanted, "ecs_health_check_grace_period", 0, 2147483647, " seconds")
    yield from within(wanted, "ecs_cpu_target", 1, 100, " percent")
    yield from retention("ecs_log_retention_days", wanted.get("ecs_log_retention_days"))


def names_by_stack(wanted: Wanted) -> Iterator[str]:
    """What AWS cannot find by tag is found by the stack's name."""
    stack = wanted.get("stack_name")
    for variable in ("ecs_cluster_name", "ecs_service_name"):
        if stack and wanted.get(variable) not in (None, stack):
            yield problem(variable, wanted[variable], "not the stack's name, by which it is found again", f"Use {stack}")
    repository = wanted.get("ecr_name")
    if stack and repository and str(repository).partition("/")[0] != stack:
        yield problem("ecr_name", repository, "the stack's name is not its first part", f"Use {stack} or {stack}/ and a name")
    yield from names(
        wanted, "ecr_name", r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*",
        "Use lower-case letters and digits, with single . _ - or / between them",
    )  # fmt: skip


def size(wanted: Wanted) -> Iterator[str]:
    """Fargate has certain pairs of CPU and memory alone."""
    cpu, memory = wanted.get("ecs_cpu", 256), wanted.get("ecs_memory", 512)
    if cpu not in MEMORY:
        yield problem("ecs_cpu", cpu, "no size that Fargate has", f"Choose one of {', '.join(map(str, MEMORY))}")
    elif memory not in MEMORY[cpu]:
        yield problem("ecs_memory", memory, f"Fargate does not have it with ecs_cpu {cpu}", f"Choose {span(MEMORY[cpu])}")


def span(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values)) if len(values) < 4 else f"{values[0]} to {values[-1]} in steps of {values[1] - values[0]}"


def targets(wanted: Wanted) -> Iterator[str]:
    """Tasks join the target group `web` by their addresses, on the port that they listen on."""
    groups = wanted.get("alb_target_groups") or {}
    port = wanted.get("ecs_port", 8080)
    if not 1 <= port <= 65535:
        yield problem("ecs_port", port, "no port", "Choose 1 to 65535")
    if "web" not in groups:
        yield problem("alb_target_groups", listing(groups), "tasks have no target group", "Add one with the key web")
    elif groups["web"].get("target_type") != "ip":
        kind = groups["web"].get("target_type", "instance")
        yield problem("alb_target_groups.web.target_type", kind, "tasks have no instance", "Use ip")


def way_out(wanted: Wanted) -> Iterator[str]:
    """A task reaches AWS's services from its subnet, or it never starts. What a borrowed VPC has, nobody knows here."""
    endpoints = {endpoint.get("service") for endpoint in maps(wanted, "vpc_endpoints_map").values()}
    if wanted.get("vpc_borrowed") or endpoints >= set(NEEDED):
        return
    tier, tables, of_subnets = wanted.get("stack_task_tier"), maps(wanted, "vpc_route_tables"), subnet_tables(wanted)
    for key, subnet in maps(wanted, "vpc_subnets").items():
        table = tables.get(of_subnets.get(key, ""), {})
        public = table.get("internet") and wanted.get("ecs_assign_public_ip")
        if subnet.get("tier") == tier and not table.get("nat_gateway") and not public:
            wrong = f"no task in its subnet {key} could pull its image, for want of a way to AWS's services"
            remedy = f"Give its route table a nat_gateway, or describe vpc_endpoints_map for {', '.join(NEEDED)}"
            yield problem("stack_task_tier", tier, wrong, remedy)


def admitted(wanted: Wanted) -> Iterator[str]:
    """The load balancer must be let in to the tasks, and they to the database."""
    groups, task = maps(wanted, "security_groups_map"), wanted.get("stack_task_group")
    for group, port, source in (
        (task, wanted.get("ecs_port", 8080), wanted.get("stack_load_balancer_group")),
        (wanted.get("stack_database_group"), wanted.get("rds_port"), task),
    ):
        rules = [
            rule for rule in groups.get(group or "", {}).get("ingress") or [] if isinstance(rule, Mapping) and rule.get("port") == port
        ]
        if group in groups and port and not any(rule.get("group") == source or rule.get("cidrs") for rule in rules):
            remedy = f"Add a rule with port: {port} and group: {source}"
            yield f"security_groups_map.{group}.ingress does not let {source} in on port {port}, so nothing would be served. {remedy}"


def maps(wanted: Wanted, variable: str) -> dict[str, Mapping[str, Any]]:
    """The entries of a map variable that are maps; others are told elsewhere."""
    return {key: entry for key, entry in (wanted.get(variable) or {}).items() if isinstance(entry, Mapping)}
