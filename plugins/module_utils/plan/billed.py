# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS charges by the hour or by the month for a resource to be there, kind by kind. Pure.

What depends on use is not in here: prices.json names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Resource, Unknown, later

HOURS = 730  # of a month, as AWS reckons in its own calculator
Resources = Mapping[tuple[str, str], Resource]


class UntoldError(Exception):
    """What a resource costs hangs on what is not known; the message says on what."""


@dataclass(frozen=True)
class Part:
    """Something that is charged for: the words that lead to its price, and how many, from the smallest number to the largest.

    `instead` are the prices of what may stand in its place.
    """

    what: str
    price: tuple[str, ...]
    low: float = 1
    high: float = 1
    instead: tuple[tuple[str, ...], ...] = ()


def parts(item: Resource, around: Resources, multi_az_times: float) -> Iterator[Part]:
    """What a resource is charged for; `around` are all resources, by kind and key. Nothing for what is free."""
    if item.kind == "db_instance":
        yield from database(item, multi_az_times)
    elif item.kind in PARTS:
        yield from PARTS[item.kind](item, around)


def known(item: Resource, field: str) -> Any:
    """A field's value, which has to be known."""
    value = item.fields.get(field)
    if value is None or isinstance(value, Unknown):
        raise UntoldError(f"no known {field.replace('_', ' ')}")
    return value


def database(item: Resource, multi_az_times: float) -> Iterator[Part]:
    """A DB instance. A standby costs what the instance does, and has storage of its own."""
    multi = bool(item.fields.get("multi_az"))
    times = multi_az_times if multi else 1
    size, engine, kind, storage = (known(item, field) for field in ("instance_class", "engine", "storage_type", "allocated_storage"))
    yield Part(f"{size}{' Multi-AZ' if multi else ''}", ("db_instance_hour", str(engine), str(size)), times, times)
    yield Part(f"{storage} GiB of {kind}", ("db_storage_gb_month", str(kind)), storage * times, storage * times)


def fleet(item: Resource, around: Resources) -> Iterator[Part]:
    """An Auto Scaling group, from its smallest size to its largest. Of several types in order, any may be what runs."""
    low, high = float(known(item, "min_size")), float(known(item, "max_size"))
    template = next((other for other in around.values() if other.kind == "launch_template" and not other.foreign), item)
    types = item.fields.get("instance_types") or [known(template, "instance_type")]
    first, *others = [("instance_hour", str(one)) for one in types]
    yield Part(" or ".join(map(str, types)), first, low, high, tuple(others))
    yield from volumes(template, low, high)
    if public(item, around):
        yield Part("public addresses", ("public_address_hour",), low, high)


def machine(item: Resource, around: Resources) -> Iterator[Part]:
    """An instance on its own; of a stopped one its volumes alone."""
    if item.fields.get("state") != "stopped":
        size = item.fields.get("instance_type") or known(item, "type")
        yield Part(str(size), ("instance_hour", str(size)))
        if public(item, around):
            yield Part("public address", ("public_address_hour",))
    yield from volumes(item, 1, 1)


def volumes(item: Resource, low: float, high: float) -> Iterator[Part]:
    """The volumes of a machine, by their devices, where their sizes are told."""
    for told in (item.fields.get("volumes") or {}).values():
        size, kind = told.get("size"), str(told.get("type") or "gp2")
        if isinstance(size, int):
            yield Part(f"{size} GiB of {kind}", ("volume_gb_month", kind), size * low, size * high)


def public(item: Resource, around: Resources) -> bool:
    """Whether machines have public addresses: their subnets give them."""
    told = item.fields.get("subnets") or item.fields.get("subnet") or []
    subnets = {told} if isinstance(told, str) else set(told if isinstance(told, list) else [])
    return any(
        other.kind == "subnet" and other.fields.get("public_addresses") and {other.id, later("subnet", other.key)} & subnets
        for other in around.values()
    )


def load_balancer(item: Resource, _around: Resources) -> Iterator[Part]:
    """A load balancer, which on the internet has a public address in each zone."""
    yield Part("load balancer", ("load_balancer_hour",))
    if known(item, "scheme") == "internet-facing":
        zones = len(known(item, "subnets"))
        yield Part("public addresses", ("public_address_hour",), zones, zones)


def endpoint(item: Resource, _around: Resources) -> Iterator[Part]:
    """An interface endpoint, by zone; a gateway endpoint is free."""
    if known(item, "type") == "Interface":
        zones = len(known(item, "subnets"))
        yield Part("zones of an interface endpoint", ("interface_endpoint_hour",), zones, zones)


def tasks(item: Resource, around: Resources) -> Iterator[Part]:
    """A service on Fargate, from the smallest number of tasks to the largest."""
    definition, scaling = around.get(("task_definition", item.key)), around.get(("ecs_scaling", item.key))
    if definition is None or scaling is None:
        raise UntoldError("no known task definition or scaling")
    low, high = float(known(scaling, "min_tasks")), float(known(scaling, "max_tasks"))
    cpu, memory = known(definition, "cpu") / 1024, known(definition, "memory") / 1024
    yield Part(f"{cpu:g} vCPU", ("fargate_vcpu_hour",), cpu * low, cpu * high)
    yield Part(f"{memory:g} GB", ("fargate_gb_hour",), memory * low, memory * high)
    if item.fields.get("public_addresses") is True:
        yield Part("public addresses", ("public_address_hour",), low, high)


def policy(item: Resource, _around: Resources) -> Iterator[Part]:
    """A scaling policy with an alarm of the stack's own; those that AWS makes for target tracking are not counted."""
    if item.fields.get("alarm"):
        yield Part("alarm", ("alarm_month",))


def flat(what: str, price: str) -> Callable[[Resource, Resources], Iterator[Part]]:
    """One thing at one price."""
    return lambda _item, _around: iter([Part(what, (price,))])


PARTS: Mapping[str, Callable[[Resource, Resources], Iterator[Part]]] = {
    "auto_scaling_group": fleet,
    "scaling_policy": policy,
    "bastion": machine,
    "instance": machine,
    "nat_gateway": flat("NAT gateway", "nat_gateway_hour"),
    "elastic_address": flat("public address", "public_address_hour"),
    "vpc_endpoint": endpoint,
    "load_balancer": load_balancer,
    "ecs_service": tasks,
    "secret": flat("secret", "secret_month"),
    "alarm": flat("alarm", "alarm_month"),
    "dashboard": flat("dashboard", "dashboard_month"),
}
