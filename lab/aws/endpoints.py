"""VPC endpoints: they take a moment to come and to go, own interfaces or route entries, and are refused as on AWS.

moto makes an endpoint `available` at once, gives its interfaces neither groups nor addresses of their subnets, changes nothing of
them when the endpoint is modified, and leaves the interfaces' addresses taken. Sources: EC2 API Reference, CreateVpcEndpoint,
ModifyVpcEndpoint and DeleteVpcEndpoints; AWS PrivateLink Guide, "Gateway endpoints" and "Interface endpoint properties".
The lab's service (lab/services/gateways.py) ends the passing states `pending` and `deleting`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidServiceName
from moto.ec2.models.managed_prefixes import ManagedPrefixListBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.vpcs import VPCs
from moto.ec2.utils import random_resource_id

from ..names import endpoint_name, private_name
from ..settings import S3_ADDRESS
from . import interfaces
from ._patch import wrap

REQUESTER = "amazon-aws"


def install() -> None:
    wrap(VPCBackend, "create_vpc_endpoint")(_create)
    wrap(VPCBackend, "modify_vpc_endpoint")(_modify)
    wrap(VPCBackend, "delete_vpc_endpoints")(_delete)
    wrap(VPCs, "modify_vpc_endpoint")(_modify_private_dns)
    wrap(ManagedPrefixListBackend, "_create_aws_managed_prefix_list")(_the_labs_own_addresses)


def interfaces_of(endpoint: Any) -> list[Any]:
    """The network interfaces of an interface endpoint, in a stable order; none for a gateway endpoint."""
    enis = endpoint.ec2_backend.enis
    return [enis[eni_id] for eni_id in endpoint.network_interface_ids if eni_id in enis]


def dns_entries(endpoint: Any) -> dict[str, list[str]]:
    """The endpoint's own names: the regional one with every interface's address first, then one for each zone."""
    found = {(eni.subnet.availability_zone, eni.private_ip_address) for eni in interfaces_of(endpoint)}
    names = {endpoint_name(endpoint.id, endpoint.lab_random, endpoint.service_name): sorted(address for _zone, address in found)}
    return names | {
        endpoint_name(endpoint.id, endpoint.lab_random, endpoint.service_name, zone): [address] for zone, address in sorted(found)
    }


def end(endpoint: Any) -> None:
    """Take a deleted endpoint away with its interfaces, as AWS does some minutes after DeleteVpcEndpoints."""
    interfaces.delete(endpoint.ec2_backend, endpoint.network_interface_ids)
    endpoint.ec2_backend.vpc_end_points.pop(endpoint.id, None)


def _create(original: Callable[..., Any], ec2: Any, vpc_id: str, service_name: str, endpoint_type: str | None, **rest: Any) -> Any:
    kind = endpoint_type or "Gateway"
    subnet_ids, group_ids, table_ids = (rest.get(key) or [] for key in ("subnet_ids", "security_group_ids", "route_table_ids"))
    if service_name not in {service["ServiceName"] for service in ec2._collect_default_endpoint_services(ec2.account_id, ec2.region_name)}:
        raise InvalidServiceName(service_name)
    private_dns = kind == "Interface" and rest.get("private_dns_enabled")
    if private_dns:
        _check_private_dns(ec2, vpc_id, service_name)
    _check_zones(ec2, [], subnet_ids)
    _check_route_tables(ec2, service_name, table_ids)
    endpoint = original(
        ec2, vpc_id=vpc_id, service_name=service_name, endpoint_type=kind, **rest | {"subnet_ids": [], "private_dns_enabled": private_dns}
    )
    endpoint.state = "pending"
    endpoint.lab_random = random_resource_id(8)
    endpoint.dns_entries = []
    if kind == "Interface":
        endpoint.security_group_ids = list(group_ids) or [ec2.get_security_group_from_name("default", vpc_id).id]
        _add_subnets(endpoint, subnet_ids)
        _name(endpoint)
    return endpoint


def _modify(
    _original: Callable[..., None], ec2: Any, vpc_id: str, policy_doc: str | None,
    add_subnets: list[str] | None, remove_subnets: list[str] | None, remove_route_tables: list[str] | None,
    add_route_tables: list[str] | None, add_security_groups: list[str] | None, remove_security_groups: list[str] | None,
) -> None:  # fmt: skip
    """All that moto's own does, and what follows from it for interfaces and routes."""
    endpoint = ec2.describe_vpc_endpoints([vpc_id])[0]
    endpoint.policy_document = policy_doc or endpoint.policy_document
    _check_zones(ec2, [subnet for subnet in endpoint.subnet_ids if subnet not in (remove_subnets or [])], add_subnets or [])
    _remove_subnets(endpoint, remove_subnets or [])
    _add_subnets(endpoint, add_subnets or [])
    _name(endpoint)
    groups = [group for group in endpoint.security_group_ids if group not in (remove_security_groups or [])]
    endpoint.security_group_ids = [*groups, *(group for group in add_security_groups or [] if group not in groups)]
    interfaces.set_groups(ec2, endpoint.network_interface_ids, endpoint.security_group_ids)
    _unroute(endpoint, [table for table in remove_route_tables or [] if table in endpoint.route_table_ids])
    added = [table for table in add_route_tables or [] if table not in endpoint.route_table_ids]
    _check_route_tables(ec2, endpoint.service_name, added)
    for table_id in added:
        ec2.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=endpoint.destination_prefix_list_id)
    endpoint.route_table_ids = [table for table in endpoint.route_table_ids if table not in (remove_route_tables or [])] + added


def _modify_private_dns(original: Callable[..., Any], response: Any) -> Any:
    """moto does not read PrivateDnsEnabled."""
    ec2, wanted = response.ec2_backend, response._get_bool_param("PrivateDnsEnabled")
    endpoint = ec2.describe_vpc_endpoints([response._get_param("VpcEndpointId")])[0]
    if wanted and not endpoint.private_dns_enabled:
        _check_private_dns(ec2, endpoint.vpc_id, endpoint.service_name)
    answer = original(response)
    if wanted is not None:
        endpoint.private_dns_enabled = wanted
        _name(endpoint)
    return answer


def _delete(_original: Callable[..., None], ec2: Any, vpce_ids: list[str] | None = None) -> None:
    for endpoint in filter(None, map(ec2.vpc_end_points.get, vpce_ids or [])):
        _unroute(endpoint, endpoint.route_table_ids)
        endpoint.state = "deleting"


def _add_subnets(endpoint: Any, subnet_ids: Iterable[str]) -> None:
    ec2 = endpoint.ec2_backend
    for subnet_id in subnet_ids:
        if subnet_id not in endpoint.subnet_ids:
            made = interfaces.create(
                ec2, ec2.get_subnet(subnet_id), endpoint.security_group_ids, f"VPC Endpoint Interface {endpoint.id}", REQUESTER
            )
            endpoint.subnet_ids.append(subnet_id)
            endpoint.network_interface_ids.append(made.id)


def _name(endpoint: Any) -> None:
    """Tell an interface endpoint's names; the service's own is among them with private DNS alone. A gateway endpoint has none."""
    if endpoint.vpc_endpoint_type == "Interface":
        names = [*dns_entries(endpoint), *([private_name(endpoint.service_name)] if endpoint.private_dns_enabled else [])]
        endpoint.dns_entries = [{"dns_name": name, "hosted_zone_id": "Z7HUB22UULQXV"} for name in names]


def _remove_subnets(endpoint: Any, subnet_ids: Collection[str]) -> None:
    gone = [eni.id for eni in interfaces_of(endpoint) if eni.subnet.id in subnet_ids]
    interfaces.delete(endpoint.ec2_backend, gone)
    endpoint.network_interface_ids = [eni_id for eni_id in endpoint.network_interface_ids if eni_id not in gone]
    endpoint.subnet_ids = [subnet_id for subnet_id in endpoint.subnet_ids if subnet_id not in subnet_ids]


def _unroute(endpoint: Any, table_ids: Iterable[str]) -> None:
    for table in filter(None, map(endpoint.ec2_backend.route_tables.get, table_ids)):
        for route_id, route in list(table._routes.items()):
            if route.gateway is endpoint:
                del table._routes[route_id]


def _check_private_dns(ec2: Any, vpc_id: str, service_name: str) -> None:
    vpc = ec2.get_vpc(vpc_id)
    if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        raise EC2ClientError(
            "InvalidParameter",
            f"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc_id}",
        )
    for other in ec2.vpc_end_points.values():
        if (other.vpc_id, other.service_name) == (vpc_id, service_name) and other.private_dns_enabled and other.state != "deleting":
            raise EC2ClientError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{private_name(service_name)} in the VPC {vpc_id}",
            )


def _check_zones(ec2: Any, standing: Iterable[str], added: Iterable[str]) -> None:
    """An interface endpoint has one subnet in a zone."""
    zones = {ec2.get_subnet(subnet_id).availability_zone for subnet_id in standing}
    for subnet_id in added:
        zone = ec2.get_subnet(subnet_id).availability_zone
        if zone in zones:
            raise EC2ClientError("DuplicateSubnetsInSameZone", f"Found another VPC endpoint subnet in the availability zone of {subnet_id}")
        zones.add(zone)


def _check_route_tables(ec2: Any, service_name: str, table_ids: Iterable[str]) -> None:
    for table_id in table_ids:
        for route in ec2.get_route_table(table_id)._routes.values():
            if route.destination_prefix_list and route.destination_prefix_list.prefix_list_name == service_name:
                raise EC2ClientError(
                    "RouteAlreadyExists",
                    f"route table {table_id} already has a route with destination-prefix-list-id {route.destination_prefix_list.id}",
                )


def _the_labs_own_addresses(original: Callable[..., None], ec2: Any, name: str, address_family: str, entries: Any) -> None:
    """S3's prefix list holds the address that S3 has in the lab."""
    own = [{"Cidr": f"{S3_ADDRESS}/32", "Description": "S3 in the lab"}]
    original(ec2, name, address_family, own if name.endswith(".s3") else entries)
