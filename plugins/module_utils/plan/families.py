# SPDX-License-Identifier: GPL-3.0-or-later
"""All families of resources: their kinds in the order in which a run makes them, what they want, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import (
    bastion,
    certificates,
    containers,
    database,
    endpoints,
    fleet,
    identity,
    image,
    launch_template,
    listeners,
    load_balancer,
    log_bucket,
    network,
    security,
    stored,
    watch,
)
from .model import Kind, Resource

Arguments = Mapping[str, Any]
FAMILIES = (
    network,
    security,
    endpoints,
    identity,
    database,
    bastion,
    certificates,
    log_bucket,
    load_balancer,
    listeners,
    stored,
    image,
    launch_template,
    fleet,
    containers,
    watch,
)
KINDS: dict[str, Kind] = {kind.name: kind for family in FAMILIES for kind in family.KINDS}
WANTS: dict[str, Callable[[Arguments], Iterator[Resource]]] = {  # by the role, or module, whose arguments say it
    "vpc": network.want_network,
    "security_groups": security.want_security_groups,
    "vpc_endpoints": endpoints.want_endpoints,
    "iam": identity.want_iam,
    "key_pair": identity.want_key_pair,
    "secret": identity.want_secret,
    "bucket": stored.want_bucket,
    "release_upload": stored.want_release,
    "parameters": stored.want_parameters,
    "rds": database.want_database,
    "watch": watch.want_watch,
    "certificate": certificates.want_certificates,
    "log_bucket": log_bucket.want_log_bucket,
    "alb": load_balancer.want_load_balancer,
    "bastion": bastion.want_bastion,
    "image_recipe": image.want_image,
    "launch_template": launch_template.want_launch_template,
    "asg": fleet.want_fleet,
    "ecr": containers.want_repository,
    "container_image": containers.want_image,
    "ecs": containers.want_ecs,
}
# What a role leaves to later ones in its play, by its arguments and the stack's facts: variables that hang on what only a run registers.
LEAVES: dict[str, Callable[[Arguments, Mapping[str, Any]], dict[str, Any]]] = {
    "ecr": containers.leave_repository,
    "container_image": containers.leave_image,
}
FINDS: tuple[Callable[[Mapping[str, Any]], Iterator[Resource]], ...] = (
    network.found_network,
    security.found_security_groups,
    endpoints.found_endpoints,
    identity.found_identity,
    stored.found_stored,
    database.found_database,
    watch.found_watch,
    certificates.found_certificates,
    log_bucket.found_log_bucket,
    load_balancer.found_load_balancer,
    listeners.found_listeners,
    bastion.found_bastion,
    image.found_image,
    launch_template.found_launch_template,
    fleet.found_fleet,
    containers.found_containers,
)


def details(clients: Mapping[str, Any], found: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What stack.read has found, and what the families read besides, all at once."""
    reads = {name: call for family in FAMILIES for name, call in family.details(clients, found, wanted).items()}
    with ThreadPoolExecutor(max_workers=8) as pool:
        futures = {name: pool.submit(call) for name, call in reads.items()}
        return found | {name: future.result() for name, future in futures.items()}


def want(calls: list[tuple[str, Arguments]]) -> list[Resource]:
    """What a run of these roles with these arguments makes; a role that makes nothing in AWS is passed over."""
    return [resource for role, arguments in calls if role in WANTS for resource in WANTS[role](arguments)]


def find(found: Mapping[str, Any]) -> list[Resource]:
    """What stands, from what `details` tells."""
    return [resource for finds in FINDS for resource in finds(found)]
