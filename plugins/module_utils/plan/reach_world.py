# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides who reaches whom, out of resources: groups, subnets with routes, gateways, endpoints, the stack's parts. Pure.

Wanted and found resources come to the same words. What a stack borrows is read as it stands, changed by what the stack adds to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any

from ..stack.routes import is_borrowed
from . import endpoints, network, security
from .model import Resource, Unknown, later

Dead = tuple[str, str]  # (route table's id, destination) of a route that leads to what is gone


@dataclass(frozen=True)
class Group:
    """A security group; rules as `tcp 80 from`, the port left out for all, the source a group's id or addresses."""

    id: str
    title: str
    ingress: tuple[str, ...]
    egress: tuple[str, ...]


@dataclass(frozen=True)
class Subnet:
    """A subnet with the routes of the table that it uses, destination -> target, without those that lead to what is gone."""

    id: str
    key: str
    network: IPv4Network
    zone: str
    public_addresses: bool
    table_id: str
    table: str
    routes: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint; `service` is the last part of its name, `s3` or `ecr.api`."""

    title: str
    service: str
    gateway: bool
    groups: tuple[str, ...]
    tables: tuple[str, ...]
    named: bool  # by private DNS the service's own name leads to it


@dataclass(frozen=True)
class Part:
    """A part of the stack: its groups and subnets by id, its own ports, whether it has public addresses (None: as its subnets give)."""

    groups: tuple[str, ...]
    subnets: tuple[str, ...]
    ports: tuple[int, ...]
    public: bool | None = None


@dataclass(frozen=True)
class World:
    """One side, wanted or found. `gates` are NAT gateways: id -> (name, id of their subnet)."""

    groups: Mapping[str, Group]
    subnets: Mapping[str, Subnet]
    gates: Mapping[str, tuple[str, str]]
    endpoints: tuple[Endpoint, ...]
    parts: Mapping[str, Part]
    own: tuple[IPv4Network, ...]  # the VPC's addresses
    shown: tuple[str, ...] = field(default=())  # ids of the subnets that are the stack's


def lent(found: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Resource]:
    """What the stack uses without owning it, from what stack_info read of a borrowed VPC and a borrowed database; else nothing.

    Subnets and groups go by the inventory's keys where it has them.
    """
    vpc = found.get("borrowed_vpc") or {}
    keys = {entry["id"]: key for key, entry in (facts.get("subnets") or {}).items()}
    keys |= {identity: key for key, identity in ((facts.get("borrowed") or {}).get("security_group_ids") or {}).items()}
    as_own = {"vpcs": [], "addresses": [], "vpc_attributes": {}, "vpc_endpoint_keys": {}, "vpc_endpoints": vpc.get("vpc_endpoints", [])}
    as_own |= {kind: vpc.get(kind, []) for kind in ("internet_gateways", "subnets", "route_tables", "nat_gateways", "security_groups")}
    read = [
        *(
            Resource("vpc", "vpc", {"cidr": item["CidrBlock"], "more_cidrs": network.more_cidrs(item)}, id=item["VpcId"])
            for item in vpc.get("vpcs", [])
        ),
        *network.found_network(as_own),
        *security.found_security_groups(as_own),
        *endpoints.found_endpoints(as_own),
    ]
    result = [replace(item, key=keys.get(item.id, item.id), foreign=item.kind == "subnet" and item.id not in keys) for item in read]
    for database in found.get("borrowed_databases") or []:
        group = database.get("DBSubnetGroup") or {}
        subnets = sorted(subnet["SubnetIdentifier"] for subnet in group.get("Subnets", []))
        result.append(Resource("db_subnet_group", str(group.get("DBSubnetGroupName")), {"subnets": subnets}))
    return result


def dead_routes(found: Mapping[str, Any]) -> set[Dead]:
    """The routes that AWS calls black holes."""
    tables = [
        *found.get("route_tables", []),
        *found.get("vpc_route_tables", []),
        *(found.get("borrowed_vpc") or {}).get("route_tables", []),
    ]
    return {
        (table["RouteTableId"], network.destination(route))
        for table in tables
        for route in table["Routes"]
        if route.get("State") == "blackhole"
    }


def completed(
    wanted: Iterable[Resource], found: Collection[Resource], borrowed: Iterable[Resource], groups: Mapping[str, Any], ids: Mapping[str, str]
) -> list[Resource]:
    """What will stand after a run: what is wanted over what is found of it, with the ids by which others refer to it, and what is borrowed.

    `groups` is the inventory's security_groups_map, of which the borrowed ones get and lose rules; `ids` are the ids of all groups by key.
    """
    have = {(item.kind, item.key): item for item in found if not item.foreign}
    result = []
    for item in wanted:
        standing = have.get((item.kind, item.key))
        fields = dict(standing.fields) if standing else {}
        fields |= {name: value for name, value in item.fields.items() if not (isinstance(value, Unknown) and name in fields)}
        result.append(replace(item, id=standing.id if standing and standing.id else later(item.kind, item.key), fields=fields))
    own = {item.id for item in result}
    for item in borrowed:
        if item.id and item.id in own:
            continue
        entry = groups.get(item.key)
        result.append(_regrouped(item, entry, ids) if item.kind == "security_group" and is_borrowed(entry) else item)
    return result


def _regrouped(item: Resource, entry: Any, ids: Mapping[str, str]) -> Resource:
    """A borrowed group with the rules that the stack gives it in place of others."""
    gone = security.wanted_rules(entry.get("replaces") or [], ids)
    rules = {rule: said for rule, said in item.fields["ingress"].items() if rule not in gone}
    return replace(item, fields={**item.fields, "ingress": rules | security.wanted_rules(entry.get("ingress") or [], ids)})


def world(resources: Iterable[Resource], dead: Collection[Dead] = ()) -> World:
    """One side's resources, those of others among them, as what decides; what is told twice counts as it is told first."""
    kinds: dict[str, list[Resource]] = {}
    seen = set[tuple[str, str]]()
    for item in resources:
        if not item.id or (item.kind, item.id) not in seen:
            kinds.setdefault(item.kind, []).append(item)
        seen.add((item.kind, item.id))
    groups = {
        item.id: Group(item.id, item.title, tuple(item.fields["ingress"]), tuple(item.fields["egress"]))
        for item in kinds.get("security_group", [])
    }
    gone = {item.id for item in kinds.get("internet_gateway", []) if not item.fields["vpc"]}
    return World(
        groups,
        dict(_subnets(kinds.get("subnet", []), kinds.get("route_table", []), dead, gone)),
        {item.id: (item.title, str(item.fields["subnet"])) for item in kinds.get("nat_gateway", [])},
        tuple(_endpoint(item) for item in kinds.get("vpc_endpoint", [])),
        dict(_parts(kinds)),
        tuple(IPv4Network(cidr) for item in kinds.get("vpc", []) for cidr in [item.fields["cidr"], *item.fields.get("more_cidrs", [])]),
        tuple(item.id for item in kinds.get("subnet", []) if not item.foreign),
    )


def _subnets(
    subnets: Iterable[Resource], tables: Sequence[Resource], dead: Collection[Dead], gone: Collection[str]
) -> Iterator[tuple[str, Subnet]]:
    """Each subnet that has IPv4 with the table of its own, or else the main one, which AWS makes without a way out of the VPC."""
    chosen = {subnet: table for table in reversed(tables) for subnet in table.fields["subnets"]}
    main = next((table for table in tables if table.fields.get("main")), None)
    for item in (one for one in subnets if one.fields["cidr"]):
        table = chosen.get(item.id, main)
        routes = table.fields["routes"] if table else {}
        alive = {to: by for to, by in routes.items() if table and (table.id, to) not in dead and by not in gone}
        yield (
            item.id,
            Subnet(
                item.id, item.key, IPv4Network(item.fields["cidr"]), item.fields["zone"], bool(item.fields["public_addresses"]),
                table.id if table else "", table.title if table else "the VPC's main route table", alive,
            ),
        )  # fmt: skip


def _endpoint(item: Resource) -> Endpoint:
    gateway = item.fields["type"] == "Gateway"
    service = item.fields["service"].split(".", 3)[-1]
    return Endpoint(
        item.title or item.id, service, gateway, _texts(item.fields["security_groups"]), _texts(item.fields["route_tables"]),
        bool(item.fields["private_dns"]),
    )  # fmt: skip


def _parts(kinds: Mapping[str, list[Resource]]) -> Iterator[tuple[str, Part]]:
    """The parts that are there, of each the first: what of them is not known yet leaves them out."""

    def first(kind: str) -> Mapping[str, Any]:
        return next((item.fields for item in kinds.get(kind, []) if not item.foreign), {})

    def ports(kind: str) -> tuple[int, ...]:
        numbers = {item.fields["port"] for item in kinds.get(kind, [])}
        return tuple(sorted(number for number in numbers if isinstance(number, int)))

    if balancer := first("load_balancer"):
        yield from _part("load_balancer", balancer, balancer, ports("listener"), balancer["scheme"] == "internet-facing")
    if (template := first("launch_template")) and (group := first("auto_scaling_group")):
        yield from _part("app", template, group, ports("target_group"))
    elif service := first("ecs_service"):
        yield from _part("app", service, service, ports("target_group"), service["public_addresses"])
    if database := first("db_instance"):
        name = str(database.get("subnet_group")).lower()
        subnets = next((item.fields for item in kinds.get("db_subnet_group", []) if item.key == name), {})
        own = (database["port"],) if isinstance(database.get("port"), int) else ()
        yield from _part("database", database, subnets, own, bool(database.get("public")))
    if bastion := first("bastion"):
        yield from _part("bastion", bastion, {"subnets": [bastion["subnet"]] if bastion.get("subnet") else []}, (22,))


def _part(
    name: str, grouped: Mapping[str, Any], placed: Mapping[str, Any], ports: tuple[int, ...], public: bool | None = None
) -> Iterator[tuple[str, Part]]:
    groups, subnets = grouped.get("security_groups"), placed.get("subnets")
    if isinstance(groups, (list, tuple)) and isinstance(subnets, (list, tuple)):
        yield name, Part(_texts(groups), _texts(subnets), ports, public)


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
