# SPDX-License-Identifier: GPL-3.0-or-later
"""VPC, internet gateway, subnets, NAT gateways with their addresses, route tables: the role `vpc`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..stack.routes import is_borrowed, subnet_tables
from .model import Kind, Resource, later
from .normal import tags_of

ANYWHERE = "0.0.0.0/0"
NOT_ITS_OWN = ("local", "vpce-")  # every table has the first; the second comes and goes with a gateway endpoint
LAYER = "network"
KINDS = (
    Kind("vpc", LAYER, frozenset({"cidr"})),
    Kind("internet_gateway", LAYER, frozenset({"vpc"})),
    Kind("subnet", LAYER, frozenset({"vpc", "cidr", "zone"})),
    Kind("elastic_address", LAYER, pruned=True),
    Kind("nat_gateway", LAYER, frozenset({"subnet"}), pruned=True),
    Kind("route_table", LAYER, frozenset({"vpc"}), {"routes": "traffic of its subnets takes another way"}, opens=True),
)


def want_network(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `vpc` makes of its arguments."""
    tags, vpc_id = arguments["vpc_tags"], arguments["vpc_id"]
    if not arguments["vpc_borrowed"]:
        yield from _own(arguments, vpc_id, tags)
    for key, gateway in arguments["vpc_nat_gateways"].items():
        own = tags | {"Name": gateway["name"], "Role": "network", "Key": key}
        yield Resource("elastic_address", key, {"tags": own}, gateway["name"])
        yield Resource("nat_gateway", key, {"subnet": _id(arguments, "subnet", gateway["subnet"]), "tags": own}, gateway["name"])
    yield from _route_tables(arguments, vpc_id, tags)


def _own(arguments: Mapping[str, Any], vpc_id: str, tags: dict[str, str]) -> Iterator[Resource]:
    name, gateway = arguments["vpc_name"], arguments["vpc_internet_gateway_name"]
    own = tags | {"Role": "network"}
    yield Resource(
        "vpc", "vpc", {"cidr": arguments["vpc_cidr"], "dns_support": True, "dns_hostnames": True, "tags": own | {"Name": name}}, name
    )
    if gateway:
        yield Resource("internet_gateway", "internet_gateway", {"vpc": vpc_id, "tags": own | {"Name": gateway}}, gateway)
    for key, subnet in arguments["vpc_subnets"].items():
        fields = {
            "vpc": vpc_id,
            "cidr": subnet["cidr"],
            "zone": subnet["az"],
            "public_addresses": bool(subnet.get("public_addresses", subnet["tier"] == "public")),
            "tags": tags | {"Name": subnet["name"], "Role": subnet["tier"], "Key": key},
        }
        yield Resource("subnet", key, fields, subnet["name"])


def _route_tables(arguments: Mapping[str, Any], vpc_id: str, tags: dict[str, str]) -> Iterator[Resource]:
    chosen = subnet_tables(arguments)
    for key, table in arguments["vpc_route_tables"].items():
        if is_borrowed(table):
            continue
        subnets = [subnet for subnet, of in chosen.items() if of == key]
        tier = table.get("tier") or arguments["vpc_subnets"][table["subnets"][0]]["tier"]
        fields = {
            "vpc": vpc_id,
            "routes": _routes(arguments, table),
            "subnets": sorted(_id(arguments, "subnet", subnet) for subnet in subnets),
            "tags": tags | {"Name": table["name"], "Role": tier, "Key": key},
        }
        yield Resource("route_table", key, fields, table["name"])


def _routes(arguments: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, str]:
    """Destination -> where it leads; the local route, which every table has, left out."""
    if table.get("internet"):
        return {ANYWHERE: arguments["vpc_internet_gateway_id"]}
    if table.get("nat_gateway"):
        return {ANYWHERE: _id(arguments, "nat_gateway", table["nat_gateway"])}
    return {}


def _id(arguments: Mapping[str, Any], kind: str, key: str) -> str:
    """The id of a subnet or NAT gateway of this stack by its key."""
    return str(arguments[f"vpc_{kind}_ids"].get(key) or later(kind, key))


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """What read does not tell: a VPC's attributes, and what else stands in it."""
    ec2 = clients["ec2"]
    ids = [vpc["VpcId"] for vpc in found["vpcs"]]
    inside = [{"Name": "vpc-id", "Values": ids}]

    def attributes() -> dict[str, dict[str, bool]]:
        names = {"dns_support": "enableDnsSupport", "dns_hostnames": "enableDnsHostnames"}
        return {
            vpc_id: {
                ours: ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=aws)[aws[0].upper() + aws[1:]]["Value"]
                for ours, aws in names.items()
            }
            for vpc_id in ids
        }

    reads: dict[str, Callable[[], Any]] = {"vpc_attributes": attributes}
    if ids:
        reads["vpc_subnets"] = lambda: ec2.describe_subnets(Filters=inside)["Subnets"]
        reads["vpc_route_tables"] = lambda: ec2.describe_route_tables(Filters=inside)["RouteTables"]
    return reads


def found_network(found: Mapping[str, Any]) -> Iterator[Resource]:
    """What stands, and what somebody else has put into the stack's own VPC."""
    for vpc in found["vpcs"]:
        fields = {"cidr": vpc["CidrBlock"], "more_cidrs": more_cidrs(vpc), **found["vpc_attributes"][vpc["VpcId"]], "tags": tags_of(vpc)}
        yield Resource("vpc", "vpc", fields, tags_of(vpc).get("Name", ""), vpc["VpcId"])
    for gateway in found["internet_gateways"]:
        attached = next((item["VpcId"] for item in gateway["Attachments"]), "")
        fields = {"vpc": attached, "tags": tags_of(gateway)}
        yield Resource("internet_gateway", "internet_gateway", fields, tags_of(gateway).get("Name", ""), gateway["InternetGatewayId"])
    for subnet in [*found["subnets"], *_strangers(found, "subnets", "SubnetId")]:
        yield _subnet(subnet, found)
    for gateway in found["nat_gateways"]:
        if gateway["State"] in ("pending", "available"):
            tags = tags_of(gateway)
            yield Resource(
                "nat_gateway",
                tags.get("Key", ""),
                {"subnet": gateway.get("SubnetId", ""), "tags": tags},
                tags.get("Name", ""),
                gateway["NatGatewayId"],
            )
    for address in found["addresses"]:
        tags = tags_of(address)
        yield Resource("elastic_address", tags.get("Key", ""), {"tags": tags}, tags.get("Name", ""), address["AllocationId"])
    for table in [*found["route_tables"], *_strangers(found, "route_tables", "RouteTableId")]:
        if not _untouched_main(table):
            yield _route_table(table, found)


def more_cidrs(vpc: Mapping[str, Any]) -> list[str]:
    """A VPC's addresses beside its first ones."""
    blocks = vpc.get("CidrBlockAssociationSet") or []
    standing = [block["CidrBlock"] for block in blocks if block["CidrBlockState"]["State"] == "associated"]
    return sorted(set(standing) - {vpc["CidrBlock"]})


def _strangers(found: Mapping[str, Any], kind: str, identity: str) -> list[Mapping[str, Any]]:
    ours = {item[identity] for item in found[kind]}
    return [item for item in found.get(f"vpc_{kind}", []) if item[identity] not in ours]


def _subnet(subnet: Mapping[str, Any], found: Mapping[str, Any]) -> Resource:
    tags, foreign = tags_of(subnet), subnet not in found["subnets"]
    fields = {
        "vpc": subnet["VpcId"],
        "cidr": subnet.get("CidrBlock", ""),  # one for IPv6 alone has none
        "zone": subnet["AvailabilityZone"],
        "public_addresses": subnet["MapPublicIpOnLaunch"],
        "tags": tags,
    }
    key = subnet["SubnetId"] if foreign else tags.get("Key", subnet["SubnetId"])
    return Resource("subnet", key, fields, tags.get("Name", ""), subnet["SubnetId"], foreign)


def _route_table(table: Mapping[str, Any], found: Mapping[str, Any]) -> Resource:
    tags, foreign = tags_of(table), table not in found["route_tables"]
    fields = {
        "vpc": table["VpcId"],
        "routes": {destination(route): target(route) for route in table["Routes"] if not target(route).startswith(NOT_ITS_OWN)},
        "subnets": sorted(item["SubnetId"] for item in table["Associations"] if item.get("SubnetId")),
        "tags": tags,
        **({"main": True} if any(item.get("Main") for item in table["Associations"]) else {}),  # subnets that no table names use it
    }
    key = table["RouteTableId"] if foreign else tags.get("Key", table["RouteTableId"])
    return Resource("route_table", key, fields, tags.get("Name", ""), table["RouteTableId"], foreign)


def destination(route: Mapping[str, Any]) -> str:
    """Where a route is for."""
    return str(route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock") or route.get("DestinationPrefixListId"))


def target(route: Mapping[str, Any]) -> str:
    """Where a route leads; `blackhole` to what is gone."""
    names = ("GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId")
    return next((str(route[name]) for name in names if route.get(name)), "unknown")


def _untouched_main(table: Mapping[str, Any]) -> bool:
    """The main route table, which AWS makes with each VPC, as AWS makes it."""
    main = any(item.get("Main") for item in table["Associations"])
    return main and all(target(route) == "local" for route in table["Routes"])
