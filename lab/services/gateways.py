"""NAT gateways and VPC endpoints: they get ready and go, and an interface endpoint answers at its addresses.

An endpoint's interface is a bare machine: a network namespace with the interface's address and its security groups in force, in which
the lab's own process listens. `answer` makes it so and returns how to end it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from .. import state
from ..aws import endpoints, nat
from ..engine.base import Status
from ..names import endpoint_names
from ..world import Machine, World
from .base import Published

Answer = Callable[[Machine, Collection[str]], Callable[[], None]]  # a bare machine and the host names that it answers for
PASSING = ("pending", "deleting")


class Gateways:
    """The part of the service `ec2` that stands between a VPC and the rest of AWS."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._answering: dict[str, Callable[[], None]] = {}

    def machines(self) -> Iterable[Machine]:
        for endpoint in vpc_endpoints():
            if endpoint.state != "deleting":
                for eni in endpoints.interfaces_of(endpoint):
                    yield Machine(eni.id, "endpoint", "", (state.interface(eni),), endpoint.id)

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        wanted = {machine.id: machine for machine in world.machines.values() if machine.bare}
        for machine_id in self._answering.keys() - wanted.keys():
            self._answering.pop(machine_id)()
        for machine_id in wanted.keys() - self._answering.keys():
            hosts = _names(_endpoint_of(machine_id))
            self._answering[machine_id] = self._answer(wanted[machine_id], hosts)
        for endpoint in vpc_endpoints():
            if endpoint.state == "deleting":
                endpoints.end(endpoint)
            elif endpoint.state == "pending" and set(endpoint.network_interface_ids) <= self._answering.keys():
                endpoint.state = "available"
        for gateway in nat_gateways():
            nat.settle(gateway)

    def tick(self) -> bool:
        return any(found.state in PASSING for found in (*vpc_endpoints(), *nat_gateways()))

    def published(self) -> dict[str, Published]:
        return {}

    def names(self, vpc_id: str) -> dict[str, list[str]]:
        """What the interface endpoints of a VPC add to the names that its resolver knows."""
        return {
            name: addresses
            for endpoint in vpc_endpoints()
            if endpoint.vpc_id == vpc_id and endpoint.state == "available" and endpoint.network_interface_ids
            for name, addresses in _names(endpoint, endpoint.private_dns_enabled).items()
        }


def vpc_endpoints() -> list[Any]:
    """Every VPC endpoint of every account and region, as moto holds it."""
    return [endpoint for backend in state.ec2() for endpoint in list(backend.vpc_end_points.values())]


def nat_gateways() -> list[Any]:
    """Every NAT gateway of every account and region, as moto holds it."""
    return [gateway for backend in state.ec2() for gateway in list(backend.nat_gateways.values())]


def _endpoint_of(eni_id: str) -> Any:
    return next(endpoint for endpoint in vpc_endpoints() if eni_id in endpoint.network_interface_ids)


def _names(endpoint: Any, private_dns: bool = True) -> dict[str, list[str]]:
    return endpoint_names(endpoints.dns_entries(endpoint), endpoint.service_name, private_dns)
