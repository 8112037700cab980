"""playbooks/adopt.yml takes away what strangers have put beside a stack: the plan then has none of it, and what is the stack's stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Cloud
from .mutations.words import default_group
from .test_plan import Plan, Planned
from .test_plan_identity import planned, stack

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

LOGS = "meibo-access-logs"
ANYBODY_PULLS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": "*"}]}


@pytest.fixture
def tastylog(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    yield from planned(tmp_path, "tastylog")


@pytest.fixture
def meibo(cloud: Cloud, tmp_path: Path) -> Iterator[Planned]:
    yield from planned(tmp_path, "meibo")


def strange(plan: Plan) -> list[tuple[str, str]]:
    """(kind, key) of what is foreign."""
    return [(change["kind"], change["key"]) for change in plan["changes"] if change["action"] == "foreign"]


def public_access(plan: Plan) -> list[str]:
    """The buckets that are not closed to the public."""
    return [
        change["name"]
        for change in plan["changes"]
        if change["action"] == "update" and "public_access" in {field["field"] for field in change["fields"]}
    ]


def open_the_default_group(account: Planned, vpc: str) -> str:
    group = default_group(account, vpc)
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return group


def lead_the_main_table_out(account: Planned, vpc: str, gateway: str) -> str:
    tables = account.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    table: str = next(one["RouteTableId"] for one in tables if any(item["Main"] for item in one["Associations"]))
    account.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return table


def start_a_machine(account: Planned, subnet: str) -> str:
    image = account.ec2.describe_images()["Images"][0]["ImageId"]
    made = account.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet)
    return str(made["Instances"][0]["InstanceId"])


def test_in_the_network_and_among_what_machines_fetch(tastylog: Planned, tmp_path: Path) -> None:
    variables = stack(tmp_path)
    tastylog.must(variables, "network", "security", "identity", "release")
    ids = tastylog.ids()
    vpc, bucket = ids["vpc", "vpc"], next(arn.rpartition(":")[2] for (kind, _), arn in ids.items() if kind == "bucket")
    found = {
        ("security_group", open_the_default_group(tastylog, vpc)),
        ("route_table", lead_the_main_table_out(tastylog, vpc, ids["internet_gateway", "internet_gateway"])),
        ("instance", start_a_machine(tastylog, ids["subnet", "private_1"])),
        ("parameter", "/tastylog/dev/LD_PRELOAD"),
    }
    tastylog.client("ssm").put_parameter(Name="/tastylog/dev/LD_PRELOAD", Value="x", Type="String")
    tastylog.s3.delete_public_access_block(Bucket=bucket)
    before = tastylog.plan(**variables)
    assert set(strange(before)) == found
    assert len(public_access(before)) == 1

    removed = [*(f"{kind}/{key}" for kind, key in found), f"public_access/{bucket}"]
    tastylog.must(variables | {"remove": removed}, "adopt")
    assert sorted(set(tastylog.mutations())) == [
        "DeleteParameter", "DeleteRoute", f"PUT /{bucket}?publicAccessBlock", "RevokeSecurityGroupIngress", "TerminateInstances",
    ]  # fmt: skip
    after = tastylog.plan(**variables)
    assert strange(after) == []
    assert public_access(after) == []


def make_a_log_bucket_with_a_rule(account: Planned) -> dict[str, Any]:
    """A bucket that the inventory has, closed and with the role's rule, and a stranger's rule; how its lifecycle was before that."""
    account.s3.create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": account.region})
    account.s3.put_bucket_tagging(Bucket=LOGS, Tagging={"TagSet": [{"Key": "Stack", "Value": "meibo"}, {"Key": "Key", "Value": "logs"}]})
    kept = {"ID": "old-logs", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}}
    other = {"ID": "soon", "Status": "Enabled", "Filter": {"Prefix": "AWSLogs/"}, "Expiration": {"Days": 1}}
    account.s3.put_bucket_lifecycle_configuration(Bucket=LOGS, LifecycleConfiguration={"Rules": [kept, other]})
    return kept


def test_in_a_repository_and_in_the_bucket_for_access_logs(meibo: Planned) -> None:
    ecr, variables = meibo.client("ecr"), {"log_bucket_name": LOGS, "alb_access_logs_bucket": LOGS}
    settings: dict[str, Any] = {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}}
    ecr.create_repository(repositoryName="meibo", tags=[{"Key": "Stack", "Value": "meibo"}], **settings)
    ecr.set_repository_policy(repositoryName="meibo", policyText=json.dumps(ANYBODY_PULLS))
    kept = make_a_log_bucket_with_a_rule(meibo)
    assert set(strange(meibo.plan(**variables))) == {("repository_policy", "meibo"), ("log_bucket_rule", "soon")}

    meibo.must(variables | {"remove": ["repository_policy/meibo", "log_bucket_rule/soon"]}, "adopt")
    assert sorted(set(meibo.mutations())) == ["DeleteRepositoryPolicy", f"PUT /{LOGS}?lifecycle"]
    assert strange(meibo.plan(**variables)) == []
    (repository,) = ecr.describe_repositories()["repositories"]
    assert {name: repository[name] for name in settings} == settings
    assert meibo.s3.get_bucket_lifecycle_configuration(Bucket=LOGS)["Rules"] == [kept]
