"""NAT gateways: they take a moment to come and to go, are found by their tags, and their end frees address and interface.

The lab's service (lab/services/gateways.py) ends the passing states `pending` and `deleting`, as AWS does within a minute or two
(VPC User Guide, "NAT gateway basics" and "Troubleshoot NAT gateways").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.route_tables import Route
from moto.ec2.models.tags import TagBackend
from moto.ec2.utils import generic_filter

from . import interfaces
from ._patch import wrap


def install() -> None:
    wrap(TagBackend, "describe_tags")(_known_by_both_names)
    wrap(NatGateway, "__init__")(_address_of_interface)
    wrap(NatGatewayBackend, "describe_nat_gateways")(_found_by_tags)
    wrap(NatGatewayBackend, "delete_nat_gateway")(_delete)
    Route.state = property(_route_state)


def settle(nat: Any) -> None:
    """End a passing state: a public gateway fails in a VPC without an internet gateway; a deleted one frees what it held."""
    attached = any(gateway.vpc and gateway.vpc.id == nat.vpc_id for gateway in nat.ec2_backend.internet_gateways.values())
    if nat.state == "pending" and (attached or nat.connectivity_type == "private"):
        nat.state = "available"
    elif nat.state == "pending":
        nat.state, nat.failure_code = "failed", "Gateway.NotAttached"
        nat.failure_message = f"Network {nat.vpc_id} has no Internet gateway attached"
        _free(nat)
    elif nat.state == "deleting":
        nat.state = "deleted"
        _free(nat)


def _known_by_both_names(original: Callable[..., Any], ec2: Any, filters: dict[str, list[str]] | None = None) -> Any:
    """AWS lists NAT gateways' tags under `natgateway`; moto keeps them under `nat-gateway` and finds nothing."""
    if filters and "natgateway" in filters.get("resource-type", []):
        filters = filters | {"resource-type": [*filters["resource-type"], "nat-gateway"]}
    found = original(ec2, filters)
    return [tag | {"resource_type": "natgateway"} if tag["resource_type"] == "nat-gateway" else tag for tag in found]


def _address_of_interface(original: Callable[..., None], nat: Any, *args: Any, **kwargs: Any) -> None:
    original(nat, *args, **kwargs)
    nat.state = "pending"
    nat.private_ip = nat._eni.private_ip_address
    nat._eni.description = f"Interface for NAT Gateway {nat.id}"
    nat._eni.requester_managed, nat._eni.status, nat._eni._group_set = True, "in-use", []


def _found_by_tags(original: Callable[..., Any], ec2: Any, filters: Any, nat_gateway_ids: list[str] | None) -> Any:
    """moto passes over filters by tag and so finds everybody's."""
    by_tag = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
    return generic_filter(by_tag, original(ec2, filters, nat_gateway_ids))


def _delete(original: Callable[..., Any], ec2: Any, nat_gateway_id: str) -> Any:
    nat = original(ec2, nat_gateway_id)
    nat.state = "deleting"
    return nat


def _free(nat: Any) -> None:
    """moto leaves the elastic IP associated and the interface standing, so that subnet and address could never go."""
    for address in nat.address_set:
        if address.get("associationId"):
            nat.ec2_backend.disassociate_address(association_id=address["associationId"])
    interfaces.delete(nat.ec2_backend, [nat._eni.id])


def _route_state(route: Any) -> str:
    """A route to a gateway that is gone is a black hole."""
    nat = route.nat_gateway
    return "blackhole" if nat and nat.state in ("deleting", "deleted", "failed") else "active"
