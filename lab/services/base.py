"""What the reconciler asks of a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..engine.base import Status
from ..world import Machine, World


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a service's DNS name stands for. A name with public addresses resolves to those, as on AWS."""

    private: tuple[str, ...]
    public: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What is reached on loopback too: a public address and port inside the lab's internet, and how it is spoken to."""

    address: str
    port: int
    scheme: str = "http"


class Service(Protocol):
    """One AWS service with machines behind it. Methods are called by the reconciler's single thread, in this order."""

    def machines(self) -> Iterable[Machine]:
        """The machines that the API's state asks for now."""

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        """Machines and networks stand as in `world`: configure what runs on them (load balancer targets, say)."""

    def tick(self) -> bool:
        """Called about once a second: observe, decide, act inside the API's state. True asks for a reconciliation."""

    def published(self) -> dict[str, Published]:
        """What to publish on loopback, by label. Mostly empty."""
