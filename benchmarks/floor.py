"""The lower bound of any plan: boto3 alone reads every kind of resource that the stack `uda` has, and compares nothing.

Usage: AWS_ENDPOINT_URL=http://127.0.0.1:PORT python -m benchmarks.floor
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY

THREADS = 8
NAME = "uda"
TAGGED = {"Filters": [{"Name": "tag:Stack", "Values": [NAME]}]}
READS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("ec2", "describe_vpcs", TAGGED),
    ("ec2", "describe_subnets", TAGGED),
    ("ec2", "describe_internet_gateways", TAGGED),
    ("ec2", "describe_route_tables", TAGGED),
    ("ec2", "describe_security_groups", TAGGED),
    ("ec2", "describe_key_pairs", TAGGED),
    ("ec2", "describe_images", TAGGED | {"Owners": ["self"]}),
    ("ec2", "describe_launch_templates", TAGGED),
    ("ec2", "describe_instances", TAGGED),
    ("autoscaling", "describe_auto_scaling_groups", TAGGED),
    ("autoscaling", "describe_policies", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("elbv2", "describe_target_groups", {}),
    ("rds", "describe_db_instances", {}),
    ("rds", "describe_db_subnet_groups", {}),
    ("iam", "list_roles", {"PathPrefix": f"/{NAME}/"}),
    ("iam", "list_instance_profiles", {"PathPrefix": f"/{NAME}/"}),
    ("secretsmanager", "list_secrets", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("cloudwatch", "list_dashboards", {}),
    ("sns", "list_topics", {}),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": f"/{NAME}/"}),
)


def read() -> list[dict[str, Any]]:
    """What the account at AWS_ENDPOINT_URL holds, one answer for each of READS."""
    session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name="ap-northeast-1")
    config = Config(max_pool_connections=THREADS)
    clients = {service: session.client(service, config=config) for service in {service for service, _call, _arguments in READS}}
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda one: getattr(clients[one[0]], one[1])(**one[2]), READS))


if __name__ == "__main__":
    print(f"{len(read())} answers")
