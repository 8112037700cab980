"""A VPC's router lets a machine out, and in, exactly as its subnet's routes say."""

from __future__ import annotations

import dataclasses

from lab.network import layout, router
from lab.world import Interface, Machine, NatGateway, Route, Subnet, Vpc, World

LOCAL = Route("10.0.0.0/16", "local")
PUBLIC = Subnet("subnet-public", "10.0.0.0/24", "a", (LOCAL, Route("0.0.0.0/0", "igw-1")))
PRIVATE = Subnet("subnet-private", "10.0.1.0/24", "a", (LOCAL,))
VPC = Vpc("vpc-1", "10.0.0.0/16", (PUBLIC, PRIVATE), "igw-1")


def world(vpc: Vpc, *interfaces: Interface) -> World:
    machines = {
        f"i-{interface.address}": Machine(f"i-{interface.address}", "instance", "image", (interface,), "host") for interface in interfaces
    }
    return World({vpc.id: vpc}, {}, machines)


def interface(address: str, subnet: Subnet, public: str | None = None) -> Interface:
    return Interface(f"eni-{address}", "vpc-1", subnet.id, address, "02:00:00:00:00:01", frozenset(), public)


def test_a_public_address_works_both_ways_where_the_route_leads_to_the_internet_gateway() -> None:
    text = router.ruleset(VPC, world(VPC, interface("10.0.0.4", PUBLIC, "54.1.1.1")))
    assert "ip daddr 54.1.1.1 dnat ip to 10.0.0.4" in text
    assert 'oifname "uplink" ip saddr 10.0.0.4 snat ip to 54.1.1.1' in text
    assert 'oifname "uplink" ip saddr { 10.0.0.4 } ip daddr 0.0.0.0/0 accept' in text


def test_a_public_address_in_a_subnet_without_that_route_is_dead() -> None:
    text = router.ruleset(VPC, world(VPC, interface("10.0.1.4", PRIVATE, "54.1.1.1")))
    assert "54.1.1.1" not in text
    assert "10.0.1.4" not in text


def test_a_public_subnet_lends_no_way_out_to_a_machine_without_a_public_address() -> None:
    text = router.ruleset(VPC, world(VPC, interface("10.0.0.4", PUBLIC)))
    assert "accept" not in "".join(line for line in text.splitlines() if "0.0.0.0/0" in line)


def test_a_detached_internet_gateway_closes_the_vpc() -> None:
    closed = dataclasses.replace(VPC, internet_gateway_id=None)
    assert router.public_addresses(closed, world(closed, interface("10.0.0.4", PUBLIC, "54.1.1.1"))) == []


def test_a_private_subnet_leaves_by_the_nat_gateway_that_it_routes_to() -> None:
    private = dataclasses.replace(PRIVATE, routes=(LOCAL, Route("0.0.0.0/0", "nat-1")))
    vpc = dataclasses.replace(VPC, subnets=(PUBLIC, private), nat_gateways=(NatGateway("nat-1", PUBLIC.id, "54.9.9.9"),))
    text = router.ruleset(vpc, world(vpc))
    assert 'oifname "uplink" ip saddr 10.0.1.0/24 ip daddr 0.0.0.0/0 snat ip to 54.9.9.9' in text
    assert 'oifname "uplink" ip saddr 10.0.1.0/24 ip daddr 0.0.0.0/0 accept' in text
    assert router.public_addresses(vpc, world(vpc)) == ["54.9.9.9"]


def test_a_nat_gateway_in_a_private_subnet_leads_nowhere() -> None:
    private = dataclasses.replace(PRIVATE, routes=(LOCAL, Route("0.0.0.0/0", "nat-1")))
    vpc = dataclasses.replace(VPC, subnets=(PUBLIC, private), nat_gateways=(NatGateway("nat-1", PRIVATE.id, "54.9.9.9"),))
    assert "54.9.9.9" not in router.ruleset(vpc, world(vpc))


def test_the_most_specific_route_comes_first() -> None:
    routes = (Route("0.0.0.0/0", "igw-1"), Route("198.51.100.0/24", "blackhole"), LOCAL)
    vpc = dataclasses.replace(VPC, subnets=(dataclasses.replace(PUBLIC, routes=routes), PRIVATE))
    lines = router.ruleset(vpc, world(vpc, interface("10.0.0.4", PUBLIC, "54.1.1.1"))).splitlines()
    drop = next(number for number, line in enumerate(lines) if "198.51.100.0/24 drop" in line)
    accept = next(number for number, line in enumerate(lines) if "0.0.0.0/0 accept" in line)
    assert drop < accept


def test_the_router_holds_the_first_address_of_every_subnet_and_the_public_addresses() -> None:
    found = layout.router_addresses(VPC, ["54.1.1.1"])
    assert found.items() >= {"10.0.0.1/24": "vpc", "10.0.1.1/24": "vpc", "54.1.1.1/32": "uplink"}.items()


def test_the_uplink_keeps_an_address_and_so_its_routes_when_no_public_address_is_left() -> None:
    assert "uplink" in layout.router_addresses(VPC, []).values()


def test_a_machine_has_its_exact_address_and_its_subnets_gateway() -> None:
    found = Machine("i-1", "instance", "image", (interface("10.0.1.4", PRIVATE),), "host")
    assert layout.machine(found, VPC)[1:] == [
        "addr add 10.0.1.4/24 dev eth0",
        "link set eth0 up",
        "route add default via 10.0.1.1",
    ]


def test_link_names_fit_the_kernels_fifteen_characters() -> None:
    assert len(layout.link_name("m", "eni-0123456789abcdef0")) <= 15


def test_private_addresses_lead_nowhere_on_the_labs_internet_so_that_no_machine_reaches_the_hosts_own_networks() -> None:
    assert {"route add unreachable 10.0.0.0/8", "route add unreachable 192.168.0.0/16"} <= set(layout.internet())


def test_two_private_subnets_leave_by_the_nat_gateways_that_their_own_tables_name() -> None:
    other = Subnet("subnet-other", "10.0.2.0/24", "c", (LOCAL, Route("0.0.0.0/0", "nat-2")))
    private = dataclasses.replace(PRIVATE, routes=(LOCAL, Route("0.0.0.0/0", "nat-1")))
    gateways = (NatGateway("nat-1", PUBLIC.id, "54.9.9.1"), NatGateway("nat-2", PUBLIC.id, "54.9.9.2"))
    vpc = dataclasses.replace(VPC, subnets=(PUBLIC, private, other), nat_gateways=gateways)
    lines = [line.strip() for line in router.ruleset(vpc, world(vpc)).splitlines() if "54.9.9." in line]
    assert lines == [
        'oifname "uplink" ip saddr 10.0.1.0/24 ip daddr 0.0.0.0/0 snat ip to 54.9.9.1',
        'oifname "uplink" ip saddr 10.0.2.0/24 ip daddr 0.0.0.0/0 snat ip to 54.9.9.2',
    ]


def test_a_nat_gateway_whose_subnet_lost_its_way_to_the_internet_carries_nobody() -> None:
    private = dataclasses.replace(PRIVATE, routes=(LOCAL, Route("0.0.0.0/0", "nat-1")))
    closed = dataclasses.replace(PUBLIC, routes=(LOCAL,))
    vpc = dataclasses.replace(VPC, subnets=(closed, private), nat_gateways=(NatGateway("nat-1", PUBLIC.id, "54.9.9.9"),))
    assert "54.9.9.9" not in router.ruleset(vpc, world(vpc))
    assert "ip saddr 10.0.1.0/24 ip daddr 0.0.0.0/0 accept" not in router.ruleset(vpc, world(vpc))


def test_a_gateway_endpoint_takes_s3s_address_from_the_subnets_that_route_to_it_alone() -> None:
    private = dataclasses.replace(PRIVATE, routes=(LOCAL, Route("198.18.0.2/32", "vpce-1")))
    vpc = dataclasses.replace(VPC, subnets=(PUBLIC, private), gateway_endpoint_ids=("vpce-1",))
    lines = [line.strip() for line in router.ruleset(vpc, world(vpc)).splitlines() if "169.254.169.252" in line]
    assert lines == [
        'iifname "vpc" ip saddr 10.0.1.0/24 ip daddr 198.18.0.2/32 tcp dport 443 dnat ip to 169.254.169.252',
        'iifname "vpc" ip daddr 169.254.169.252 ct status dnat accept',
    ]


def test_a_route_to_a_gateway_endpoint_that_is_gone_leads_nowhere() -> None:
    private = dataclasses.replace(PRIVATE, routes=(LOCAL, Route("198.18.0.2/32", "vpce-1")))
    text = router.ruleset(dataclasses.replace(VPC, subnets=(PUBLIC, private)), world(VPC))
    assert "dnat ip to 169.254.169.252" not in text
    assert "ip saddr 10.0.1.0/24 ip daddr 198.18.0.2/32 drop" in text
