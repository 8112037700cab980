"""NAT gateways: their tags are found by the name that AWS uses, and their end frees address and interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.tags import TagBackend

from . import interfaces
from ._patch import wrap


def install() -> None:
    wrap(TagBackend, "describe_tags")(_known_by_both_names)
    wrap(NatGateway, "__init__")(_address_of_interface)
    wrap(NatGatewayBackend, "delete_nat_gateway")(_delete_and_free)


def _known_by_both_names(original: Callable[..., Any], ec2: Any, filters: dict[str, list[str]] | None = None) -> Any:
    """AWS lists NAT gateways' tags under `natgateway`; moto keeps them under `nat-gateway` and finds nothing."""
    if filters and "natgateway" in filters.get("resource-type", []):
        filters = filters | {"resource-type": [*filters["resource-type"], "nat-gateway"]}
    found = original(ec2, filters)
    return [tag | {"resource_type": "natgateway"} if tag["resource_type"] == "nat-gateway" else tag for tag in found]


def _address_of_interface(original: Callable[..., None], nat: Any, *args: Any, **kwargs: Any) -> None:
    original(nat, *args, **kwargs)
    nat.private_ip = nat._eni.private_ip_address
    nat._eni.description = f"Interface for NAT Gateway {nat.id}"
    nat._eni.requester_managed, nat._eni.status, nat._eni._group_set = True, "in-use", []


def _delete_and_free(original: Callable[..., Any], ec2: Any, nat_gateway_id: str) -> Any:
    """moto leaves the elastic IP associated and the interface standing, so that subnet and address could never go."""
    nat = original(ec2, nat_gateway_id)
    for address in nat.address_set:
        if address.get("associationId"):
            ec2.disassociate_address(association_id=address["associationId"])
    interfaces.delete(ec2, [nat._eni.id])
    return nat
