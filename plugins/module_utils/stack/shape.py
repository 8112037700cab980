# SPDX-License-Identifier: GPL-3.0-or-later
"""From AWS's words to the facts that playbooks use. Pure: found resources in, one dictionary out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Item = Mapping[str, Any]


IDENTITY = {  # what the modules of the collections call a resource by
    "vpcs": "VpcId",
    "subnets": "SubnetId",
    "internet_gateways": "InternetGatewayId",
    "route_tables": "RouteTableId",
    "security_groups": "GroupId",
    "nat_gateways": "NatGatewayId",
    "addresses": "AllocationId",
    "vpc_endpoints": "VpcEndpointId",
    "key_pairs": "KeyName",
    "images": "ImageId",
    "snapshots": "SnapshotId",
    "launch_templates": "LaunchTemplateName",
    "instances": "InstanceId",
    "groups": "AutoScalingGroupName",
    "load_balancers": "LoadBalancerName",
    "target_groups": "TargetGroupName",
    "certificates": "CertificateArn",
    "buckets": "Name",
    "databases": "DBInstanceIdentifier",
    "database_snapshots": "DBSnapshotIdentifier",
    "subnet_groups": "DBSubnetGroupName",
    "parameter_groups": "DBParameterGroupName",
    "roles": "RoleName",
    "instance_profiles": "InstanceProfileName",
    "secrets": "Name",
    "policies": "PolicyName",
    "topics": "TopicArn",
    "alarms": "AlarmName",
    "log_groups": "logGroupName",
    "dashboards": "DashboardName",
    "parameters": "Name",
    "repositories": "repositoryName",
    "clusters": "clusterName",
    "ecs_services": "path",
    "task_definitions": "taskDefinitionArn",
    "scalable_targets": "ResourceId",
}


WORKING = ("pending", "available")  # a gateway or endpoint that goes, or has failed, is no part of the stack, and something to clear up


class AmbiguityError(Exception):
    """Two resources carry one key; the message names both."""


def shape(found: Mapping[str, list[dict[str, Any]]], strict: bool = True) -> dict[str, Any]:
    """Ids, names and addresses of a stack: None or empty for what is not there.

    Raises AmbiguityError when two resources claim one place; not strict, the facts that need one of a kind are left out.
    """
    lists = {
        "images": images(found["images"]),
        "instances": [instance(item) for item in found["instances"]],
        "security_group_ids": {tags(item).get("Key", item["GroupId"]): item["GroupId"] for item in found["security_groups"]},
        "route_table_ids": {tags(item).get("Key", item["RouteTableId"]): item["RouteTableId"] for item in found["route_tables"]},
        "resources": {kind: sorted(item[IDENTITY[kind]] for item in items) for kind, items in found.items() if items and kind in IDENTITY},
    }
    return {**lists, **single(found)} if strict else lists


def single(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The facts about resources that a stack has one of, or one for each key."""
    vpc = only(found["vpcs"], "VPC", "VpcId")
    gateway = only(found["internet_gateways"], "internet gateway", "InternetGatewayId")
    profile = only(found["instance_profiles"], "instance profile", "InstanceProfileName")
    subnets = {key: subnet(item) for key, item in keyed(found["subnets"], "subnet", "SubnetId").items()}
    gateways = keyed([item for item in found["nat_gateways"] if item["State"] in WORKING], "NAT gateway", "NatGatewayId")
    endpoints = [item for item in found["vpc_endpoints"] if item["State"].lower() in WORKING]
    return {
        "vpc_id": attribute(vpc, "VpcId"),
        "vpc_cidr": attribute(vpc, "CidrBlock"),
        "nat_gateways": {key: nat_gateway(item) for key, item in sorted(gateways.items())},
        "vpc_endpoint_ids": ids(endpoints, "VPC endpoint", "VpcEndpointId"),
        "igw_id": gateway["InternetGatewayId"] if gateway else None,
        "subnets": subnets,
        "subnet_ids": by_tier(subnets),
        "route_table_ids": ids(found["route_tables"], "route table", "RouteTableId"),
        "security_group_ids": ids(found["security_groups"], "security group", "GroupId"),
        "key_pair": attribute(only(found["key_pairs"], "key pair", "KeyName"), "KeyName"),
        "key_pair_public_key": next((pair["PublicKey"] for pair in found["key_pairs"] if pair.get("PublicKey")), None),
        "instance_profile_arn": profile["Arn"] if profile else None,
        "role_name": next((role["RoleName"] for role in profile["Roles"]), None) if profile else None,
        "role_arn": next((role["Arn"] for role in profile["Roles"]), None) if profile else None,
        "role_arns": {role["RoleName"]: role["Arn"] for role in found["roles"]},
        "database": database(found),
        "subnet_group_name": attribute(only(found["subnet_groups"], "DB subnet group", "DBSubnetGroupName"), "DBSubnetGroupName"),
        "load_balancer": load_balancer(only(found["load_balancers"], "load balancer", "LoadBalancerArn")),
        "target_group_arns": ids(found["target_groups"], "target group", "TargetGroupArn"),
        "certificate_arns": ids(found["certificates"], "certificate", "CertificateArn"),
        "bucket_names": ids(found["buckets"], "bucket", "Name"),
        "launch_template": launch_template(only(found["launch_templates"], "launch template", "LaunchTemplateId")),
        "parameter_names": sorted(item["Name"] for item in found["parameters"]),
        "repository": repository(only(found["repositories"], "repository", "repositoryName")),
        "service": service(only(found["ecs_services"], "ECS service", "path")),
        "fleet": {
            **fleet(only(found["groups"], "Auto Scaling group", "AutoScalingGroupName"), found["instances"]),
            "policy_names": sorted(policy["PolicyName"] for policy in found["policies"]),
        },
    }


def tags(item: Item) -> dict[str, str]:
    """The tags of a resource as a dictionary; RDS calls them TagList."""
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagList") or []}


def only(items: list[dict[str, Any]], kind: str, identity: str) -> dict[str, Any] | None:
    """The one resource of its kind, or None."""
    if len(items) > 1:
        raise AmbiguityError(
            f"the stack has {len(items)} resources of kind {kind} where one is expected: {names(items, identity)}. "
            "Remove the tag Stack from those that are not its own, or delete them"
        )
    return items[0] if items else None


def keyed(items: list[dict[str, Any]], kind: str, identity: str) -> dict[str, dict[str, Any]]:
    """Resources by their tag Key; those without one are not the stack's parts."""
    result: dict[str, dict[str, Any]] = {}
    for item in items:
        key = tags(item).get("Key")
        if key is None:
            continue
        if key in result:
            raise AmbiguityError(
                f"two resources of kind {kind} carry the tag Key={key}: {names([result[key], item], identity)}. "
                "Remove the tag Stack from the one that is not the stack's, or delete it"
            )
        result[key] = item
    return result


def names(items: Iterable[Item], identity: str) -> str:
    return ", ".join(sorted(str(item[identity]) for item in items))


def ids(items: list[dict[str, Any]], kind: str, identity: str) -> dict[str, str]:
    return {key: item[identity] for key, item in sorted(keyed(items, kind, identity).items())}


def attribute(item: Item | None, name: str) -> Any:
    return item[name] if item else None


def subnet(item: Item) -> dict[str, str]:
    return {
        "id": item["SubnetId"],
        "cidr": item.get("CidrBlock", ""),
        "az": item["AvailabilityZone"],
        "tier": tags(item).get("Role", ""),
    }


def nat_gateway(item: Item) -> dict[str, Any]:
    """A NAT gateway with its address: a new one may not have it yet."""
    address = (item.get("NatGatewayAddresses") or [{}])[0]
    return {
        "id": item["NatGatewayId"],
        "subnet_id": item.get("SubnetId", ""),  # a regional one is in no subnet
        "allocation_id": address.get("AllocationId"),
        "public_ip": address.get("PublicIp"),
    }


def by_tier(subnets: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Subnet ids by tier, in the order of their keys."""
    result: dict[str, list[str]] = {}
    for _, item in sorted(subnets.items()):
        result.setdefault(item["tier"], []).append(item["id"])
    return result


def database(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The DB instance, our own or a borrowed one, and its secret: either may stand without the other after a killed run."""
    borrowed = found.get("borrowed_databases") or []
    item = only(borrowed or found["databases"], "DB instance", "DBInstanceIdentifier") or {}
    secret = only([s for s in found["secrets"] if tags(s).get("Role") == "database"], "database secret", "Name")
    endpoint = item.get("Endpoint") or {}
    return {
        "identifier": item.get("DBInstanceIdentifier"),
        "borrowed": bool(borrowed),
        "endpoint": endpoint.get("Address"),
        "port": endpoint.get("Port"),
        "status": item.get("DBInstanceStatus"),
        "engine": item.get("Engine"),
        "instance_class": item.get("DBInstanceClass"),
        "allocated_storage": item.get("AllocatedStorage"),
        "multi_az": item.get("MultiAZ"),
        "az": item.get("AvailabilityZone"),
        "secondary_az": item.get("SecondaryAvailabilityZone"),
        "pending": dict(item.get("PendingModifiedValues") or {}),
        "secret_arn": attribute(secret, "ARN"),
        "secret_name": attribute(secret, "Name"),
    }


def load_balancer(item: Item | None) -> dict[str, Any]:
    return {
        "arn": attribute(item, "LoadBalancerArn"),
        "dns_name": attribute(item, "DNSName"),
        "security_group_ids": sorted(item.get("SecurityGroups", [])) if item else [],
        "name": attribute(item, "LoadBalancerName"),
        "label": item["LoadBalancerArn"].split(":loadbalancer/")[1] if item else None,  # CloudWatch's name for it
    }


def images(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stack's images, the newest first."""
    ordered = sorted(items, key=lambda item: (item.get("CreationDate", ""), item["ImageId"]), reverse=True)
    return [
        {
            "id": item["ImageId"],
            "name": item["Name"],
            "state": item["State"],
            "recipe": recipe_of(item),
            "version": tags(item).get("Version", ""),
            "verified": tags(item).get("Verified") == "true",
            "created": item.get("CreationDate", ""),
            "snapshot_ids": [
                mapping["Ebs"]["SnapshotId"] for mapping in item.get("BlockDeviceMappings", []) if mapping.get("Ebs", {}).get("SnapshotId")
            ],
        }
        for item in ordered
    ]


RECIPE_IN_NAME = re.compile(r"-([0-9a-f]{12})$")


def recipe_of(image: Item) -> str:
    """The recipe that an image was made by. Its name, which ends with it, stays when a tag is changed."""
    name = RECIPE_IN_NAME.search(image["Name"])
    return name[1] if name else tags(image).get("Recipe", "")


def launch_template(item: Item | None) -> dict[str, Any]:
    return {
        "id": attribute(item, "LaunchTemplateId"),
        "name": attribute(item, "LaunchTemplateName"),
        "latest_version": attribute(item, "LatestVersionNumber"),
    }


def fleet(group: Item | None, machines: list[dict[str, Any]]) -> dict[str, Any]:
    """The Auto Scaling group with its members; addresses come from the instances."""
    by_id = {item["InstanceId"]: item for item in machines}
    members = group["Instances"] if group else []
    return {
        "name": attribute(group, "AutoScalingGroupName"),
        "instances": [
            {
                "id": member["InstanceId"],
                "lifecycle_state": member["LifecycleState"],
                "health_status": member["HealthStatus"],
                "az": member["AvailabilityZone"],
                "launch_template_version": member.get("LaunchTemplate", {}).get("Version"),
                "public_ip": by_id.get(member["InstanceId"], {}).get("PublicIpAddress"),
                "private_ip": by_id.get(member["InstanceId"], {}).get("PrivateIpAddress"),
            }
            for member in sorted(members, key=lambda member: str(member["InstanceId"]))
        ],
    }


def repository(item: Item | None) -> dict[str, Any]:
    return {
        "name": attribute(item, "repositoryName"),
        "uri": attribute(item, "repositoryUri"),
        "image_tags": item["imageTags"] if item else [],
    }


def service(item: Item | None) -> dict[str, Any]:
    """The ECS service: what runs it, and how many tasks do."""
    return {
        "cluster": item["path"].split("/")[0] if item else None,
        "name": attribute(item, "serviceName"),
        "task_definition": attribute(item, "taskDefinition"),
        "desired": attribute(item, "desiredCount"),
        "running": attribute(item, "runningCount"),
    }


def instance(item: Item) -> dict[str, Any]:
    return {
        "id": item["InstanceId"],
        "role": tags(item).get("Role", ""),
        "state": item["State"]["Name"],
        "az": item["Placement"]["AvailabilityZone"],
        "public_ip": item.get("PublicIpAddress"),
        "private_ip": item.get("PrivateIpAddress"),
    }
