"""What somebody could change of the load balancer, its targets and listeners."""

from __future__ import annotations

import json
from typing import Any

from ..account import Account
from .words import ELSEWHERE, Fields, Mutation, Mutations, default_group, with_another

ANYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}]}


def elbv2(account: Account) -> Any:
    return account.client("elbv2", account.region)


def target_group(**attributes: str) -> Mutation:
    listed = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
    return lambda account, arn, fields: elbv2(account).modify_target_group_attributes(TargetGroupArn=arn, Attributes=listed)


def load_balancer(key: str, value: str) -> Mutation:
    attributes = [{"Key": key, "Value": value}]
    return lambda account, arn, fields: elbv2(account).modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


def balancer(account: Account, arn: str) -> dict[str, Any]:
    return dict(elbv2(account).describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0])


def balancer_groups(account: Account, resource_id: str, fields: Fields) -> None:
    other = default_group(account, balancer(account, resource_id)["VpcId"])
    elbv2(account).set_security_groups(LoadBalancerArn=resource_id, SecurityGroups=[other])


def balancer_subnets(account: Account, resource_id: str, fields: Fields) -> None:
    mine = [{"Name": "tag:Role", "Values": ["private"]}]
    others = [subnet["SubnetId"] for subnet in account.ec2.describe_subnets(Filters=mine)["Subnets"]]
    elbv2(account).set_subnets(LoadBalancerArn=resource_id, Subnets=others)


def access_logs(account: Account, resource_id: str, fields: Fields) -> None:
    """To a bucket of somebody else's."""
    where = {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    account.s3.create_bucket(Bucket="elsewhere", **where)
    account.s3.put_bucket_policy(Bucket="elsewhere", Policy=json.dumps(ANYBODY))
    named = {"enabled": "true", "bucket": "elsewhere", "prefix": "logs"}
    attributes = [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in named.items()]
    elbv2(account).modify_load_balancer_attributes(LoadBalancerArn=resource_id, Attributes=attributes)


def health_check(account: Account, resource_id: str, fields: Fields) -> None:
    elbv2(account).modify_target_group(TargetGroupArn=resource_id, HealthCheckPath="/elsewhere")


def served_tag(account: Account, resource_id: str, fields: Fields) -> None:
    elbv2(account).add_tags(ResourceArns=[resource_id], Tags=ELSEWHERE)


def listener_action(account: Account, resource_id: str, fields: Fields) -> None:
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "x"}}
    elbv2(account).modify_listener(ListenerArn=resource_id, DefaultActions=[answer])


MUTATIONS: Mutations = {
    ("target_group", "algorithm"): target_group(load_balancing__algorithm__type="least_outstanding_requests"),
    ("target_group", "deregistration_delay"): target_group(deregistration_delay__timeout_seconds="77"),
    ("target_group", "health_check"): health_check,
    ("target_group", "slow_start"): target_group(slow_start__duration_seconds="60"),
    ("target_group", "stickiness"): target_group(stickiness__enabled="true"),
    ("target_group", "tags"): served_tag,
    ("load_balancer", "access_logs"): access_logs,
    ("load_balancer", "access_logs_bucket"): with_another,
    ("load_balancer", "access_logs_prefix"): with_another,
    ("load_balancer", "deletion_protection"): load_balancer("deletion_protection.enabled", "true"),
    ("load_balancer", "drop_invalid_header_fields"): load_balancer("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("load_balancer", "http2"): load_balancer("routing.http2.enabled", "false"),
    ("load_balancer", "idle_timeout"): load_balancer("idle_timeout.timeout_seconds", "99"),
    ("load_balancer", "security_groups"): balancer_groups,
    ("load_balancer", "subnets"): balancer_subnets,
    ("load_balancer", "tags"): served_tag,
    ("listener", "action"): listener_action,
}
