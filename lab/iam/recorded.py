"""From the permissions that a run has needed, as the request log notes them, to a policy document that allows them and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .conditions import listed

Permission = tuple[str, str]  # action, resource
FREE = {"sts:GetCallerIdentity"}
WHOLE = ("iam:Get", "iam:List", "logs:DescribeLogGroups")
PASSED_TO = ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]
LINKED = ["autoscaling", "ecs", "ecs.application-autoscaling", "elasticloadbalancing", "rds"]

# What AWS asks for and a lab never sees: encryption with AWS's own keys, the roles that services make for themselves on first use, and what
# GuardDuty leaves in a VPC.
ONLY_AWS: tuple[dict[str, Any], ...] = (
    {"Sid": "EncryptedVolumes", "Effect": "Allow", "Action": ["kms:CreateGrant", "kms:DescribeKey"], "Resource": "*",
     "Condition": {"StringLike": {"kms:ViaService": ["ec2.*.amazonaws.com", "rds.*.amazonaws.com", "secretsmanager.*.amazonaws.com"]}}},
    {"Sid": "RolesOfServices", "Effect": "Allow", "Action": ["iam:CreateServiceLinkedRole"],
     "Resource": "arn:aws:iam::*:role/aws-service-role/*",
     "Condition": {"StringEquals": {"iam:AWSServiceName": [f"{service}.amazonaws.com" for service in LINKED]}}},
    {"Sid": "EndpointsOfGuardDuty", "Effect": "Allow", "Action": ["ec2:DeleteVpcEndpoints"], "Resource": "*",
     "Condition": {"StringEquals": {"aws:ResourceTag/GuardDutyManaged": "true"}}},
)  # fmt: skip


def permissions(noted: Iterable[str]) -> set[Permission]:
    """`action resource` of the log, with the resource widened: any account and region, and all that is below its first name.

    IAM is read as a whole: what does not exist has no path yet by which a policy could name it. So are log groups, which are never named.
    """
    pairs = (entry.split(" ", 1) for entry in noted)
    return {(action, "*" if action.startswith(WHOLE) else widened(resource)) for action, resource in pairs if action not in FREE}


def widened(resource: str) -> str:
    """`arn:aws:iam::123456789012:role/uda/uda-web` -> `arn:aws:iam::*:role/uda/*`; a bucket, whose name is the world's, stays."""
    if not resource.startswith("arn:"):
        return resource
    _, partition, service, region, account, name = resource.split(":", 5)
    if service == "s3":
        return f"arn:{partition}:s3:::{name.partition('/')[0]}{'/*' if '/' in name else ''}"
    depth = 1 if service == "secretsmanager" else 2  # secret:<stack>/<name>, but role/<stack>/<name> and log-group:/<stack>/<name>
    parts = name.split("/")
    short = "/".join(parts[:depth]) + "/*" if len(parts) > depth else name
    return f"arn:{partition}:{service}:{'*' if region else ''}:{'*' if account else ''}:{short}"


def of_document(document: Mapping[str, Any]) -> set[Permission]:
    """The permissions that a document of this module allows."""
    fixed = {statement["Sid"] for statement in ONLY_AWS}
    return {
        (action, resource)
        for statement in document["Statement"]
        if statement["Sid"] not in fixed
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def document(wanted: Iterable[Permission]) -> dict[str, Any]:
    """A policy: a statement for each service and each set of actions that shares its resources, in the order of their names."""
    resources: dict[str, set[str]] = defaultdict(set)
    for action, resource in wanted:
        resources[action].add(resource)
    actions: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for action, found in resources.items():
        key = "pass-role" if action == "iam:PassRole" else action.partition(":")[0]
        actions[key, ("*",) if "*" in found else tuple(sorted(found))].append(action)
    numbers: dict[str, int] = defaultdict(int)
    statements = []
    for (key, found_resources), allowed in sorted(actions.items()):
        numbers[key] += 1
        name = "".join(word.capitalize() for word in key.split("-"))
        statement: dict[str, Any] = {
            "Sid": f"{name}{numbers[key] if numbers[key] > 1 else ''}",
            "Effect": "Allow",
            "Action": sorted(allowed),
            "Resource": found_resources[0] if len(found_resources) == 1 else list(found_resources),
        }
        if key == "pass-role":
            statement["Condition"] = {"StringEquals": {"iam:PassedToService": PASSED_TO}}
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": [*statements, *ONLY_AWS]}
