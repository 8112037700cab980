"""What should stand, as plain values: the networks, security groups and machines that the API's state asks for.

`state.py` builds a World from the API's state, `plan.py` compares it with what stands, `network/` and `engine/` make it so.
Everything here is immutable and free of I/O, so that planning can be tested on values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["instance", "database", "load_balancer", "task", "endpoint"]


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface (ENI): one private address in one subnet, with its security groups."""

    id: str
    vpc_id: str
    subnet_id: str
    address: str
    mac: str
    group_ids: frozenset[str]
    public_address: str | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """What is particular to a machine that is one container of somebody's image: no systemd in it, and no directory of the lab's.

    None stands for what the image says. `secrets` are environment too, but are kept out of command lines and of any text.
    """

    cpus: float
    memory_mib: int
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    entrypoint: tuple[str, ...] | None = None
    user: str | None = None
    working_directory: str | None = None
    read_only: bool = False
    stop_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that answers at an exact private address: an instance, a database, a load balancer node, a task or a VPC endpoint.

    An endpoint is `bare`: a namespace with its address and rules, in which the lab's own process listens; no container runs.
    `command` None boots the image's systemd; otherwise that command is process 1.
    `files` maps a file name to its content; they are written to the machine's own directory before it starts, and the
    directory is mounted at /lab. A change of `files` alone does not restart the machine; its service decides what to do.
    One with a `container` ends for good when its process ends: its service decides what comes after it.
    """

    id: str
    kind: Kind
    image: str
    interfaces: tuple[Interface, ...]
    hostname: str
    running: bool = True
    command: tuple[str, ...] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    secret_files: Mapping[str, str] = field(default_factory=dict, repr=False)  # the same, for root's eyes alone
    container: Container | None = None

    @property
    def bare(self) -> bool:
        return self.kind == "endpoint"

    @property
    def vpc_id(self) -> str:
        return self.interfaces[0].vpc_id

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(interface.address for interface in self.interfaces)


@dataclass(frozen=True, slots=True)
class Rule:
    """One direction's permission: protocol (-1 all, tcp, udp, icmp), ports, and who is on the other side."""

    protocol: str
    from_port: int | None
    to_port: int | None
    cidrs: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group and both directions of its rules."""

    id: str
    vpc_id: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A route table's entry; `target` is an id (igw-..., nat-..., vpce-..., local) or `blackhole`."""

    cidr: str
    target: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with the routes of the table that it is associated with."""

    id: str
    cidr: str
    az: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class NatGateway:
    """Its private address is in its subnet; what it sends leaves by its public address, if its own subnet has an IGW route."""

    id: str
    subnet_id: str
    public_address: str


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC with what its router needs to know."""

    id: str
    cidr: str
    subnets: tuple[Subnet, ...]
    internet_gateway_id: str | None = None
    nat_gateways: tuple[NatGateway, ...] = ()
    gateway_endpoint_ids: tuple[str, ...] = ()

    def subnet(self, subnet_id: str) -> Subnet:
        return next(subnet for subnet in self.subnets if subnet.id == subnet_id)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that should stand, by id."""

    vpcs: Mapping[str, Vpc]
    groups: Mapping[str, SecurityGroup]
    machines: Mapping[str, Machine]

    def machines_of(self, vpc_id: str) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.vpc_id == vpc_id]
