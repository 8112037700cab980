"""Elastic addresses: public ones that nobody else has. moto gives loopback addresses (127.x), which nothing routes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress

from ._patch import wrap

RANGE = "54.215"  # beside 54.214.x.x, from which moto draws the public addresses of interfaces


def install() -> None:
    wrap(ElasticAddress, "__init__")(_public)


def _public(original: Callable[..., None], address: Any, ec2: Any, domain: str, *args: Any, **kwargs: Any) -> None:
    original(address, ec2, domain, *args, **kwargs)
    if address.public_ip.startswith("127."):
        taken = {other.public_ip for _account, _region, backend in list(ec2_backends.iter_backends()) for other in list(backend.addresses)}
        numbers = [number for number in range(1, 2**16 - 1) if f"{RANGE}.{number >> 8}.{number & 255}" not in taken]
        number = random.choice(numbers)  # noqa: S311 no secret
        address.public_ip = f"{RANGE}.{number >> 8}.{number & 255}"
