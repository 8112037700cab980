"""A VPC's router as an nftables ruleset: who may leave, who may be reached, under which address. Pure.

AWS's rules (VPC User Guide, "Internet gateways", "NAT gateways", "Route tables"): inside a VPC everything is routed; an internet
gateway exchanges the private address of an interface for its public one, in subnets whose most specific route points to it; a NAT
gateway lends its own public address to subnets that route to it, outwards only; a gateway endpoint takes what is for its service's
addresses from subnets that route those to it, and needs no public address ("Gateway endpoints"); everything else goes nowhere.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from ..world import Interface, NatGateway, Route, Subnet, Vpc, World

UPLINK = "uplink"  # the router's interface towards the lab's internet
BRIDGE = "vpc"  # the router's interface towards the machines
GATEWAY_ENDPOINT_ADDRESS = "169.254.169.252"  # where the router itself answers for gateway endpoints


def public_interfaces(vpc: Vpc, world: World) -> list[Interface]:
    """Interfaces that the internet gateway gives a public address, in a stable order."""
    if vpc.internet_gateway_id is None:
        return []
    found = [
        interface
        for machine in world.machines_of(vpc.id)
        for interface in machine.interfaces
        if interface.public_address and _reaches(vpc.subnet(interface.subnet_id), vpc.internet_gateway_id)
    ]
    return sorted(found, key=lambda interface: interface.address)


def public_addresses(vpc: Vpc, world: World) -> list[str]:
    """Every public address that the internet should find at this VPC."""
    mapped = [interface.public_address for interface in public_interfaces(vpc, world) if interface.public_address]
    return sorted({*mapped, *(nat.public_address for nat in _working_nat_gateways(vpc))})


def ruleset(vpc: Vpc, world: World) -> str:
    """The router's complete ruleset as one nft file that replaces its predecessor atomically."""
    interfaces = public_interfaces(vpc, world)
    return "\n".join(
        [
            "add table inet router",
            "delete table inet router",
            "table inet router {",
            "  chain inwards {",
            "    type nat hook prerouting priority dstnat;",
            *(f"    ip daddr {i.public_address} dnat ip to {i.address}" for i in interfaces),
            *(
                f'    iifname "{BRIDGE}" ip saddr {subnet.cidr} ip daddr {route.cidr} tcp dport 443 dnat ip to {GATEWAY_ENDPOINT_ADDRESS}'
                for subnet in vpc.subnets
                for route in subnet.routes
                if route.target in vpc.gateway_endpoint_ids
            ),
            "  }",
            "  chain outwards {",
            "    type nat hook postrouting priority srcnat;",
            # A machine that calls a neighbour by its public address comes from its own public address, as on AWS.
            *(f'    oifname "{BRIDGE}" ct status dnat ip saddr {i.address} snat ip to {i.public_address}' for i in interfaces),
            *(f'    oifname "{UPLINK}" ip saddr {i.address} snat ip to {i.public_address}' for i in interfaces),
            *(
                f'    oifname "{UPLINK}" ip saddr {subnet.cidr} ip daddr {route.cidr} snat ip to {nat.public_address}'
                for subnet in vpc.subnets
                for route in _most_specific_first(subnet)
                for nat in _working_nat_gateways(vpc)
                if nat.id == route.target
            ),
            "  }",
            "  chain forward {",
            "    type filter hook forward priority 0; policy drop;",
            "    ct state established,related accept",
            f'    iifname "{BRIDGE}" oifname "{BRIDGE}" accept',
            *(f'    iifname "{UPLINK}" ct status dnat ip daddr {i.address} accept' for i in interfaces),
            *(line for subnet in vpc.subnets for line in _exits(vpc, subnet, interfaces)),
            "  }",
            "  chain input {",
            "    type filter hook input priority 0; policy drop;",
            "    ct state established,related accept",
            "    iif lo accept",
            f'    iifname "{BRIDGE}" ip daddr 169.254.169.254 tcp dport 80 accept',
            f'    iifname "{BRIDGE}" ip daddr {GATEWAY_ENDPOINT_ADDRESS} ct status dnat accept',
            f'    iifname "{BRIDGE}" meta l4proto {{ tcp, udp }} th dport 53 accept',
            f'    iifname "{BRIDGE}" meta l4proto icmp accept',
            "  }",
            "}",
            "",
        ]
    )


def gateway_of(subnet: Subnet) -> str:
    """The router's address in a subnet: the first one (VPC User Guide, "Subnet CIDR blocks")."""
    return str(IPv4Network(subnet.cidr)[1])


def _working_nat_gateways(vpc: Vpc) -> list[NatGateway]:
    igw = vpc.internet_gateway_id
    return [nat for nat in vpc.nat_gateways if igw and _reaches(vpc.subnet(nat.subnet_id), igw)]


def _most_specific_first(subnet: Subnet) -> list[Route]:
    return sorted(subnet.routes, key=lambda route: -IPv4Network(route.cidr).prefixlen)


def _reaches(subnet: Subnet, target: str) -> bool:
    return any(route.target == target for route in subnet.routes)


def _exits(vpc: Vpc, subnet: Subnet, interfaces: list[Interface]) -> list[str]:
    """Which destinations outside the VPC a subnet reaches: its routes, the most specific first."""
    usable = {nat.id for nat in _working_nat_gateways(vpc)}
    mapped = [interface.address for interface in interfaces if interface.subnet_id == subnet.id]
    lines = []
    for route in _most_specific_first(subnet):
        if route.target == "local":
            continue
        if route.target == vpc.internet_gateway_id and mapped:
            sources = f"{{ {', '.join(mapped)} }}"
            lines.append(f'    oifname "{UPLINK}" ip saddr {sources} ip daddr {route.cidr} accept')
        if route.target in usable:
            lines.append(f'    oifname "{UPLINK}" ip saddr {subnet.cidr} ip daddr {route.cidr} accept')
        lines.append(f'    oifname "{UPLINK}" ip saddr {subnet.cidr} ip daddr {route.cidr} drop')
    return lines
