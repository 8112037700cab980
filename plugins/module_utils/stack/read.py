# SPDX-License-Identifier: GPL-3.0-or-later
"""Read everything that may belong to a stack: one describe per kind of resource, all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from . import read_database
from .aws import of_stack, pages, unless_gone
from .check_release import bucket_prefix
from .read_containers import clusters, repositories, scalable_targets, task_definitions

SERVICES = (
    "ec2", "elbv2", "autoscaling", "rds", "iam", "secretsmanager", "sts", "cloudwatch", "sns", "logs", "acm", "s3", "ssm",
    "ecr", "ecs", "application-autoscaling",
)  # fmt: skip
SECRETS = ("stack_database_secret", "stack_app_secret")  # variables with the names of the stack's secrets
OWNED_BY_AWS = "TargetTracking-"  # alarms of target tracking policies, which go with them

Clients = Mapping[str, Any]
Found = dict[str, list[dict[str, Any]]]


def read(clients: Clients, name: str, wanted: Mapping[str, Any] | None = None) -> Found:
    """What AWS holds by kind, as AWS words it: filtered by the tag Stack where the API can, else whole.

    `wanted` (the stack's variables) says what is borrowed: that is found by its name, under a kind of its own.
    """
    wanted = wanted or {}
    mine = [{"Name": "tag:Stack", "Values": [name]}]
    nat_gateway_states = [{"Name": "state", "Values": ["pending", "available", "failed", "deleting"]}]
    ec2, rds, iam = clients["ec2"], clients["rds"], clients["iam"]
    reads: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "vpcs": lambda: pages(ec2, "describe_vpcs", "Vpcs", Filters=mine),
        "subnets": lambda: pages(ec2, "describe_subnets", "Subnets", Filters=mine),
        "internet_gateways": lambda: pages(ec2, "describe_internet_gateways", "InternetGateways", Filters=mine),
        "route_tables": lambda: pages(ec2, "describe_route_tables", "RouteTables", Filters=mine),
        "security_groups": lambda: pages(ec2, "describe_security_groups", "SecurityGroups", Filters=mine),
        "nat_gateways": lambda: pages(ec2, "describe_nat_gateways", "NatGateways", Filters=mine + nat_gateway_states),
        "addresses": lambda: ec2.describe_addresses(Filters=mine)["Addresses"],
        "vpc_endpoints": lambda: standing(pages(ec2, "describe_vpc_endpoints", "VpcEndpoints", Filters=mine)),
        "key_pairs": lambda: ec2.describe_key_pairs(Filters=mine, IncludePublicKey=True)["KeyPairs"],
        "images": lambda: pages(ec2, "describe_images", "Images", Owners=["self"], Filters=mine),
        "snapshots": lambda: pages(ec2, "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=mine),
        "launch_templates": lambda: pages(ec2, "describe_launch_templates", "LaunchTemplates", Filters=mine),
        "instances": lambda: instances(ec2, mine),
        "groups": lambda: pages(clients["autoscaling"], "describe_auto_scaling_groups", "AutoScalingGroups", Filters=mine),
        "load_balancers": lambda: tagged(clients["elbv2"], "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", name),
        "target_groups": lambda: tagged(clients["elbv2"], "describe_target_groups", "TargetGroups", "TargetGroupArn", name),
        "certificates": lambda: certificates(clients["acm"], name),
        "buckets": lambda: buckets(clients["s3"], name),
        **read_database.reads(rds),
        "database_snapshots": lambda: of_stack(pages(rds, "describe_db_snapshots", "DBSnapshots"), "TagList", name),
        "roles": lambda: pages(iam, "list_roles", "Roles", PathPrefix=f"/{name}/"),
        "instance_profiles": lambda: pages(iam, "list_instance_profiles", "InstanceProfiles", PathPrefix=f"/{name}/"),
        "named_secrets": lambda: named_secrets(clients["secretsmanager"], name, wanted),
        "policies": lambda: pages(clients["autoscaling"], "describe_policies", "ScalingPolicies"),
        "named_topics": lambda: named_topics(clients["sns"], name),
        "alarms": lambda: pages(clients["cloudwatch"], "describe_alarms", "MetricAlarms"),
        "log_groups": lambda: pages(clients["logs"], "describe_log_groups", "logGroups", logGroupNamePrefix=f"/{name}/"),
        "dashboards": lambda: dashboards(clients["cloudwatch"], name),
        "parameters": lambda: parameters(clients["ssm"], name),
        "repositories": lambda: repositories(clients["ecr"], name),
        "clusters": lambda: clusters(clients["ecs"], name),
        "task_definitions": lambda: task_definitions(clients["ecs"], name),
        "scalable_targets": lambda: scalable_targets(clients["application-autoscaling"], name),
    }
    with ThreadPoolExecutor(max_workers=8) as pool:
        futures = {kind: pool.submit(call) for kind, call in reads.items()}
        found = {kind: future.result() for kind, future in futures.items()}
    found["secrets"] = of_stack(found["named_secrets"], "Tags", name)
    found["topics"] = of_stack(found["named_topics"], "Tags", name)
    found["ecs_services"] = [service for cluster in found["clusters"] for service in cluster.pop("services")]
    groups = {group["AutoScalingGroupName"] for group in found["groups"]}
    found["policies"] = [policy for policy in found["policies"] if policy["AutoScalingGroupName"] in groups]
    found["named_alarms"] = [alarm for alarm in found["alarms"] if alarm["AlarmName"].startswith(f"{name}-")]
    found["alarms"] = alarms(found["alarms"], {topic["TopicArn"] for topic in found["topics"]}, groups)
    return found | read_database.shared_out(found, name, wanted)


def instances(ec2: Any, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Instances that are not ended: AWS goes on telling of those for an hour."""
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}]
    reservations = pages(ec2, "describe_instances", "Reservations", Filters=filters + alive)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def standing(endpoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Endpoints that are not gone: AWS goes on telling of those for a while."""
    return [endpoint for endpoint in endpoints if endpoint["State"].lower() not in ("deleted", "expired", "rejected")]


def tagged(elbv2: Any, operation: str, key: str, arn: str, name: str) -> list[dict[str, Any]]:
    """Load balancing resources of the stack, with their tags: the API tells tags apart, of twenty at a time, unless one is gone."""
    items = {item[arn]: item for item in pages(elbv2, operation, key)}
    arns = list(items)

    def described(some: list[str]) -> list[dict[str, Any]]:
        return unless_gone(elbv2, lambda: elbv2.describe_tags(ResourceArns=some)["TagDescriptions"]) or []

    for start in range(0, len(arns), 20):
        some = arns[start : start + 20]
        for description in described(some) or [one for arn in some for one in described([arn])]:
            items[description["ResourceArn"]]["Tags"] = description["Tags"]
    return of_stack(list(items.values()), "Tags", name)


KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]  # else RSA_2048 alone is told


def certificates(acm: Any, name: str) -> list[dict[str, Any]]:
    """Imported certificates of the stack, with their tags: one that Certificate Manager made is never a stack's own."""
    found = pages(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": KEY_TYPES})
    imported = [certificate for certificate in found if certificate.get("Type") == "IMPORTED"]
    for certificate in imported:
        told = unless_gone(acm, partial(acm.list_tags_for_certificate, CertificateArn=certificate["CertificateArn"]))
        certificate["Tags"] = told["Tags"] if told else []
    return of_stack(imported, "Tags", name)


def named_secrets(manager: Any, name: str, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The secrets below the stack's name, whatever their tags, those that wait for their deletion left out.

    Each is described by itself, those that the stack wants too: what ListSecrets tells is up to five minutes old (Secrets Manager API
    Reference, ListSecrets), so that it would not know of one that was made just now.
    """
    prefix = f"{name}/"
    listed = pages(manager, "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [prefix]}])
    names = {secret["Name"] for secret in listed} | {str(wanted.get(variable)) for variable in SECRETS}
    described = [unless_gone(manager, partial(manager.describe_secret, SecretId=one)) for one in sorted(names) if one.startswith(prefix)]
    return [secret for secret in described if secret and "DeletedDate" not in secret]


def named_topics(sns: Any, name: str) -> list[dict[str, Any]]:
    """The topics that are named after the stack, with their tags, which are told one topic at a time, so that others are not asked for."""
    named = [topic for topic in pages(sns, "list_topics", "Topics") if topic["TopicArn"].split(":")[-1].startswith(f"{name}-")]
    for topic in named:
        told = unless_gone(sns, partial(sns.list_tags_for_resource, ResourceArn=topic["TopicArn"]))
        topic["Tags"] = told["Tags"] if told else []
    return named


def alarms(items: list[dict[str, Any]], topic_arns: set[str], groups: set[str]) -> list[dict[str, Any]]:
    """The collections' module gives alarms no tags: the stack's are those that tell its topics or scale its groups."""
    return [
        item
        for item in items
        if not item["AlarmName"].startswith(OWNED_BY_AWS)
        and any(action in topic_arns or scaled_group(action) in groups for action in item.get("AlarmActions", []))
    ]


def scaled_group(action: str) -> str | None:
    """The Auto Scaling group in the ARN of a scaling policy."""
    return action.split(":autoScalingGroupName/")[1].split(":")[0] if ":autoScalingGroupName/" in action else None


def dashboards(cloudwatch: Any, name: str) -> list[dict[str, Any]]:
    """Dashboards have no tags: the stack's has its name."""
    found = pages(cloudwatch, "list_dashboards", "DashboardEntries", DashboardNamePrefix=name)
    return [dashboard for dashboard in found if dashboard["DashboardName"] == name]


def buckets(s3: Any, name: str) -> list[dict[str, Any]]:
    """The stack's buckets, with their tags. S3 lists no tags and finds by the beginning of a name alone (ListBuckets, `Prefix`)."""
    found = []
    for bucket in pages(s3, "list_buckets", "Buckets", Prefix=f"{bucket_prefix(name)}-"):
        try:
            found.append({**bucket, "Tags": s3.get_bucket_tagging(Bucket=bucket["Name"])["TagSet"]})
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchTagSet", "NoSuchBucket"):  # it has no tags, or goes
                raise
    return of_stack(found, "Tags", name)


def parameters(ssm: Any, name: str) -> list[dict[str, Any]]:
    """The stack's parameters in SSM's Parameter Store: names and kinds, never values."""
    return pages(ssm, "describe_parameters", "Parameters", ParameterFilters=[{"Key": "tag:Stack", "Values": [name]}])
