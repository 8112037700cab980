"""What others have in the same account: one of each kind that the API lists without a filter, and that is told apart by asking more."""

from __future__ import annotations

from pathlib import Path

from tests.lab.certificates import Signed
from tests.lab.served import Lab

NAME = "strangers"
TAGS = [{"Key": "Stack", "Value": NAME}]


def move_in(lab: Lab, directory: Path) -> None:
    """Make it all, as the account's root."""
    ec2, elbv2, rds = lab.root("ec2"), lab.root("elbv2"), lab.root("rds")
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones[:2])
    ]
    elbv2.create_load_balancer(Name=NAME, Subnets=subnets, Scheme="internal", Tags=TAGS)
    elbv2.create_target_group(Name=NAME, Protocol="HTTP", Port=80, VpcId=vpc)
    rds.create_db_subnet_group(DBSubnetGroupName=NAME, DBSubnetGroupDescription="theirs", SubnetIds=subnets, Tags=TAGS)
    rds.create_db_parameter_group(DBParameterGroupName=NAME, DBParameterGroupFamily="mysql8.0", Description="theirs", Tags=TAGS)
    lab.root("acm").import_certificate(**Signed(directory, "strangers.example.com").imported(), Tags=TAGS)
    lab.root("secretsmanager").create_secret(Name="uda/theirs", SecretString="{}", Tags=TAGS)
    lab.root("sns").create_topic(Name="uda-theirs", Tags=TAGS)
    lab.root("ecr").create_repository(repositoryName=NAME)
    lab.root("ecs").create_cluster(clusterName=NAME)
    lab.root("logs").create_log_group(logGroupName=f"/{NAME}/app")
    lab.root("s3").create_bucket(Bucket="uda-theirs", CreateBucketConfiguration={"LocationConstraint": lab.root("s3").meta.region_name})
    lab.root("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument="{}")
    ec2.create_key_pair(KeyName=NAME)
