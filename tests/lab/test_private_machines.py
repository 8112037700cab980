"""What a machine without a public address reaches: what its subnet's route table and the VPC's endpoints say, and nothing else.

One lab, two private subnets in two zones with a machine each. The tests tell one story and run in their order.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import pytest

from lab import lifecycle, settings
from lab.engine.podman import Podman
from lab.image import DEBIAN_OWNER
from lab.network import kernel

pytestmark = [pytest.mark.machines, pytest.mark.timeout(300)]

REGION = "eu-west-1"
ANYWHERE = "0.0.0.0/0"
ECHO = f"http://{settings.STRANGER_ADDRESS}:8000/"
SECRETS = f"https://secretsmanager.{REGION}.amazonaws.com/"
LIST_BUCKETS = f"https://s3.{REGION}.amazonaws.com/"
WHO_AM_I = f"https://sts.{REGION}.amazonaws.com/"


def signed(service: str) -> str:
    """What makes curl sign a request as the account's root."""
    return f"--aws-sigv4 aws:amz:{REGION}:{service} --user '{settings.ACCESS_KEY_ID}:{settings.SECRET_ACCESS_KEY}'"


SIGNED_FOR_S3 = signed("s3")
LIST_SECRETS = signed("secretsmanager") + " -H 'X-Amz-Target: secretsmanager.ListSecrets' -d {}"
ASK_STS = signed("sts") + " -d 'Action=GetCallerIdentity&Version=2011-06-15'"


class Echo(BaseHTTPRequestHandler):
    """Somebody on the internet who tells his visitors the address that they come from."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def lab() -> Iterator[settings.Settings]:
    found = settings.load("test-private")
    lifecycle.down(found, forget=True, say=print)
    lifecycle.up(found, print)
    server = kernel.inside(found.namespace("internet"), lambda: ThreadingHTTPServer((settings.STRANGER_ADDRESS, 8000), Echo))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()
    lifecycle.down(found, forget=True, say=print)


class Site:
    """A VPC with two public and two private subnets, a NAT gateway in each public one, and a machine in each private one."""

    def __init__(self, lab: settings.Settings) -> None:
        self._engine = Podman(lab)
        credentials = {"aws_access_key_id": settings.ACCESS_KEY_ID, "aws_secret_access_key": settings.SECRET_ACCESS_KEY}
        self.ec2 = boto3.client("ec2", region_name=REGION, endpoint_url=lab.endpoint_url, **credentials)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=self.gateway)
        self.public = {zone: self._subnet(f"10.8.{number}.0/24", zone) for number, zone in enumerate("ab")}
        self.private = {zone: self._subnet(f"10.8.{number}.0/24", zone) for number, zone in enumerate("ab", 10)}
        self.public_table = self._table(*self.public.values())
        self.ec2.create_route(RouteTableId=self.public_table, DestinationCidrBlock=ANYWHERE, GatewayId=self.gateway)
        self.tables = {zone: self._table(subnet) for zone, subnet in self.private.items()}
        self.nat, self.nat_address = {}, {}
        for zone, subnet in self.public.items():
            address = self.ec2.allocate_address(Domain="vpc")
            made = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])["NatGateway"]
            self.nat[zone], self.nat_address[zone] = made["NatGatewayId"], address["PublicIp"]
            self.route(zone)
        self.web, self.endpoint_group = (self._group(name) for name in ("web", "endpoints"))
        self.ec2.authorize_security_group_ingress(GroupId=self.endpoint_group, IpPermissions=[self.https])
        self.machines = {zone: self._launch(subnet) for zone, subnet in self.private.items()}
        until(lambda: all(self._engine.machines().get(machine) == "running" for machine in self.machines.values()))

    https: ClassVar = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.8.0.0/16"}]}

    def fetch(self, zone: str, url: str, options: str = "") -> str | None:
        """What a machine's curl gets, or None when nothing answers."""
        command = ["sh", "-c", f"curl -s -m 4 {options} '{url}'"]
        done = subprocess.run(
            ["podman", "exec", self._engine._container(self.machines[zone]), *command],
            env=self._engine._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def route(self, zone: str) -> None:
        self.ec2.create_route(RouteTableId=self.tables[zone], DestinationCidrBlock=ANYWHERE, NatGatewayId=self.nat[zone])

    def unroute(self, table: str) -> None:
        self.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE)

    def endpoint(self, service: str, **options: Any) -> str:
        wanted = {"VpcId": self.vpc, "ServiceName": f"com.amazonaws.{REGION}.{service}"} | options
        endpoint_id = str(self.ec2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"])
        until(lambda: self.described(endpoint_id)["State"] == "available")
        return endpoint_id

    def described(self, endpoint_id: str) -> dict[str, Any]:
        return dict(self.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0])

    def _subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=REGION + zone)
        return str(made["Subnet"]["SubnetId"])

    def _table(self, *subnets: str) -> str:
        table = str(self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"])
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def _group(self, name: str) -> str:
        return str(self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"])

    def _launch(self, subnet: str) -> str:
        image = self.ec2.describe_images(Owners=[DEBIAN_OWNER])["Images"][0]["ImageId"]
        made = self.ec2.run_instances(
            ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[self.web]
        )
        return str(made["Instances"][0]["InstanceId"])


@pytest.fixture(scope="module")
def site(lab: settings.Settings) -> Site:
    return Site(lab)


def until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


def test_each_private_subnet_leaves_by_the_address_of_its_own_nat_gateway(site: Site) -> None:
    until(lambda: site.fetch("a", ECHO) is not None and site.fetch("b", ECHO) is not None)
    assert {zone: site.fetch(zone, ECHO) for zone in "ab"} == site.nat_address
    assert "GetCallerIdentityResult" in str(site.fetch("a", WHO_AM_I, ASK_STS))


def test_a_nat_gateway_whose_public_subnet_has_lost_its_way_to_the_internet_carries_nobody(site: Site) -> None:
    site.unroute(site.public_table)
    until(lambda: site.fetch("a", ECHO) is None)
    assert site.fetch("b", ECHO) is None
    site.ec2.create_route(RouteTableId=site.public_table, DestinationCidrBlock=ANYWHERE, GatewayId=site.gateway)
    until(lambda: site.fetch("a", ECHO) is not None)


def test_a_subnet_that_loses_its_route_to_its_nat_gateway_reaches_nothing_outside_and_its_neighbour_still_does(site: Site) -> None:
    site.unroute(site.tables["a"])
    until(lambda: site.fetch("a", ECHO) is None)
    assert [site.fetch("a", url) for url in (WHO_AM_I, SECRETS, LIST_BUCKETS)] == [None, None, None]
    assert site.fetch("b", ECHO) == site.nat_address["b"]


def test_through_an_interface_endpoint_it_reaches_that_service_under_its_own_name_and_no_other(site: Site) -> None:
    endpoint = site.endpoint(
        "secretsmanager", VpcEndpointType="Interface", SubnetIds=list(site.private.values()),
        SecurityGroupIds=[site.endpoint_group], PrivateDnsEnabled=True,
    )  # fmt: skip
    until(lambda: "SecretList" in str(site.fetch("a", SECRETS, LIST_SECRETS)))
    own = site.described(endpoint)["DnsEntries"][0]["DnsName"]
    assert "SecretList" in str(site.fetch("a", f"https://{own}/", LIST_SECRETS))
    assert [site.fetch("a", url) for url in (WHO_AM_I, ECHO, LIST_BUCKETS)] == [None, None, None]
    address = site.ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [site.private["b"]]}])["NetworkInterfaces"]
    answering = [found["PrivateIpAddress"] for found in address if found["Description"].startswith("VPC Endpoint")]
    elsewhere = f"--resolve 'sts.{REGION}.amazonaws.com:443:{answering[0]}'"
    assert "does not answer for" in str(site.fetch("a", WHO_AM_I, elsewhere))


def test_the_endpoints_own_security_group_is_in_force(site: Site) -> None:
    site.ec2.revoke_security_group_ingress(GroupId=site.endpoint_group, IpPermissions=[site.https])
    until(lambda: site.fetch("a", SECRETS, LIST_SECRETS) is None)
    site.ec2.authorize_security_group_ingress(GroupId=site.endpoint_group, IpPermissions=[site.https])
    until(lambda: site.fetch("a", SECRETS, LIST_SECRETS) is not None)


def test_through_a_gateway_endpoint_it_reaches_s3_from_the_subnets_that_route_to_it_alone(site: Site) -> None:
    site.unroute(site.tables["b"])
    until(lambda: site.fetch("b", LIST_BUCKETS) is None)
    endpoint = site.endpoint("s3", RouteTableIds=[site.tables["a"]])
    until(lambda: "ListAllMyBucketsResult" in str(site.fetch("a", LIST_BUCKETS, SIGNED_FOR_S3)))
    assert site.fetch("b", LIST_BUCKETS) is None
    assert [site.fetch("a", url) for url in (WHO_AM_I, ECHO)] == [None, None]
    site.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[site.tables["b"]])
    until(lambda: site.fetch("b", LIST_BUCKETS) is not None)


def test_without_private_dns_the_services_name_leads_outside_again_where_nothing_is_reached(site: Site) -> None:
    [endpoint] = [e for e in site.ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["VpcEndpointType"] == "Interface"]
    site.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PrivateDnsEnabled=False)
    assert site.fetch("a", SECRETS, LIST_SECRETS) is None
    assert site.fetch("a", f"https://{endpoint['DnsEntries'][0]['DnsName']}/", LIST_SECRETS) is not None


def test_deleted_endpoints_leave_nothing_behind(site: Site, lab: settings.Settings) -> None:
    ids = [endpoint["VpcEndpointId"] for endpoint in site.ec2.describe_vpc_endpoints()["VpcEndpoints"]]
    site.ec2.delete_vpc_endpoints(VpcEndpointIds=ids)
    until(lambda: site.ec2.describe_vpc_endpoints()["VpcEndpoints"] == [])
    assert site.fetch("a", LIST_BUCKETS) is None
    until(lambda: not kernel.namespaces(lab.namespace("eni-")))
    site.ec2.delete_security_group(GroupId=site.endpoint_group)
