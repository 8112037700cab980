"""Reads the API's state (moto's backends, in process) into a World. Reads only; the services add their machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from moto.ec2.models import ec2_backends

from .world import Interface, Machine, NatGateway, Route, Rule, SecurityGroup, Subnet, Vpc, World


def ec2() -> Iterator[Any]:
    """Every EC2 backend (account and region) that has been used."""
    for _account, _region, backend in list(ec2_backends.iter_backends()):
        yield backend


def read(machines: Iterable[Machine]) -> World:
    """The world around these machines: their VPCs, and the security groups in those."""
    by_id = {machine.id: machine for machine in machines}
    vpc_ids = {machine.vpc_id for machine in by_id.values()}
    vpcs = {vpc_id: vpc(backend, vpc_id) for backend in ec2() for vpc_id in backend.vpcs if vpc_id in vpc_ids}
    groups = {group.id: _group(group) for backend in ec2() for vpc_id in vpcs for group in list(backend.groups.get(vpc_id, {}).values())}
    return World(vpcs, groups, by_id)


def interface(eni: Any) -> Interface:
    """One of moto's network interfaces as a value."""
    return Interface(
        id=eni.id,
        vpc_id=eni.subnet.vpc_id,
        subnet_id=eni.subnet.id,
        address=eni.private_ip_address,
        mac=mac_address(eni.private_ip_address),
        group_ids=frozenset(group.id for group in eni.group_set),
        public_address=eni.public_ip,
    )


def mac_address(address: str) -> str:
    """A MAC address that follows from the private address, so that a successor is reached without waiting for ARP to forget."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def vpc(backend: Any, vpc_id: str) -> Vpc:
    """One VPC of an EC2 backend as a value."""
    found = backend.vpcs[vpc_id]
    gateway = next((igw.id for igw in list(backend.internet_gateways.values()) if igw.vpc and igw.vpc.id == vpc_id), None)
    tables = [table for table in list(backend.route_tables.values()) if table.vpc_id == vpc_id]
    subnets = [subnet for zone in list(backend.subnets.values()) for subnet in list(zone.values()) if subnet.vpc_id == vpc_id]
    return Vpc(
        id=vpc_id,
        cidr=found.cidr_block,
        subnets=tuple(
            Subnet(subnet.id, subnet.cidr_block, subnet.availability_zone, _routes(tables, subnet.id))
            for subnet in sorted(subnets, key=lambda subnet: subnet.id)
        ),
        internet_gateway_id=gateway,
        nat_gateways=tuple(
            NatGateway(nat.id, nat.subnet_id, address["publicIp"])
            for nat in list(backend.nat_gateways.values())
            if nat.vpc_id == vpc_id and nat.state == "available"
            for address in nat.address_set[:1]
            if address.get("publicIp")
        ),
        gateway_endpoint_ids=tuple(
            endpoint.id
            for endpoint in list(backend.vpc_end_points.values())
            if endpoint.vpc_id == vpc_id and endpoint.vpc_endpoint_type == "Gateway" and endpoint.state == "available"
        ),
    )


def _routes(tables: list[Any], subnet_id: str) -> tuple[Route, ...]:
    """The routes of the table that is associated with the subnet, else of the VPC's main table."""
    associated = [table for table in tables if subnet_id in table._associations.values()]
    chosen = associated or [table for table in tables if table.main_association_id]
    return tuple(found for table in chosen[:1] for route in list(table._routes.values()) for found in _routes_of(route))


def _routes_of(route: Any) -> list[Route]:
    """One entry of a route table: a route for each range of addresses that it leads to."""
    target = route.gateway or route.nat_gateway
    target_id = "local" if route.local else route.vpc_endpoint_id or (target.id if target else "blackhole")
    if route.destination_prefix_list:
        return [Route(cidr, target_id) for cidr in prefix_list_cidrs(route.destination_prefix_list)]
    return [Route(route.destination_cidr_block, target_id)] if route.destination_cidr_block else []


def prefix_list_cidrs(prefix_list: Any) -> list[str]:
    """The ranges of addresses in the present version of one of moto's prefix lists; AWS's own have no version."""
    return [entry["Cidr"] for entry in prefix_list.entries.get(prefix_list.version or 1, [])]


def _group(group: Any) -> SecurityGroup:
    return SecurityGroup(
        group.id,
        group.vpc_id,
        tuple(_rule(rule) for rule in group.ingress_rules),
        tuple(_rule(rule) for rule in group.egress_rules),
    )


def _rule(rule: Any) -> Rule:
    cidr, source = (rule.ip_range or {}).get("CidrIp"), (rule.source_group or {}).get("GroupId")
    return Rule(
        protocol={"6": "tcp", "17": "udp", "1": "icmp"}.get(rule.ip_protocol, rule.ip_protocol),
        from_port=rule.from_port,
        to_port=rule.to_port,
        cidrs=(cidr,) if cidr else (),
        group_ids=(source,) if source else (),
    )
