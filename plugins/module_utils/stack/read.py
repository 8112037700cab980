# SPDX-License-Identifier: GPL-3.0-or-later
"""Read everything that may belong to a stack: one describe per kind of resource, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

SERVICES = ("ec2", "elbv2", "autoscaling", "rds", "iam", "secretsmanager", "sts")

Clients = Mapping[str, Any]
Found = dict[str, list[dict[str, Any]]]


def read(clients: Clients, name: str) -> Found:
    """What AWS holds by kind, as AWS words it: filtered by the tag Stack where the API can, else whole."""
    mine = [{"Name": "tag:Stack", "Values": [name]}]
    ec2, rds, iam = clients["ec2"], clients["rds"], clients["iam"]
    reads: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "vpcs": lambda: pages(ec2, "describe_vpcs", "Vpcs", Filters=mine),
        "subnets": lambda: pages(ec2, "describe_subnets", "Subnets", Filters=mine),
        "internet_gateways": lambda: pages(ec2, "describe_internet_gateways", "InternetGateways", Filters=mine),
        "route_tables": lambda: pages(ec2, "describe_route_tables", "RouteTables", Filters=mine),
        "security_groups": lambda: pages(ec2, "describe_security_groups", "SecurityGroups", Filters=mine),
        "key_pairs": lambda: ec2.describe_key_pairs(Filters=mine)["KeyPairs"],
        "images": lambda: pages(ec2, "describe_images", "Images", Owners=["self"], Filters=mine),
        "snapshots": lambda: pages(ec2, "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=mine),
        "launch_templates": lambda: pages(ec2, "describe_launch_templates", "LaunchTemplates", Filters=mine),
        "instances": lambda: instances(ec2, mine),
        "groups": lambda: pages(clients["autoscaling"], "describe_auto_scaling_groups", "AutoScalingGroups", Filters=mine),
        "load_balancers": lambda: tagged(clients["elbv2"], "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", name),
        "target_groups": lambda: tagged(clients["elbv2"], "describe_target_groups", "TargetGroups", "TargetGroupArn", name),
        "databases": lambda: of_stack(pages(rds, "describe_db_instances", "DBInstances"), "TagList", name),
        "database_snapshots": lambda: of_stack(pages(rds, "describe_db_snapshots", "DBSnapshots"), "TagList", name),
        "subnet_groups": lambda: pages(rds, "describe_db_subnet_groups", "DBSubnetGroups"),
        "roles": lambda: pages(iam, "list_roles", "Roles", PathPrefix=f"/{name}/"),
        "instance_profiles": lambda: pages(iam, "list_instance_profiles", "InstanceProfiles", PathPrefix=f"/{name}/"),
        "secrets": lambda: secrets(clients["secretsmanager"], name),
    }
    with ThreadPoolExecutor(max_workers=8) as pool:
        futures = {kind: pool.submit(call) for kind, call in reads.items()}
        found = {kind: future.result() for kind, future in futures.items()}
    vpc_ids = {vpc["VpcId"] for vpc in found["vpcs"]}
    found["subnet_groups"] = [group for group in found["subnet_groups"] if group["VpcId"] in vpc_ids]
    return found


def pages(client: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    """All pages of a describe call."""
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page.get(key, [])]


def instances(ec2: Any, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Instances that are not ended: AWS goes on telling of those for an hour."""
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}]
    reservations = pages(ec2, "describe_instances", "Reservations", Filters=filters + alive)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def tagged(elbv2: Any, operation: str, key: str, arn: str, name: str) -> list[dict[str, Any]]:
    """Load balancing resources of the stack, with their tags: the API tells tags apart, twenty at a time."""
    items = {item[arn]: item for item in pages(elbv2, operation, key)}
    arns = list(items)
    for start in range(0, len(arns), 20):
        for description in elbv2.describe_tags(ResourceArns=arns[start : start + 20])["TagDescriptions"]:
            items[description["ResourceArn"]]["Tags"] = description["Tags"]
    return of_stack(list(items.values()), "Tags", name)


def of_stack(items: list[dict[str, Any]], tags: str, name: str) -> list[dict[str, Any]]:
    """Those that carry the tag Stack with this name."""
    return [item for item in items if {"Key": "Stack", "Value": name} in item.get(tags, [])]


def secrets(secretsmanager: Any, name: str) -> list[dict[str, Any]]:
    """The stack's secrets, those that wait for their deletion left out."""
    found = pages(secretsmanager, "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [f"{name}/"]}])
    return [secret for secret in of_stack(found, "Tags", name) if "DeletedDate" not in secret]
