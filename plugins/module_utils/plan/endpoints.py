# SPDX-License-Identifier: GPL-3.0-or-later
"""VPC endpoints: the role `vpc_endpoints`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..stack.borrowed import ENDPOINT_STANDS as STANDING
from ..stack.borrowed import service_name
from .model import Kind, Resource, later
from .normal import tags_of

KINDS = (
    Kind(
        "vpc_endpoint", "endpoints", frozenset({"vpc", "service", "type"}),
        {
            "subnets": "connections through a subnet that goes are cut",
            "security_groups": "who reaches the service through it changes at once",
            "route_tables": "traffic to the service takes another way at once, open connections are cut",
            "private_dns": "the service's own name leads another way",
        },
        pruned=True,
    ),
)  # fmt: skip


def want_endpoints(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `vpc_endpoints` makes of its arguments."""
    for key, entry in arguments["vpc_endpoints_map"].items():
        interface = entry.get("type", "interface") == "interface"
        group, tables = entry.get("security_group"), entry.get("route_tables") or []
        groups, table_ids = arguments["vpc_endpoints_security_group_ids"], arguments["vpc_endpoints_route_table_ids"]
        fields = {
            "vpc": arguments["vpc_endpoints_vpc_id"],
            "service": f"com.amazonaws.{arguments['vpc_endpoints_region']}.{entry['service']}",
            "type": "Interface" if interface else "Gateway",
            "subnets": sorted(arguments["vpc_endpoints_subnet_ids"].get(entry["tier"], [])) if interface else [],
            "security_groups": [groups.get(group) or later("security_group", group)] if interface else [],
            "route_tables": [] if interface else sorted(table_ids.get(table) or later("route_table", table) for table in tables),
            "private_dns": interface and bool(entry.get("private_dns", True)),
            "tags": arguments["vpc_endpoints_tags"] | {"Name": entry["name"], "Role": "network", "Key": key},
        }
        yield Resource("vpc_endpoint", key, fields, entry["name"])


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Every endpoint in the stack's own VPC, and the keys of the inventory's by their services."""
    vpcs = [vpc["VpcId"] for vpc in found["vpcs"]]
    keys = {entry["service"]: key for key, entry in (wanted.get("vpc_endpoints_map") or {}).items()}
    reads: dict[str, Callable[[], Any]] = {"vpc_endpoint_keys": lambda: keys}
    if vpcs:
        pages = clients["ec2"].get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": vpcs}])
        reads["all_vpc_endpoints"] = lambda: [endpoint for page in pages for endpoint in page["VpcEndpoints"]]
    return reads


def found_endpoints(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The stack's endpoints, and strangers in its VPC.

    An endpoint that has lost the stack's tags is taken up again by a run, which finds it by its service: it is no stranger.
    """
    own = [endpoint for endpoint in found["vpc_endpoints"] if endpoint["State"].lower() in STANDING]
    keyed = {tags_of(endpoint).get("Key") for endpoint in own}
    lost = {service: key for service, key in found["vpc_endpoint_keys"].items() if key not in keyed}
    for endpoint in own:
        yield _endpoint(endpoint, tags_of(endpoint).get("Key") or lost.pop(_service(endpoint), endpoint["VpcEndpointId"]))
    ids = {endpoint["VpcEndpointId"] for endpoint in found["vpc_endpoints"]}
    for endpoint in found.get("all_vpc_endpoints", []):
        if endpoint["VpcEndpointId"] not in ids and endpoint["State"].lower() in STANDING:
            key = lost.pop(_service(endpoint), None)
            yield _endpoint(endpoint, key or endpoint["VpcEndpointId"], foreign=key is None)


def _endpoint(endpoint: Mapping[str, Any], key: str, *, foreign: bool = False) -> Resource:
    tags = tags_of(endpoint)
    fields = {
        "vpc": endpoint["VpcId"],
        "service": service_name(endpoint),
        "type": endpoint["VpcEndpointType"],
        "subnets": sorted(endpoint.get("SubnetIds") or []),
        "security_groups": sorted(group["GroupId"] for group in endpoint.get("Groups") or []),
        "route_tables": sorted(endpoint.get("RouteTableIds") or []),
        "private_dns": bool(endpoint.get("PrivateDnsEnabled")),
        "tags": tags,
    }
    return Resource("vpc_endpoint", key, fields, tags.get("Name", ""), endpoint["VpcEndpointId"], foreign)


def _service(endpoint: Mapping[str, Any]) -> str:
    """`ecr.api` of `com.amazonaws.us-east-1.ecr.api`."""
    return service_name(endpoint).split(".", 3)[-1]
