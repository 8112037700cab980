"""What moto holds survives a stop and a start of the lab."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

from lab import persistence
from lab.settings import ACCOUNT_ID
from tests.lab.certificates import Signed

REGION = "ap-northeast-1"


def test_a_saved_account_comes_back_whole(tmp_path: Path) -> None:
    with mock_aws():
        ec2 = boto3.client("ec2", REGION)
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        boto3.client("ssm", REGION).put_parameter(Name="/a", Value="b", Type="SecureString")
        boto3.client("kms", REGION).create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        autoscaling = boto3.client("autoscaling", REGION)
        autoscaling.create_launch_configuration(LaunchConfigurationName="lc", ImageId="ami-12c6146b", InstanceType="t3.micro")
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="fleet",
            LaunchConfigurationName="lc",
            MinSize=0,
            MaxSize=1,
            VPCZoneIdentifier=subnet_id,
        )
        persistence.save(tmp_path / "state")
        BackendDict.reset()

        assert persistence.load(tmp_path / "state")
        assert vpc_id in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
        assert boto3.client("ssm", REGION).get_parameter(Name="/a", WithDecryption=True)["Parameter"]["Value"] == "b"
        # The group's own view of EC2 is the account's, not a copy: what it launches is found.
        autoscaling.update_auto_scaling_group(AutoScalingGroupName="fleet", DesiredCapacity=1)
        groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        assert groups[0]["VPCZoneIdentifier"] == subnet_id


def test_a_census_that_was_read_half_keeps_nothing_from_being_saved(tmp_path: Path) -> None:
    with mock_aws():
        ec2 = boto3.client("ec2", REGION)
        for number in range(3):
            vpc_id = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
            ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Stack", "Value": "uda"}])
        census = boto3.client("resourcegroupstaggingapi", REGION)
        page = census.get_resources(ResourcesPerPage=1, TagFilters=[{"Key": "Stack", "Values": ["uda"]}])
        assert page["PaginationToken"]
        persistence.save(tmp_path / "state")
        BackendDict.reset()

        persistence.load(tmp_path / "state")
        assert vpc_id in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}


def test_certificates_and_objects_come_back_too(tmp_path: Path) -> None:
    with mock_aws():
        signed = Signed(tmp_path / "ca", "www.example.com")
        arn = boto3.client("acm", REGION).import_certificate(**signed.imported())["CertificateArn"]
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="uda-logs")
        s3.put_object(Bucket="uda-logs", Key="a", Body=b"b")
        persistence.save(tmp_path / "state")
        BackendDict.reset()
        s3_backends.bucket_accounts.clear()  # as in a new process

        persistence.load(tmp_path / "state")
        assert boto3.client("acm", REGION).get_certificate(CertificateArn=arn)["Certificate"].strip() == signed.certificate.strip()
        assert s3.get_object(Bucket="uda-logs", Key="a")["Body"].read() == b"b"
        assert s3_backends.bucket_accounts["uda-logs"] == ("aws", ACCOUNT_ID)  # whose it is: log delivery asks


def test_without_a_saved_state_the_account_begins_empty(tmp_path: Path) -> None:
    assert not persistence.load(tmp_path / "none")


def test_awss_own_policies_are_not_saved_and_still_attached_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    policy = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    with mock_aws():
        iam = boto3.client("iam", REGION)
        iam.create_role(RoleName="web", AssumeRolePolicyDocument="{}")
        iam.attach_role_policy(RoleName="web", PolicyArn=policy)
        persistence.save(tmp_path / "state")
        assert (tmp_path / "state").stat().st_size < 5_000_000  # all of them take 24 MB, and a second of each change
        BackendDict.reset()

        persistence.load(tmp_path / "state")
        attached = iam.list_attached_role_policies(RoleName="web")["AttachedPolicies"]
        assert [found["PolicyArn"] for found in attached] == [policy]
