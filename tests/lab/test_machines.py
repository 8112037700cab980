"""Instances are real machines: they boot, keep their disk, obey their security groups, and leave nothing behind."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab import lifecycle, settings, workbench
from lab.engine.podman import Podman

pytestmark = pytest.mark.machines


@pytest.fixture(scope="module")
def lab() -> Iterator[settings.Settings]:
    found = settings.load("test-machines")
    lifecycle.down(found, forget=True, say=print)
    lifecycle.up(found, print)
    yield found
    lifecycle.down(found, forget=True, say=print)
    assert not list(Path("/run/netns").glob("lab-test-machines.*"))
    assert Podman(found).machines() == {}
    assert not found.directory.exists()


@pytest.fixture(scope="module")
def ec2(lab: settings.Settings) -> Any:
    return boto3.client(
        "ec2",
        region_name=workbench.REGION,
        endpoint_url=lab.endpoint_url,
        aws_access_key_id=settings.ACCESS_KEY_ID,
        aws_secret_access_key=settings.SECRET_ACCESS_KEY,
    )


@pytest.fixture(scope="module")
def machine(lab: settings.Settings) -> dict[str, Any]:
    return workbench.create(lab, "first")


def ssh(machine: dict[str, Any], command: str) -> str:
    done = subprocess.run(
        [
            *("ssh", "-q", "-i", machine["identity_file"], "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=1"),
            *("-o", f"ProxyCommand={machine['proxy_command']}", f"{machine['user']}@{machine['address']}", command),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


def state(ec2: Any, instance_id: str) -> str:
    name: str = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]["State"]["Name"]
    return name


def test_an_instance_boots_systemd_at_its_exact_address(machine: dict[str, Any], ec2: Any) -> None:
    instance = ec2.describe_instances(InstanceIds=[machine["instance_id"]])["Reservations"][0]["Instances"][0]
    assert ssh(machine, "systemctl is-system-running --wait") == "running"
    assert instance["PrivateIpAddress"] in ssh(machine, "ip -4 -br addr show eth0")
    assert ssh(machine, "hostname") == instance["PrivateDnsName"].split(".")[0]


def test_metadata_needs_a_token_and_tells_who_asks(machine: dict[str, Any]) -> None:
    base = "http://169.254.169.254/latest"
    assert ssh(machine, f"curl -s -o /dev/null -w '%{{http_code}}' {base}/meta-data/instance-id") == "401"
    token = f"$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {base}/api/token)"
    answer = ssh(machine, f'curl -s -H "X-aws-ec2-metadata-token: {token}" {base}/meta-data/instance-id')
    assert answer == machine["instance_id"]


def test_the_aws_api_answers_machines_under_its_real_name_with_a_trusted_certificate(machine: dict[str, Any]) -> None:
    status = ssh(machine, "curl -s -o /dev/null -w '%{http_code}' https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity")
    assert status == "403"  # it is not signed


def test_the_labs_own_pages_are_not_for_machines(machine: dict[str, Any]) -> None:
    assert ssh(machine, "curl -s -o /dev/null -w '%{http_code}' https://sts.eu-west-1.amazonaws.com/_lab/status") == "404"


def test_a_security_group_is_in_force_at_once_and_what_it_does_not_allow_times_out(
    machine: dict[str, Any], ec2: Any, lab: settings.Settings
) -> None:
    ssh(machine, "sudo systemd-run --unit probe python3 -m http.server 8000")
    until(lambda: "LISTEN" in ssh(machine, "ss -ltn sport = :8000"))
    group_id = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["workbench"]}])["SecurityGroups"][0]["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "IpRanges": [{"CidrIp": f"{settings.OPERATOR_ADDRESS}/32"}]}
    assert not reachable(lab, machine["address"], 8000)
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    until(lambda: reachable(lab, machine["address"], 8000), 5)
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    until(lambda: not reachable(lab, machine["address"], 8000), 20)


def test_a_reboot_keeps_the_disk_and_the_address(machine: dict[str, Any], ec2: Any) -> None:
    ssh(machine, "echo kept | sudo tee /var/kept")
    started = "systemctl show --property UserspaceTimestampMonotonic"
    before = ssh(machine, started)
    ec2.reboot_instances(InstanceIds=[machine["instance_id"]])
    until(lambda: answered(machine, started) not in (before, None))
    assert ssh(machine, "cat /var/kept") == "kept"


def test_a_stopped_instance_answers_nobody_and_a_started_one_has_its_disk_and_a_new_public_address(
    machine: dict[str, Any], ec2: Any, lab: settings.Settings
) -> None:
    ec2.stop_instances(InstanceIds=[machine["instance_id"]])
    until(lambda: state(ec2, machine["instance_id"]) == "stopped")
    assert answered(machine, "true") is None
    ec2.start_instances(InstanceIds=[machine["instance_id"]])
    before = machine["address"]
    machine.update(workbench.create(lab, "first"))
    assert machine["address"] != before
    assert ssh(machine, "cat /var/kept") == "kept"


def test_an_image_of_a_machine_boots_as_another_machine(machine: dict[str, Any], ec2: Any, lab: settings.Settings) -> None:
    image_id = ec2.create_image(InstanceId=machine["instance_id"], Name="kept")["ImageId"]
    until(lambda: ec2.describe_images(ImageIds=[image_id])["Images"][0]["State"] == "available")
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["workbench"]}])["SecurityGroups"][0]
    subnet = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["workbench"]}])["Subnets"][0]
    script = "#!/bin/sh\necho once >> /var/user-data\n"
    made = ec2.run_instances(
        ImageId=image_id,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        KeyName="workbench",
        SubnetId=subnet["SubnetId"],
        SecurityGroupIds=[group["GroupId"]],
        UserData=script,
    )["Instances"][0]
    until(lambda: state(ec2, made["InstanceId"]) == "running")
    found = ec2.describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"][0]["Instances"][0]
    copy = machine | {"address": found["PublicIpAddress"], "instance_id": made["InstanceId"]}
    until(lambda: answered(copy, "cat /var/user-data") == "once")
    assert ssh(copy, "cat /var/kept") == "kept"
    keys = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    assert ssh(copy, keys) != ssh(machine, keys)

    ec2.reboot_instances(InstanceIds=[made["InstanceId"]])
    time.sleep(3)
    until(lambda: answered(copy, "systemctl is-active ec2-user-data") == "active")
    assert ssh(copy, "cat /var/user-data") == "once"  # and not once more

    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    until(lambda: state(ec2, made["InstanceId"]) == "terminated")
    ec2.deregister_image(ImageId=image_id)
    until(lambda: not Podman(lab).images())


def test_disks_and_state_survive_the_labs_stop_and_start(machine: dict[str, Any], ec2: Any, lab: settings.Settings) -> None:
    lifecycle.down(lab, forget=False, say=print)
    assert not list(Path("/run/netns").glob("lab-test-machines.*"))
    assert lifecycle.status(lab) is None
    lifecycle.up(lab, print)
    until(lambda: answered(machine, "cat /var/kept") == "kept")
    assert state(ec2, machine["instance_id"]) == "running"


def test_without_its_route_a_machine_reaches_nothing_outside(machine: dict[str, Any], ec2: Any) -> None:
    fetch = "curl -s -m 4 -o /dev/null https://sts.eu-west-1.amazonaws.com/ && echo open || echo closed"
    assert ssh(machine, fetch) == "open"
    vpc_id = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["workbench"]}])["Vpcs"][0]["VpcId"]
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"][0]
    gateway_id = next(route["GatewayId"] for route in table["Routes"] if route["DestinationCidrBlock"] == "0.0.0.0/0")
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    until(lambda: answered(machine, "true") is None, 20)
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
    until(lambda: answered(machine, fetch) == "open", 20)


def answered(machine: dict[str, Any], command: str) -> str | None:
    try:
        return ssh(machine, command)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None


def reachable(lab: settings.Settings, address: str, port: int) -> bool:
    """Whether the operator gets a connection: the proxy says 200, or 504 when nobody answered."""
    with socket.create_connection(("127.0.0.1", lab.proxy_port), timeout=15) as proxy:
        proxy.sendall(f"CONNECT {address}:{port} HTTP/1.1\r\n\r\n".encode())
        answer = proxy.recv(4096)
    assert b" 502 " not in answer
    return b" 200 " in answer
