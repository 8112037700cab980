"""Machines outside every stack, for role tests: ordinary instances in a VPC of their own, reached over SSH as the operator does."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

from . import keys
from .clients import client
from .errors import LabError
from .image import DEBIAN_OWNER
from .settings import OPERATOR_ADDRESS, Settings

REGION = "us-east-1"
NAME = "workbench"
READY_SECONDS = 60.0


def create(lab: Settings, name: str) -> dict[str, Any]:
    """Start a machine of the base image, or find the one that has this name; return how to reach it by SSH.

    Raises LabError when the lab is down or the machine does not answer in time.
    """
    ec2 = client(lab, "ec2", REGION)
    found = _instances(ec2, name)
    if not found:
        _launch(ec2, name, _key_file(lab))
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        for instance in _instances(ec2, name):
            if instance["State"]["Name"] == "running" and _ssh_answers(lab, instance["PublicIpAddress"]):
                return {
                    "name": name, "instance_id": instance["InstanceId"], "address": instance["PublicIpAddress"], "port": 22,
                    "user": "admin",
                    "identity_file": str(_key_file(lab)), "proxy_command": f"nc -X connect -x 127.0.0.1:{lab.proxy_port} %h %p",
                }  # fmt: skip
        time.sleep(0.2)
    raise LabError(f"machine {name} did not answer on port 22 within {READY_SECONDS:.0f} s; `python -m lab logs` tells why")


def remove(lab: Settings, name: str) -> None:
    """End the machines of this name and wait until they are gone; none is no error."""
    ec2 = client(lab, "ec2", REGION)
    ids = [instance["InstanceId"] for instance in _instances(ec2, name)]
    if ids:
        ec2.terminate_instances(InstanceIds=ids)
        ec2.get_waiter("instance_terminated").wait(InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _instances(ec2: Any, name: str) -> list[Any]:
    filters = [
        {"Name": "tag:Name", "Values": [name]},
        {"Name": "tag:Role", "Values": [NAME]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    return [instance for found in ec2.describe_instances(Filters=filters)["Reservations"] for instance in found["Instances"]]


def _launch(ec2: Any, name: str, key_file: Path) -> None:
    subnet_id, group_id = _network(ec2)
    if not ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [NAME]}])["KeyPairs"]:
        ec2.import_key_pair(KeyName=NAME, PublicKeyMaterial=key_file.with_suffix(".pub").read_bytes())
    images = ec2.describe_images(Owners=[DEBIAN_OWNER])["Images"]
    ec2.run_instances(
        ImageId=images[0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet_id,
        SecurityGroupIds=[group_id], KeyName=NAME,
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}, {"Key": "Role", "Value": NAME}]}],
    )  # fmt: skip


def _network(ec2: Any) -> tuple[str, str]:
    """The workbench's public subnet and security group (SSH from the operator), made on first use."""
    mine = [{"Name": "tag:Name", "Values": [NAME]}]
    subnets = ec2.describe_subnets(Filters=mine)["Subnets"]
    if subnets:
        groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [NAME]}])["SecurityGroups"]
        return subnets[0]["SubnetId"], groups[0]["GroupId"]

    def tags(kind: str) -> list[Any]:
        return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": NAME}]}]

    vpc_id = ec2.create_vpc(CidrBlock="10.255.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
    gateway_id = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway"))["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"]
    ec2.create_route(RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
    group_id = ec2.create_security_group(GroupName=NAME, Description="SSH from the operator", VpcId=vpc_id)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group_id,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": f"{OPERATOR_ADDRESS}/32"}]}],
    )
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.255.0.0/24", TagSpecifications=tags("subnet"))["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
    return subnet_id, group_id


def _key_file(lab: Settings) -> Path:
    return keys.provide(lab.directory / "workbench_key", NAME)


def _ssh_answers(lab: Settings, address: str) -> bool:
    """Whether sshd says its banner through the operator's proxy."""
    try:
        with socket.create_connection(("127.0.0.1", lab.proxy_port), timeout=10) as proxy:
            proxy.sendall(f"CONNECT {address}:22 HTTP/1.1\r\n\r\n".encode())
            answer = proxy.recv(4096)
            return b" 200 " in answer and b"SSH-" in (answer.split(b"\r\n\r\n", 1)[1] or proxy.recv(256))
    except OSError:
        return False
