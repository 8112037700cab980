"""The network layers and destroy against the lab's API, with its control loops and without machines: made once, left alone, taken away."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .account import Account
from .conftest import Cloud

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

LAYERS = ("network", "security", "endpoints")
REGION = "us-west-2"
ANYWHERE = "0.0.0.0/0"


class Network(Account):
    """What a network consists of, as it stands."""

    def snapshot(self) -> dict[str, Any]:
        """Everything in the region that a network consists of."""
        return {
            "vpcs": self.ec2.describe_vpcs()["Vpcs"],
            "subnets": self.ec2.describe_subnets()["Subnets"],
            "gateways": self.ec2.describe_internet_gateways()["InternetGateways"],
            "nat": [nat for nat in self.ec2.describe_nat_gateways()["NatGateways"] if nat["State"] != "deleted"],
            "addresses": self.ec2.describe_addresses()["Addresses"],
            "endpoints": self.ec2.describe_vpc_endpoints()["VpcEndpoints"],
            "groups": [in_order(group) for group in self.ec2.describe_security_groups()["SecurityGroups"]],
            "tables": [without_association_ids(table) for table in self.ec2.describe_route_tables()["RouteTables"]],
        }

    def named(self, kind: str, name: str) -> dict[str, Any]:
        return next(found for found in self.snapshot()[kind] if {"Key": "Name", "Value": name} in found.get("Tags", []))

    def way_out(self, subnet_id: str) -> str | None:
        """Where the default route of a subnet leads to."""
        tables = self.ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}])["RouteTables"]
        routes = [route for table in tables for route in table["Routes"] if route.get("DestinationCidrBlock") == ANYWHERE]
        return next((route.get("NatGatewayId") or route.get("GatewayId") for route in routes), None)


def in_order(group: dict[str, Any]) -> dict[str, Any]:
    """A rule that is given back is told last; the order of rules means nothing."""
    return group | {"IpPermissions": sorted(group["IpPermissions"], key=str)}


def without_association_ids(table: dict[str, Any]) -> dict[str, Any]:
    """An association that is given back is a new one; what counts is which subnet it is for."""
    return table | {"Associations": sorted(str((a.get("SubnetId"), a["Main"])) for a in table["Associations"])}


@pytest.fixture
def account(cloud: Cloud, tmp_path: Path) -> Iterator[Network]:
    (tmp_path / "account").mkdir()
    made = Network(tmp_path / "account", "uda", REGION)
    yield made
    made.close()


def subnet(name: str, number: int, zone: str, tier: str) -> dict[str, str]:
    return {"name": name, "cidr": f"10.0.{number}.0/24", "az": REGION + zone, "tier": tier}


# Its groups let in HTTPS alone.
NOBODY_IS_SERVED = [
    {"from": "load_balancer", "to": "app", "reachable": False},
    {"from": "app", "to": "database", "reachable": False},
]


def watched_by_guardduty(account: Network) -> None:
    """As its Runtime Monitoring does with a VPC that has machines."""
    subnet = account.named("subnets", "private-1")
    tagged = [{"Key": "GuardDutyManaged", "Value": "true"}]
    group = account.ec2.create_security_group(
        GroupName="GuardDutyManagedSecurityGroup", Description="Associated with VPC endpoint", VpcId=subnet["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tagged}],
    )["GroupId"]  # fmt: skip
    account.ec2.create_vpc_endpoint(
        VpcId=subnet["VpcId"], ServiceName=f"com.amazonaws.{REGION}.guardduty-data", VpcEndpointType="Interface",
        SubnetIds=[subnet["SubnetId"]], SecurityGroupIds=[group], TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": tagged}],
    )  # fmt: skip


def own_network() -> dict[str, Any]:
    """Three tiers over two zones: a NAT gateway in each, a database tier without a way out, both kinds of endpoint."""
    https = {"port": 443, "cidrs": ["10.0.0.0/16"], "description": "HTTPS from the VPC"}
    return {
        "stack_region": REGION,
        "stack_database_tier": "database",
        "stack_reachability": NOBODY_IS_SERVED,
        "vpc_subnets": {
            "public_1": subnet("public-1", 0, "a", "public"),
            "public_2": subnet("public-2", 1, "b", "public"),
            "private_1": subnet("private-1", 2, "a", "private"),
            "private_2": subnet("private-2", 3, "b", "private"),
            "database_1": subnet("database-1", 4, "a", "database"),
            "database_2": subnet("database-2", 5, "b", "database"),
        },
        "vpc_nat_gateways": {"a": {"name": "nat-a", "subnet": "public_1"}, "b": {"name": "nat-b", "subnet": "public_2"}},
        "vpc_route_tables": {
            "public": {"name": "public", "tier": "public", "internet": True},
            "private_1": {"name": "private-1", "subnets": ["private_1"], "nat_gateway": "a"},
            "private_2": {"name": "private-2", "subnets": ["private_2"], "nat_gateway": "b"},
            "database": {"name": "database", "tier": "database"},
        },
        "security_groups_map": {
            key: {"name": f"uda-{key}", "description": key, "ingress": [https] if key == "endpoints" else []}
            for key in ("load_balancer", "web", "database", "endpoints")
        },
        "vpc_endpoints_map": {
            "secrets": {"name": "secrets", "service": "secretsmanager", "tier": "private", "security_group": "endpoints"},
            "files": {"name": "files", "service": "s3", "type": "gateway", "route_tables": ["private_1", "private_2"]},
        },
    }


def test_a_network_grows_to_a_nat_gateway_for_each_zone_is_mended_shrinks_again_and_is_taken_away_whole(account: Network) -> None:
    before = account.snapshot()
    one = own_network()
    tables = {key: table for key, table in one["vpc_route_tables"].items() if not key.startswith("private")}
    one["vpc_route_tables"] = tables | {"all": {"name": "all", "tier": "private", "nat_gateway": "a"}}
    one["vpc_nat_gateways"].pop("b")
    one["vpc_endpoints_map"]["files"]["route_tables"] = ["all"]
    account.must(one, *LAYERS)
    second = account.named("subnets", "private-2")["SubnetId"]
    assert account.way_out(second) == account.named("nat", "nat-a")["NatGatewayId"]
    endpoint = account.named("endpoints", "secrets")
    assert (endpoint["State"], endpoint["PrivateDnsEnabled"]) == ("available", True)
    account.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], RemoveSubnetIds=[second], PrivateDnsEnabled=False)

    account.must(own_network(), *LAYERS)
    assert account.way_out(account.named("subnets", "private-1")["SubnetId"]) == account.named("nat", "nat-a")["NatGatewayId"]
    assert account.way_out(second) == account.named("nat", "nat-b")["NatGatewayId"]
    assert account.way_out(account.named("subnets", "database-1")["SubnetId"]) is None
    assert len({account.named("addresses", name)["PublicIp"] for name in ("nat-a", "nat-b")}) == 2
    assert len(account.named("endpoints", "files")["RouteTableIds"]) == 2
    mended = account.named("endpoints", "secrets")
    assert (mended["VpcEndpointId"], sorted(mended["SubnetIds"])) == (endpoint["VpcEndpointId"], sorted(endpoint["SubnetIds"]))
    assert mended["PrivateDnsEnabled"]

    account.mutations()
    account.must(own_network(), *LAYERS)
    assert account.mutations() == []

    one["vpc_endpoints_map"].pop("secrets")
    account.must(one, *LAYERS)
    assert [nat["NatGatewayId"] for nat in account.snapshot()["nat"]] == [account.named("nat", "nat-a")["NatGatewayId"]]
    assert account.way_out(second) == account.named("nat", "nat-a")["NatGatewayId"]
    assert len(account.snapshot()["addresses"]) == len(account.snapshot()["endpoints"]) == 1

    watched_by_guardduty(account)
    assert "Nothing of the stack uda is left" in account.must(one, "destroy")
    assert account.snapshot() == before


class Lender:
    """A VPC that is not the stack's: two public and two private subnets, one NAT gateway, a database's group open to the whole VPC."""

    def __init__(self, account: Network) -> None:
        self.ec2 = account.ec2
        self.vpc = self._tagged(self.ec2.create_vpc(CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"], "Lab VPC")
        gateway = self._tagged(self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"], "Lab IGW")
        self.ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=gateway)
        self.subnets = {
            f"{tier} Subnet {number}": self._tagged(
                self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{third}.0/24", AvailabilityZone=REGION + zone)["Subnet"][
                    "SubnetId"
                ],
                f"{tier} Subnet {number}",
            )
            for tier, number, third, zone in (("Public", 1, 0, "a"), ("Public", 2, 1, "b"), ("Private", 1, 2, "a"), ("Private", 2, 3, "b"))
        }
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=self.subnets["Public Subnet 1"], AllocationId=address)
        self.nat = self._tagged(made["NatGateway"]["NatGatewayId"], "Lab NAT")
        public = self._table("Public Route Table", "Public Subnet 1", "Public Subnet 2")
        self.ec2.create_route(RouteTableId=public, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
        self.private = self._table("Private Route Table", "Private Subnet 1", "Private Subnet 2")
        self.ec2.create_route(RouteTableId=self.private, DestinationCidrBlock=ANYWHERE, NatGatewayId=self.nat)
        self.database = self.ec2.create_security_group(GroupName="Inventory-DB", Description="d", VpcId=self.vpc)["GroupId"]
        self.wide = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "IpRanges": [{"CidrIp": "10.0.0.0/20"}]}
        other = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.5/32"}]}
        self.ec2.authorize_security_group_ingress(GroupId=self.database, IpPermissions=[self.wide, other])

    def _subnet(self, name: str, number: int, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=REGION + zone)
        return self._tagged(made["Subnet"]["SubnetId"], name)

    def _table(self, name: str, *subnets: str) -> str:
        table = self._tagged(self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"], name)
        for subnet_name in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnets[subnet_name])
        return table

    def _tagged(self, resource: str, name: str) -> str:
        self.ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": name}])
        return resource

    def rules(self) -> set[tuple[int, str]]:
        permissions = self.ec2.describe_security_groups(GroupIds=[self.database])["SecurityGroups"][0]["IpPermissions"]
        return {
            (p["FromPort"], source)
            for p in permissions
            for source in [*(r["CidrIp"] for r in p["IpRanges"]), *(pair["GroupId"] for pair in p["UserIdGroupPairs"])]
        }


def borrowing() -> dict[str, Any]:
    """The stack in a borrowed VPC, with a second NAT gateway and a route table of its own for the second private subnet."""
    return {
        "stack_region": REGION,
        "vpc_borrowed": True,
        "vpc_name": "Lab VPC",
        "vpc_cidr": "10.0.0.0/20",
        "vpc_internet_gateway_name": "",
        "vpc_subnets": {
            "public_1": {"name": "Public Subnet 1", "tier": "public"},
            "public_2": {"name": "Public Subnet 2", "tier": "public"},
            "private_1": {"name": "Private Subnet 1", "tier": "private"},
            "private_2": {"name": "Private Subnet 2", "tier": "private", "route_table": "private"},
        },
        "vpc_nat_gateways": {"b": {"name": "my-nat-gateway", "subnet": "public_2"}},
        "vpc_route_tables": {
            "private": {"borrowed": True, "name": "Private Route Table"},
            "private_2": {"name": "Private Route Table 2", "subnets": ["private_2"], "nat_gateway": "b"},
        },
        "security_groups_map": {
            "load_balancer": {"name": "Inventory-LB", "description": "HTTP", "ingress": [{"port": 80, "cidrs": [ANYWHERE]}]},
            "web": {"name": "Inventory-App", "description": "HTTP", "ingress": [{"port": 80, "group": "load_balancer"}]},
            "database": {
                "borrowed": True,
                "name": "Inventory-DB",
                "ingress": [{"port": 3306, "group": "web", "description": "MySQL from the app"}],
                "replaces": [{"port": 3306, "cidrs": ["10.0.0.0/20"]}],
            },
        },
    }


def test_a_borrowed_vpc_gets_what_is_asked_for_and_is_given_back_as_it_was(account: Network) -> None:
    lender = Lender(account)
    account.round()
    before = account.snapshot()
    account.must(borrowing(), *LAYERS)
    own = account.named("nat", "my-nat-gateway")
    assert (own["SubnetId"], own["VpcId"]) == (lender.subnets["Public Subnet 2"], lender.vpc)
    assert account.way_out(lender.subnets["Private Subnet 2"]) == own["NatGatewayId"]
    assert account.way_out(lender.subnets["Private Subnet 1"]) == lender.nat
    app = account.named("groups", "Inventory-App")["GroupId"]
    assert lender.rules() == {(3306, app), (22, "10.0.0.5/32")}
    tagged = [found for kind in account.snapshot().values() for found in kind if "uda" in str(found.get("Tags"))]
    assert len(tagged) == 5  # NAT gateway, address, route table, two groups: nothing of the lender's

    account.mutations()
    account.must(borrowing(), *LAYERS)
    assert account.mutations() == []

    one = borrowing()
    one["vpc_nat_gateways"], one["vpc_route_tables"] = {}, {"private": one["vpc_route_tables"]["private"]}
    account.must(one, "network")
    assert account.way_out(lender.subnets["Private Subnet 2"]) == lender.nat
    assert [nat["NatGatewayId"] for nat in account.snapshot()["nat"]] == [lender.nat]
    account.must(borrowing(), "network")
    assert account.way_out(lender.subnets["Private Subnet 2"]) == account.named("nat", "my-nat-gateway")["NatGatewayId"]

    assert "Nothing of the stack uda is left" in account.must(one, "destroy")  # whatever the inventory has forgotten meanwhile
    assert account.snapshot() == before
    assert lender.rules() == {(3306, "10.0.0.0/20"), (22, "10.0.0.5/32")}


def test_what_is_missing_ambiguous_or_otherwise_in_a_borrowed_vpc_is_told_before_anything_is_made(account: Network) -> None:
    lender = Lender(account)
    account.ec2.create_tags(Resources=[lender.subnets["Public Subnet 2"]], Tags=[{"Key": "Name", "Value": "Public Subnet 1"}])
    account.ec2.revoke_security_group_ingress(GroupId=lender.database, IpPermissions=[lender.wide])
    account.ec2.disassociate_route_table(
        AssociationId=next(
            association["RouteTableAssociationId"]
            for table in account.ec2.describe_route_tables(RouteTableIds=[lender.private])["RouteTables"]
            for association in table["Associations"]
            if association["SubnetId"] == lender.subnets["Private Subnet 2"]
        )
    )
    account.mutations()
    output = account.play(borrowing(), *LAYERS)
    assert account.failed
    ids = ", ".join(sorted(lender.subnets[name] for name in ("Public Subnet 1", "Public Subnet 2")))
    for line in (
        "The borrowed VPC is not as the inventory says",
        f"vpc_subnets.public_1.name is 'Public Subnet 1': 2 in {lender.vpc} have it: {ids}. Give the id of the one that is meant",
        f"vpc_subnets.public_2.name is 'Public Subnet 2': nothing in {lender.vpc} has it. There are: Private Subnet 1, Private Subnet 2",
        f"vpc_subnets.private_2.route_table is 'private': {lender.subnets['Private Subnet 2']} uses the main route table",
        f"{lender.database} has no such rule, and destroy would give it one. Name rules that it has: tcp 22 from 10.0.0.5/32",
    ):
        assert line in output
    assert account.mutations() == []


def test_the_snapshot_sees_a_changed_network(account: Network) -> None:
    before = account.snapshot()
    address = account.ec2.allocate_address(Domain="vpc")
    assert account.snapshot() != before
    assert ipaddress.ip_address(address["PublicIp"]).is_global
