"""A load balancer as values: what the API's state asks of it. Conditions and actions keep the shape of the AWS API."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Protocol = Literal["HTTP", "HTTPS"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a target listens."""

    id: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How the targets of a group are asked whether they are well."""

    path: str = "/"
    port: int | None = None  # None: the port that the target serves on
    interval: int = 30
    timeout: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = "200"
    protocol: Protocol = "HTTP"


@dataclass(frozen=True, slots=True)
class Group:
    """A target group. `sticky` is how many seconds a client's cookie holds it to its target, 0 for not at all."""

    name: str
    check: HealthCheck = HealthCheck()
    least_outstanding: bool = False
    targets: tuple[Target, ...] = ()
    protocol: Protocol = "HTTP"
    sticky: int = 0
    slow_start: int = 0


@dataclass(frozen=True)
class Rule:
    """Conditions (all must hold; none for the default rule) and one action. `priority` is 0 for the default rule, as in access logs."""

    conditions: tuple[Mapping[str, Any], ...]
    action: Mapping[str, Any]
    priority: int = 0


@dataclass(frozen=True)
class Certificate:
    """Certificate, chain and private key as PEM, in this order; its file is named by what is in it."""

    arn: str
    serial: str  # hexadecimal, as haproxy writes it to its log
    pem: str = field(repr=False)

    @property
    def file(self) -> str:
        return f"{hashlib.sha256(self.pem.encode()).hexdigest()[:16]}.pem"


@dataclass(frozen=True, slots=True)
class Tls:
    """What an HTTPS listener answers with: certificates, the default one first, and what its ssl policy allows."""

    certificates: tuple[Certificate, ...]
    protocols: tuple[str, ...]  # TLSv1, TLSv1.1, TLSv1.2, TLSv1.3
    ciphers: tuple[str, ...]
    http2: bool = True
    tell_target: bool = False  # headers with the connection's TLS version and cipher


@dataclass(frozen=True)
class Listener:
    """A port and the rules that decide about its requests."""

    port: int
    rules: tuple[Rule, ...]  # in order of priority, the default rule last
    tls: Tls | None = None


@dataclass(frozen=True)
class Balancer:
    """A load balancer. `access_logs` says whether each request is told to the lab (access_logs.py)."""

    listeners: tuple[Listener, ...] = ()
    groups: tuple[Group, ...] = ()
    idle_timeout: int = 60
    drop_invalid_headers: bool = False
    access_logs: bool = False

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        return tuple(certificate for listener in self.listeners if listener.tls for certificate in listener.tls.certificates)

    def without_targets(self) -> Balancer:
        """What cannot be changed while haproxy runs."""
        return replace(self, groups=tuple(replace(group, targets=()) for group in self.groups))
