"""From AWS's words to facts, on values and on moto in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible.module_utils.stack.read import SERVICES, alarms, read, scaled_group
from ansible.module_utils.stack.shape import IDENTITY, AmbiguityError, shape
from moto import mock_aws

from lab.aws import elbv2
from tests.lab.certificates import Signed

REGION = "ap-northeast-1"
NOTHING: dict[str, list[dict[str, Any]]] = {kind: [] for kind in IDENTITY}


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def subnet(identity: str, key: str, tier: str = "public") -> dict[str, Any]:
    return {"SubnetId": identity, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": f"{REGION}a", "Tags": tags(Key=key, Role=tier)}


def image(identity: str, created: str, **labels: str) -> dict[str, Any]:
    return {"ImageId": identity, "Name": identity, "State": "available", "CreationDate": created, "Tags": tags(**labels)}


def test_nothing_is_none_and_empty() -> None:
    facts = shape(NOTHING)
    assert facts["vpc_id"] is None
    assert facts["subnet_ids"] == {}
    assert facts["database"]["endpoint"] is None
    assert facts["load_balancer"]["dns_name"] is None
    assert facts["fleet"] == {"name": None, "instances": [], "policy_names": []}
    assert facts["bucket_names"] == {}
    assert facts["parameter_names"] == []
    assert facts["resources"] == {}


def test_subnet_ids_come_by_tier_in_the_order_of_keys() -> None:
    found = {**NOTHING, "subnets": [subnet("subnet-2", "b"), subnet("subnet-1", "a"), subnet("subnet-3", "c", "private")]}
    assert shape(found)["subnet_ids"] == {"public": ["subnet-1", "subnet-2"], "private": ["subnet-3"]}


def test_two_resources_with_one_key_are_told_by_both_ids() -> None:
    found = {**NOTHING, "subnets": [subnet("subnet-2", "a"), subnet("subnet-1", "a")]}
    with pytest.raises(AmbiguityError) as refused:
        shape(found)
    assert str(refused.value) == (
        "two resources of kind subnet carry the tag Key=a: subnet-1, subnet-2. "
        "Remove the tag Stack from the one that is not the stack's, or delete it"
    )


def test_two_vpcs_are_an_error_but_not_for_who_clears_up() -> None:
    found = {**NOTHING, "vpcs": [{"VpcId": "vpc-2"}, {"VpcId": "vpc-1"}]}
    with pytest.raises(AmbiguityError, match="2 resources of kind VPC where one is expected: vpc-1, vpc-2"):
        shape(found)
    assert shape(found, strict=False)["resources"] == {"vpcs": ["vpc-1", "vpc-2"]}


def test_images_come_newest_first_with_recipe_and_verdict() -> None:
    found = {
        **NOTHING,
        "images": [image("ami-1", "2026-01-01", Recipe="aa", Verified="true"), image("ami-2", "2026-02-01", Recipe="bb")],
    }
    assert [(item["id"], item["recipe"], item["verified"]) for item in shape(found)["images"]] == [
        ("ami-2", "bb", False),
        ("ami-1", "aa", True),
    ]


def nat_gateway(identity: str, key: str, state: str = "available", **address: str) -> dict[str, Any]:
    return {"NatGatewayId": identity, "SubnetId": "subnet-1", "State": state, "NatGatewayAddresses": [address], "Tags": tags(Key=key)}


def test_nat_gateways_come_by_key_with_their_addresses_and_those_that_fail_or_go_only_for_who_clears_up() -> None:
    found = {
        **NOTHING,
        "nat_gateways": [
            nat_gateway("nat-2", "a", PublicIp="54.1.1.1", AllocationId="eipalloc-1"), nat_gateway("nat-1", "a", "failed"),
            nat_gateway("nat-3", "b", "pending"), nat_gateway("nat-4", "b", "deleting"),
        ],
    }  # fmt: skip
    facts = shape(found)
    assert facts["nat_gateways"] == {
        "a": {"id": "nat-2", "subnet_id": "subnet-1", "allocation_id": "eipalloc-1", "public_ip": "54.1.1.1"},
        "b": {"id": "nat-3", "subnet_id": "subnet-1", "allocation_id": None, "public_ip": None},
    }
    assert facts["resources"] == {"nat_gateways": ["nat-1", "nat-2", "nat-3", "nat-4"]}


def test_who_clears_up_gets_security_groups_and_route_tables_by_key_or_by_their_ids() -> None:
    found = {
        **NOTHING,
        "security_groups": [{"GroupId": "sg-1", "Tags": tags(Key="web")}, {"GroupId": "sg-2", "Tags": []}],
        "route_tables": [{"RouteTableId": "rtb-1", "Tags": tags(Key="private")}, {"RouteTableId": "rtb-2", "Tags": []}],
    }
    facts = shape(found, strict=False)
    assert facts["security_group_ids"] == {"web": "sg-1", "sg-2": "sg-2"}
    assert facts["route_table_ids"] == {"private": "rtb-1", "rtb-2": "rtb-2"}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    elbv2.install()
    with mock_aws():
        yield {service: boto3.client(service, region_name=REGION) for service in SERVICES}


def test_only_resources_of_the_stack_are_read(clients: dict[str, Any], tmp_path: Path) -> None:
    ec2 = clients["ec2"]
    for name in ("uda", "students"):
        specification = [{"ResourceType": "vpc", "Tags": tags(Stack=name)}]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"]["VpcId"]
        balancer_subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
            for n, zone in enumerate("ac")
        ]
        clients["elbv2"].create_load_balancer(Name=f"{name}-alb", Subnets=balancer_subnets, Scheme="internal", Tags=tags(Stack=name))
        clients["s3"].create_bucket(Bucket=f"{name}-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
        clients["s3"].put_bucket_tagging(Bucket=f"{name}-logs", Tagging={"TagSet": tags(Stack=name, Key="logs")})
        imported = clients["acm"].import_certificate(**Signed(tmp_path, f"{name}.example.com").imported())["CertificateArn"]
        clients["acm"].add_tags_to_certificate(CertificateArn=imported, Tags=tags(Stack=name, Key="site"))
        asked = clients["acm"].request_certificate(DomainName="example.com")["CertificateArn"]
        clients["acm"].add_tags_to_certificate(CertificateArn=asked, Tags=tags(Stack=name, Key="asked"))
        clients["secretsmanager"].create_secret(Name=f"{name}/database", SecretString="{}", Tags=tags(Stack=name, Role="database"))
        clients["iam"].create_role(RoleName=f"{name}-web", Path=f"/{name}/", AssumeRolePolicyDocument="{}")
    facts = shape(read(clients, "uda"))
    assert facts["load_balancer"]["name"] == "uda-alb"
    assert facts["database"]["secret_name"] == "uda/database"  # noqa: S105 the secret's name
    assert facts["bucket_names"] == {"logs": "uda-logs"}
    assert list(facts["certificate_arns"]) == ["site"]
    assert facts["resources"] == {
        "vpcs": [facts["vpc_id"]],
        "certificates": [facts["certificate_arns"]["site"]],
        "buckets": ["uda-logs"],
        "load_balancers": ["uda-alb"],
        "secrets": ["uda/database"],
        "roles": ["uda-web"],
    }


def before(client: Any, operation: str, act: Callable[[], Any]) -> None:
    """Let something happen once, right before a client sends a request."""

    def once(**_: Any) -> None:
        client.meta.events.unregister(f"before-call.*.{operation}", once)
        act()

    client.meta.events.register(f"before-call.*.{operation}", once)


def test_what_others_take_away_while_the_account_is_read_is_passed_over(clients: dict[str, Any], tmp_path: Path) -> None:
    ec2, balancing, rds, acm = (clients[service] for service in ("ec2", "elbv2", "rds", "acm"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for name in ("uda", "other"):
        balancing.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, Tags=tags(Stack=name))
        rds.create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily="mysql8.0", Description="a group", Tags=tags(Stack=name)
        )
    (other,) = balancing.describe_target_groups(Names=["other"])["TargetGroups"]
    imported = acm.import_certificate(**Signed(tmp_path, "example.com").imported(), Tags=tags(Stack="other"))["CertificateArn"]
    before(balancing, "DescribeTags", lambda: balancing.delete_target_group(TargetGroupArn=other["TargetGroupArn"]))
    before(rds, "ListTagsForResource", lambda: rds.delete_db_parameter_group(DBParameterGroupName="other"))
    before(acm, "ListTagsForCertificate", lambda: acm.delete_certificate(CertificateArn=imported))
    assert shape(read(clients, "uda"))["resources"] == {"target_groups": ["uda"], "parameter_groups": ["uda"]}


def test_a_secret_is_told_that_the_list_does_not_know_yet_and_none_that_it_still_knows(clients: dict[str, Any]) -> None:
    manager = clients["secretsmanager"]
    for name in ("uda/database", "uda/gone"):
        manager.create_secret(Name=name, SecretString="{}", Tags=tags(Stack="uda"))

    def stale(parsed: dict[str, Any], **_: Any) -> None:
        parsed["SecretList"] = [secret for secret in parsed["SecretList"] if secret["Name"] == "uda/gone"]
        manager.delete_secret(SecretId="uda/gone", ForceDeleteWithoutRecovery=True)

    manager.meta.events.register_first("after-call.secrets-manager.ListSecrets", stale)
    assert shape(read(clients, "uda", {"stack_database_secret": "uda/database"}))["resources"] == {"secrets": ["uda/database"]}


def put_alarm(clients: dict[str, Any], name: str, action: str) -> None:
    clients["cloudwatch"].put_metric_alarm(
        AlarmName=name, Namespace="AWS/EC2", MetricName="CPUUtilization", Statistic="Average", Period=60, EvaluationPeriods=1,
        Threshold=80, ComparisonOperator="GreaterThanThreshold", AlarmActions=[action],
    )  # fmt: skip


def test_what_watches_a_stack_is_found_by_tag_path_and_name(clients: dict[str, Any]) -> None:
    topics = {name: clients["sns"].create_topic(Name=f"{name}-alarms", Tags=tags(Stack=name))["TopicArn"] for name in ("uda", "uda-two")}
    clients["sns"].create_topic(Name="uda-other")
    for name, arn in topics.items():
        put_alarm(clients, f"{name}-cpu", arn)
        clients["logs"].create_log_group(logGroupName=f"/{name}/app")
        clients["cloudwatch"].put_dashboard(DashboardName=name, DashboardBody="{}")
    put_alarm(clients, "TargetTracking-uda-AlarmHigh-1", topics["uda"])
    put_alarm(clients, "foreign", "arn:aws:sns:ap-northeast-1:123456789012:other")
    assert shape(read(clients, "uda"))["resources"] == {
        "topics": [topics["uda"]],
        "alarms": ["uda-cpu"],
        "log_groups": ["/uda/app"],
        "dashboards": ["uda"],
    }


def test_the_alarms_that_scale_a_group_are_its_stacks() -> None:
    action = "arn:aws:autoscaling:ap-northeast-1:123456789012:scalingPolicy:1:autoScalingGroupName/uda_web:policyName/out"
    assert scaled_group(action) == "uda_web"
    found = [{"AlarmName": "uda_web-out", "AlarmActions": [action]}, {"AlarmName": "other", "AlarmActions": []}]
    assert [alarm["AlarmName"] for alarm in alarms(found, set(), {"uda_web"})] == ["uda_web-out"]
    assert alarms(found, set(), {"uda"}) == []


def make_database(clients: dict[str, Any], name: str, **labels: str) -> None:
    clients["rds"].create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
        MasterUsername="admin", MasterUserPassword="one-two-three", MultiAZ=True, Tags=tags(**labels),
    )  # fmt: skip


def test_a_borrowed_database_is_found_by_its_identifier_and_is_none_of_ours(clients: dict[str, Any]) -> None:
    make_database(clients, "inventory-db", Name="somebody's")
    facts = shape(read(clients, "inventory", {"rds_identifier": "inventory-db", "rds_borrowed": True}))
    assert (facts["database"]["identifier"], facts["database"]["borrowed"], facts["database"]["multi_az"]) == ("inventory-db", True, True)
    assert facts["database"]["endpoint"].startswith("inventory-db.")
    assert facts["resources"] == {}
    assert shape(read(clients, "inventory"))["database"]["identifier"] is None


def test_an_own_database_is_found_by_its_tag_with_its_parameter_group(clients: dict[str, Any]) -> None:
    make_database(clients, "uda-db", Stack="uda")
    for name, stack in (("uda", "uda"), ("other", "other")):
        clients["rds"].create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily="mysql8.0", Description="own", Tags=tags(Stack=stack)
        )
    facts = shape(read(clients, "uda", {"rds_identifier": "uda-db"}))
    assert (facts["database"]["identifier"], facts["database"]["borrowed"]) == ("uda-db", False)
    assert facts["resources"]["databases"] == ["uda-db"]
    assert facts["resources"]["parameter_groups"] == ["uda"]


def test_buckets_and_parameters_of_the_stack_alone(clients: dict[str, Any]) -> None:
    s3, ssm = clients["s3"], clients["ssm"]
    here = {"LocationConstraint": REGION}
    for bucket in ("my-stack-deploy", "my-stack-foreign", "my-stack-untagged", "other-deploy"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    s3.put_bucket_tagging(Bucket="my-stack-deploy", Tagging={"TagSet": tags(Stack="my_stack", Key="deploy")})
    s3.put_bucket_tagging(Bucket="my-stack-foreign", Tagging={"TagSet": tags(Stack="my-stack", Key="deploy")})
    ssm.put_parameter(Name="/my_stack/dev/DB_HOST", Value="db", Type="String", Tags=tags(Stack="my_stack"))
    ssm.put_parameter(Name="/other/dev/DB_HOST", Value="db", Type="String", Tags=tags(Stack="other"))
    facts = shape(read(clients, "my_stack"))
    assert facts["bucket_names"] == {"deploy": "my-stack-deploy"}
    assert facts["parameter_names"] == ["/my_stack/dev/DB_HOST"]
    assert facts["resources"] == {"buckets": ["my-stack-deploy"], "parameters": ["/my_stack/dev/DB_HOST"]}


def test_a_subnet_group_of_somebody_elses_in_our_vpc_is_not_ours(clients: dict[str, Any]) -> None:
    ec2 = clients["ec2"]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags(Stack="uda")}])["Vpc"]["VpcId"]
    subnet_ids = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ac")
    ]
    for name, labels in (("ours", tags(Stack="uda")), ("theirs", tags(Name="theirs"))):
        clients["rds"].create_db_subnet_group(
            DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=subnet_ids, Tags=labels
        )  # fmt: skip
    assert shape(read(clients, "uda"))["resources"]["subnet_groups"] == ["ours"]
