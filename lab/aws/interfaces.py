"""Network interfaces and private addresses.

AWS gives every interface an address of its subnet that nobody else has, and keeps the first four and the last one.
moto draws some addresses at random, outside the subnet even, and after a restart begins again at the reserved ones.
Load balancers and databases own interfaces, as on AWS; those are made and ended here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet

from ._patch import wrap

RESERVED = 4  # network, router, DNS, future use; the broadcast address is the fifth


def install() -> None:
    wrap(Subnet, "get_available_subnet_ip")(_free_address)
    wrap(NetworkInterfaceBackend, "create_network_interface")(_create_in_subnet)
    wrap(NetworkInterfaceBackend, "delete_network_interface")(_delete_and_free)
    wrap(Instance, "prep_nics")(_end_with_instance)


def create(ec2: Any, subnet: Any, group_ids: Iterable[str], description: str, requester_id: str, public: bool = False) -> Any:
    """An interface that AWS itself makes for one of its services."""
    eni = ec2.create_network_interface(subnet, None, group_ids=list(group_ids), description=description, public_ip_auto_assign=public)
    eni.requester_managed, eni.requester_id, eni.status = True, requester_id, "in-use"
    return eni


def set_groups(ec2: Any, eni_ids: Iterable[str], group_ids: Iterable[str]) -> None:
    groups = [group for group in map(ec2.get_security_group_from_id, group_ids) if group]
    for eni_id in eni_ids:
        if eni_id in ec2.enis:
            ec2.enis[eni_id]._group_set = list(groups)


def delete(ec2: Any, eni_ids: Iterable[str]) -> None:
    for eni_id in list(eni_ids):
        if eni_id in ec2.enis:
            ec2.delete_network_interface(eni_id)


def taken(subnet: Any) -> set[str]:
    """Every private address of the subnet that belongs to somebody."""
    of_interfaces = {
        entry["PrivateIpAddress"]
        for eni in list(subnet.ec2_backend.enis.values())
        if eni.subnet.id == subnet.id
        for entry in eni.private_ip_addresses
    }
    return of_interfaces | set(subnet._subnet_ips)


def _free_address(_original: Callable[..., str], subnet: Any, instance: Any) -> str:
    """The next free address after the one given last: an address just freed rests for a while, as on AWS."""
    first = int(subnet.cidr.network_address) + RESERVED
    size = subnet.cidr.num_addresses - RESERVED - 1
    start, occupied = getattr(subnet, "lab_next_address", 0), taken(subnet)
    for offset in range(size):
        number = (start + offset) % size
        address = str(ipaddress.ip_address(first + number))
        if address not in occupied:
            subnet.lab_next_address = number + 1
            subnet._subnet_ips[address] = instance
            return address
    raise EC2ClientError(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of instances.",
    )


def _create_in_subnet(original: Callable[..., Any], ec2: Any, subnet: Any, private_ip_address: Any, *args: Any, **kwargs: Any) -> Any:
    """An address was asked for by the caller, or it is the subnet's next free one; never a random one."""
    found = ec2.get_subnet(subnet) if isinstance(subnet, str) else subnet
    asked = private_ip_address[0] if isinstance(private_ip_address, list) and private_ip_address else private_ip_address
    inside = bool(asked) and ipaddress.ip_address(asked) in found.cidr
    if not inside and not (args and args[0]) and not kwargs.get("private_ip_addresses"):
        asked = found.get_available_subnet_ip(None)
    return original(ec2, found, asked, *args, **kwargs)


def _delete_and_free(original: Callable[..., None], ec2: Any, eni_id: str) -> None:
    eni: NetworkInterface | None = ec2.enis.get(eni_id)
    original(ec2, eni_id)
    if eni:
        for entry in eni.private_ip_addresses:
            eni.subnet.del_subnet_ip(entry["PrivateIpAddress"])


def _end_with_instance(original: Callable[..., None], instance: Any, *args: Any, **kwargs: Any) -> None:
    """Interfaces that RunInstances makes end with their instance, unless the caller said otherwise (moto keeps them)."""
    specification = args[0] if args else kwargs.get("nic_spec", [])
    kept = {
        int(nic.get("DeviceIndex") or 0)
        for nic in specification
        if nic.get("NetworkInterfaceId") or nic.get("DeleteOnTermination") is False
    }
    original(instance, *args, **kwargs)
    for index, eni in instance.nics.items():
        eni.delete_on_termination = index not in kept
