"""VPCs, subnets, gateways, security groups and addresses are not deleted while something depends on them.

moto lets most of them go, so a teardown in the wrong order would look right here and fail on AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from ._patch import wrap


def install() -> None:
    wrap(SecurityGroupBackend, "delete_security_group")(_delete_security_group)
    wrap(SubnetBackend, "delete_subnet")(_delete_subnet)
    wrap(InternetGatewayBackend, "detach_internet_gateway")(_detach_internet_gateway)
    wrap(VPCBackend, "delete_vpc")(_delete_vpc)
    wrap(ElasticAddressBackend, "release_address")(_release_address)
    wrap(ElasticNetworkInterfaces, "delete_network_interface")(_delete_network_interface)
    wrap(NetworkInterfaceBackend, "detach_network_interface")(_detach_network_interface)


def _delete_security_group(original: Callable[..., None], ec2: Any, name: str | None = None, group_id: str | None = None) -> None:
    group = ec2.get_security_group_by_name_or_id(group_id or name)
    if group:
        vpc_ends = getattr(ec2, "lab_vpc_ending", None) == group.vpc_id
        if group.name == "default" and not vpc_ends:
            raise EC2ClientError("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')
        if any(group in eni.group_set for eni in list(ec2.enis.values())) or _referenced(ec2, group):
            raise DependencyViolationError(f"resource {group.id} has a dependent object")
    original(ec2, name, group_id)


def _referenced(ec2: Any, group: Any) -> bool:
    """Whether another group's rule names this one; a rule of its own does no harm."""
    return any(
        (rule.source_group or {}).get("GroupId") == group.id
        for groups in list(ec2.groups.values())
        for other in list(groups.values())
        if other.id != group.id
        for rule in (*other.ingress_rules, *other.egress_rules)
    )


def _delete_subnet(original: Callable[..., Any], ec2: Any, subnet_id: str) -> Any:
    if _interfaces(ec2, (subnet_id,)):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    deleted = original(ec2, subnet_id)
    for table in ec2.route_tables.values():  # AWS ends the associations with the subnet; moto then keeps the table for ever
        for association_id, associated in list(table._associations.items()):
            if associated == subnet_id:
                ec2.disassociate_route_table(association_id)
    return deleted


def _detach_internet_gateway(original: Callable[..., None], ec2: Any, internet_gateway_id: str, vpc_id: str) -> None:
    if any(eni.public_ip for eni in _interfaces(ec2, [subnet.id for subnet in _subnets(ec2, vpc_id)])):
        raise DependencyViolationError(
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        )
    original(ec2, internet_gateway_id, vpc_id)


def _delete_vpc(original: Callable[..., Any], ec2: Any, vpc_id: str) -> Any:
    leftovers = (
        [group for group in ec2.groups.get(vpc_id, {}).values() if group.name != "default"]
        or [gateway for gateway in ec2.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id]
        or [nat for nat in ec2.nat_gateways.values() if nat.vpc_id == vpc_id and nat.state not in ("deleted", "failed")]
        or [endpoint for endpoint in ec2.vpc_end_points.values() if endpoint.vpc_id == vpc_id]
    )
    if leftovers:
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    ec2.lab_vpc_ending = vpc_id
    try:
        return original(ec2, vpc_id)
    finally:
        ec2.lab_vpc_ending = None


def _release_address(original: Callable[..., None], ec2: Any, address: str | None = None, allocation_id: str | None = None) -> None:
    for entry in list(ec2.addresses):
        if (entry.allocation_id == allocation_id or entry.public_ip == address) and entry.association_id:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {entry.public_ip} is in use.")
    original(ec2, address, allocation_id)


def _delete_network_interface(original: Callable[..., Any], response: Any) -> Any:
    eni_id = response._get_param("NetworkInterfaceId")
    eni = response.ec2_backend.enis.get(eni_id)
    if eni and (eni.status == "in-use" or eni.instance):
        raise EC2ClientError("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
    return original(response)


def _detach_network_interface(original: Callable[..., None], ec2: Any, attachment_id: str) -> None:
    eni = next((eni for eni in ec2.enis.values() if eni.attachment_id == attachment_id), None)
    if eni and eni.requester_managed:
        raise EC2ClientError("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
    original(ec2, attachment_id)


def _subnets(ec2: Any, vpc_id: str) -> list[Any]:
    return [subnet for zone in list(ec2.subnets.values()) for subnet in list(zone.values()) if subnet.vpc_id == vpc_id]


def _interfaces(ec2: Any, subnet_ids: Iterable[str]) -> list[Any]:
    wanted = set(subnet_ids)
    return [eni for eni in list(ec2.enis.values()) if eni.subnet.id in wanted]
