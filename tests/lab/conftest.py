"""A small cloud in process: corrected moto, the lab's services and an engine that keeps machines in a dictionary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.autoscaling.models import autoscaling_backends
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal.models import moto_api_backend

from lab import aws, state
from lab.engine.memory import Memory
from lab.image import published_image
from lab.plan import plan
from lab.services.autoscaling import AutoScaling
from lab.services.base import Service
from lab.services.databases import Databases
from lab.services.ec2 import Instances
from lab.services.gateways import Gateways
from lab.services.group_policies import Groups
from lab.services.load_balancers import LoadBalancers
from lab.services.watching import Watching
from lab.settings import ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY, Settings
from lab.world import Machine, World
from tests.lab.served import Lab

REGION = "ap-northeast-1"
SESSION = botocore.session.get_session()  # one for all tests: it reads the services' models once


class Cloud:
    """A VPC with an internet gateway, two public subnets, a security group and an image; `round()` lets the lab work once."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings("test", home)
        self.engine = Memory()
        self.answering: dict[str, Collection[str]] = {}  # interface of an endpoint -> names that it answers for
        self.services: list[Service] = [
            AutoScaling(Groups()),
            Instances(self.settings, self.engine),
            Databases(self.settings, self.engine),
            LoadBalancers(self.settings, self.engine),
            Gateways(self._answer),
        ]
        self.watching = Watching(self.settings, self.engine, [Groups()])
        self.now = (time.time() // 60 + 1) * 60 + 1  # just after the next full minute
        self.ec2, self.elbv2, self.autoscaling, self.rds, self.cloudwatch, self.sns, self.sqs, self.acm, self.iam, self.s3 = (
            self.client(name) for name in ("ec2", "elbv2", "autoscaling", "rds", "cloudwatch", "sns", "sqs", "acm", "iam", "s3")
        )
        self.vpc_id = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.gateway_id = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(VpcId=self.vpc_id, InternetGatewayId=self.gateway_id)
        self.subnet_ids = [self.subnet("10.0.0.0/24", "a"), self.subnet("10.0.3.0/24", "c")]
        self.group_id = self.ec2.create_security_group(GroupName="web", Description="web", VpcId=self.vpc_id)["GroupId"]
        self.image_id = self.ec2.register_image(Name="image")["ImageId"]

    def client(self, service: str, region: str = REGION) -> Any:
        keys = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}
        return SESSION.create_client(service, region_name=region, **keys)

    def _answer(self, machine: Machine, hosts: Collection[str]) -> Callable[[], None]:
        self.answering[machine.id] = hosts
        return lambda: self.answering.__delitem__(machine.id)

    def subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc_id, CidrBlock=cidr, AvailabilityZone=REGION + zone)
        return str(made["Subnet"]["SubnetId"])

    def round(self, times: int = 1) -> World:
        """What the reconciler does, without networks."""
        for _ in range(times):
            world = state.read([machine for service in self.services for machine in service.machines()])
            steps = plan(world, self.engine.machines())
            for machine_id in steps.remove:
                self.engine.remove(machine_id)
            for machine_id in steps.stop:
                self.engine.stop(machine_id)
            for machine in steps.create:
                self.engine.create(machine)
            for machine_id in steps.start:
                self.engine.start(machine_id)
            for service in self.services:
                service.reconciled(world, self.engine.machines())
            for service in self.services:
                service.tick()
        return world

    def minutes(self, count: int, cpu: float = 0.0) -> None:
        """Let minutes pass in which every machine works that much of the time (percent), and CloudWatch look on."""
        for _ in range(count):
            self.now += 60
            for machine_id in self.engine.standing:
                self.engine.cpu_seconds[machine_id] = self.engine.cpu_seconds.get(machine_id, 0.0) + 0.6 * cpu
            self.watching.watch(self.now)

    def interfaces(self, description: str) -> list[dict[str, Any]]:
        found = self.ec2.describe_network_interfaces()["NetworkInterfaces"]
        return [interface for interface in found if interface["Description"].startswith(description)]

    def load_balancer(self, name: str = "uda-alb", **options: Any) -> str:
        wanted = {"Subnets": self.subnet_ids, "SecurityGroups": [self.group_id]} | options
        return str(self.elbv2.create_load_balancer(Name=name, **wanted)["LoadBalancers"][0]["LoadBalancerArn"])

    def target_group(self, load_balancer: str | None = None, name: str = "web", **options: Any) -> str:
        made = self.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc_id, **options)
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        if load_balancer:
            action = {"Type": "forward", "TargetGroupArn": arn}
            self.elbv2.create_listener(LoadBalancerArn=load_balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
        return arn

    def launch_template(self, **data: Any) -> str:
        data = {"ImageId": self.image_id, "InstanceType": "t2.micro", "SecurityGroupIds": [self.group_id]} | data
        made = self.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def fleet(self, template_id: str, **options: Any) -> None:
        wanted = {
            "AutoScalingGroupName": "web", "MinSize": 2, "MaxSize": 4, "VPCZoneIdentifier": ",".join(self.subnet_ids),
            "LaunchTemplate": {"LaunchTemplateId": template_id, "Version": "$Latest"},
        } | options  # fmt: skip
        self.autoscaling.create_auto_scaling_group(**{key: value for key, value in wanted.items() if value is not None})

    def members(self) -> list[dict[str, Any]]:
        groups = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"]
        return list(groups[0]["Instances"]) if groups else []

    def see(self, target_group: str, health: str = "healthy") -> None:
        """Let every target be seen as the load balancer would see it, and every draining one be drained."""
        group = elbv2_backends[ACCOUNT_ID][REGION].target_groups[target_group]
        group.lab_health = dict.fromkeys(group.targets, (health, None, None))
        group.lab_draining.clear()

    def see_some(self, target_group: str, targets: Collection[str], health: str) -> None:
        """Let some targets be seen in another state than the rest."""
        group = elbv2_backends[ACCOUNT_ID][REGION].target_groups[target_group]
        group.lab_health |= dict.fromkeys(targets, (health, None, None))

    def target_health(self, target_group: str) -> dict[str, dict[str, str]]:
        described = self.elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return {entry["Target"]["Id"]: entry["TargetHealth"] for entry in described}

    def backdate(self, seconds: float) -> None:
        """Let the fleet's members be older than they are."""
        for member in autoscaling_backends[ACCOUNT_ID][REGION].autoscaling_groups["web"].instance_states:
            member.lab_in_service -= seconds
            member.lab_launched -= seconds

    def database(self, **options: Any) -> dict[str, Any]:
        wanted = {
            "DBInstanceIdentifier": "uda-psql-db", "DBInstanceClass": "db.t3.micro", "Engine": "postgres", "AllocatedStorage": 20,
            "MasterUsername": "postgres", "MasterUserPassword": "one-two-three", "DBName": "uda_psql_db",
            "DBSubnetGroupName": "database", "VpcSecurityGroupIds": [self.group_id],
        } | options  # fmt: skip
        if not self.rds.describe_db_subnet_groups()["DBSubnetGroups"]:
            self.rds.create_db_subnet_group(DBSubnetGroupName="database", DBSubnetGroupDescription="d", SubnetIds=self.subnet_ids)
        return dict(self.rds.create_db_instance(**wanted)["DBInstance"])

    def answer(self) -> None:
        """Let the databases' servers be ready, as PostgreSQL and MariaDB tell it in their directories."""
        for machine in self.services[2].machines():
            directory = self.settings.machine_directory(machine.id)
            (directory / "data").mkdir(parents=True, exist_ok=True)
            (directory / "data/postmaster.pid").write_text("1\n2\n3\n4\n5\n6\n7\nready   \n")
            (directory / "ready").touch()
            for name, text in machine.files.items():
                (directory / name).write_text(text)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY, "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_AMIS_PATH": os.devnull,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("moto.ec2.models.amis.AMIS", [published_image()])  # what moto has read from that path when it was imported
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.install()
    with mock_aws():
        yield Cloud(tmp_path)


@pytest.fixture
def fargate(cloud: Cloud) -> Any:
    """The cloud with a cluster in it, tests.lab.fargate.Fargate, which is made of what stands here."""
    from .fargate import Fargate

    return Fargate(cloud)


@pytest.fixture
def refused() -> Any:
    """The code of the error with which the API refuses a call."""

    def code(call: Any, **arguments: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        return str(caught.value.response["Error"]["Code"])

    return code


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def lab(served: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    yield served
    moto_api_backend.reset()
