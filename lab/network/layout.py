"""Which namespaces, links and addresses a lab has, as `ip -batch` lines. Pure.

internet namespace            the operator's and a stranger's address, the AWS API's and S3's; the way out (slirp4netns)
  | veth, one per VPC
VPC namespace (its router)    bridge `vpc` with the first address of every subnet, DNS and IMDS on 169.254.169.x
  | veth, one per machine interface
machine namespace             eth0.. with the machine's exact addresses; made before the machine boots, kept over its restarts
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Network

from ..settings import API_ADDRESS, OPERATOR_ADDRESS, S3_ADDRESS, STRANGER_ADDRESS
from ..world import Interface, Machine, Vpc
from .router import BRIDGE, GATEWAY_ENDPOINT_ADDRESS, UPLINK, gateway_of

DNS_ADDRESS = "169.254.169.253"
METADATA_ADDRESS = "169.254.169.254"
UPLINK_ADDRESS = "100.64.0.1/32"  # nobody talks to it; the kernel forgets the routes of a link that loses its last address
BRIDGE_MAC = "02:00:00:00:00:01"  # without one of its own a bridge takes a port's, and machines lose their gateway when it changes
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
MACHINE_SYSCTLS = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv4.ping_group_range": "0 2147483647"}
ROUTER_SYSCTLS = {
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.proxy_arp": "1",
    "net.ipv4.conf.all.rp_filter": "0",
}


def link_name(prefix: str, identity: str) -> str:
    """An interface name of at most 15 characters that follows from what it links."""
    return prefix + hashlib.sha256(identity.encode()).hexdigest()[:12]


def internet() -> list[str]:
    """Inside a new internet namespace. Private addresses lead nowhere, as on the internet: no machine reaches the host's own networks."""
    return [
        "link set lo up",
        *(f"addr add {address}/32 dev lo" for address in (OPERATOR_ADDRESS, STRANGER_ADDRESS, API_ADDRESS, S3_ADDRESS)),
        *(f"route add unreachable {network}" for network in PRIVATE_NETWORKS),
    ]


def vpc_link(vpc_id: str, vpc_namespace: str) -> list[str]:
    """Inside the internet's namespace: the veth to one VPC's router."""
    name = link_name("u", vpc_id)
    return [f"link add {name} type veth peer name {UPLINK} netns {vpc_namespace}", f"link set {name} up"]


def vpc_routes(vpc_id: str, public_addresses: list[str]) -> list[str]:
    """Inside the internet's namespace: where public addresses are found. Replaces what was there for this VPC."""
    name = link_name("u", vpc_id)
    return [
        f"route flush dev {name}",
        *(f"route add {address}/32 dev {name} src {OPERATOR_ADDRESS}" for address in public_addresses),
    ]


def router(vpc: Vpc) -> list[str]:
    """Inside a new VPC namespace: the bridge, the link-local services, the way to the internet."""
    return [
        "link set lo up",
        f"addr add {DNS_ADDRESS}/32 dev lo",
        f"addr add {METADATA_ADDRESS}/32 dev lo",
        f"addr add {GATEWAY_ENDPOINT_ADDRESS}/32 dev lo",
        f"addr add {IPv4Network(vpc.cidr)[2]}/32 dev lo",
        f"link add {BRIDGE} address {BRIDGE_MAC} type bridge",
        f"link set {BRIDGE} up",
        f"addr add {UPLINK_ADDRESS} dev {UPLINK}",
        f"link set {UPLINK} up",
        f"route add default dev {UPLINK}",
    ]


def router_addresses(vpc: Vpc, public_addresses: list[str]) -> dict[str, str]:
    """Address with prefix -> device that a VPC's router should have besides its fixed ones.

    Public addresses lie on the router so that it answers for them; its ruleset hands the packets on.
    """
    gateways = {f"{gateway_of(subnet)}/{IPv4Network(subnet.cidr).prefixlen}": BRIDGE for subnet in vpc.subnets}
    return gateways | {UPLINK_ADDRESS: UPLINK} | {f"{address}/32": UPLINK for address in public_addresses}


def machine_link(interface: Interface, machine_namespace: str, index: int) -> list[str]:
    """Inside the VPC's namespace: the veth to one interface of a machine."""
    name = link_name("m", interface.id)
    return [
        f"link add {name} type veth peer name eth{index} address {interface.mac} netns {machine_namespace}",
        f"link set {name} master {BRIDGE} up",
    ]


def machine(machine: Machine, vpc: Vpc) -> list[str]:
    """Inside a machine's namespace: its addresses, and its first subnet's gateway as the way out."""
    lines = ["link set lo up"]
    for index, interface in enumerate(machine.interfaces):
        subnet = vpc.subnet(interface.subnet_id)
        lines += [
            f"addr add {interface.address}/{IPv4Network(subnet.cidr).prefixlen} dev eth{index}",
            f"link set eth{index} up",
        ]
    return [*lines, f"route add default via {gateway_of(vpc.subnet(machine.interfaces[0].subnet_id))}"]
