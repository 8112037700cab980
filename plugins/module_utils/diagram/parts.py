# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the subnets of a stack, each with its words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..plan.model import Resource, Unknown, later
from .model import Part, Unit
from .sight import Sight

WELL = {"healthy": True, "InService": True, "available": True, "storage-optimization": True, "running": True, "RUNNING": True}
BUSY = ("initial", "unused", "draining", "Pending", "PENDING", "PROVISIONING", "ACTIVATING", "pending")  # neither well nor ill
MEMBERS = {  # kinds that are drawn as a part of another
    "load_balancer": ("listener", "listener_rule", "target_group"),
    "fleet": ("launch_template", "scaling_policy"),
    "service": ("task_definition", "ecs_scaling", "ecs_scaling_policy", "cluster", "container_image"),
    "database": ("db_subnet_group", "db_parameter_group", "db_parameter"),
}
ENGINES = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


def parts(sight: Sight) -> Iterator[Part]:
    """Everything that stands in subnets that are drawn."""
    for find in (load_balancers, nat_gateways, bastions, strangers, fleets, services, databases, endpoints):
        yield from (part for part in find(sight) if part.subnets)


def load_balancers(sight: Sight) -> Iterator[Part]:
    listeners = [f"{one.fields['protocol']} {one.fields['port']}" for one in sight.all("listener")]
    for item in sight.all("load_balancer"):
        where = "from the internet" if item.fields["scheme"] == "internet-facing" else "from inside alone"
        lines = (f"listens to {', '.join(listeners)}, {where}" if listeners else f"no listener, {where}",)
        yield _part(sight, item, "load_balancer", f"Load balancer {item.title}", lines, item.fields["subnets"])


def nat_gateways(sight: Sight) -> Iterator[Part]:
    for item in sight.all("nat_gateway"):
        addresses = [("elastic_address", item.key)]
        yield _part(sight, item, "nat_gateway", f"NAT gateway {item.title}", (), item.fields["subnet"], more=addresses)


def bastions(sight: Sight) -> Iterator[Part]:
    for item in sight.all("bastion"):
        machine = sight.machines().get(item.id, {})
        subnet = machine.get("SubnetId") or item.fields.get("subnet")
        kind = machine.get("InstanceType") or item.fields.get("type") or ""
        state = item.fields["state"] if sight.side == "found" else ""
        yield _part(sight, item, "bastion", f"Bastion {item.title}", _lines(f"{kind} {state}".strip()), subnet)


def strangers(sight: Sight) -> Iterator[Part]:
    for item in sight.all("instance"):
        lines = _lines(f"{item.fields['type']} {item.fields['state']}")
        yield _part(sight, item, "instance", f"Instance {item.title}", lines, item.fields["subnet"])


def fleets(sight: Sight) -> Iterator[Part]:
    templates = list(sight.all("launch_template"))
    for item in sight.all("auto_scaling_group"):
        template = next((one for one in templates if item.fields["launch_template"] in sight.names_of(one)), None)
        types = item.fields.get("instance_types") or ([template.fields["instance_type"]] if template else [])
        sizes = _range(item.fields["min_size"], item.fields["max_size"])
        title = f"Auto Scaling group {item.title} of {sizes} {' or '.join(map(str, types))}"
        subnets = sight.subnets_of(item.fields["subnets"])
        units = tuple(_members(sight, item.key)) or _coming(item.fields["min_size"], subnets, "machine", sight.side)
        groups = template.fields["security_groups"] if template else []
        yield _part(sight, item, "fleet", title, (), item.fields["subnets"], groups=groups, units=units)


def _members(sight: Sight, group: str) -> Iterator[Unit]:
    for one in sight.raw.get("groups", []):
        if one["AutoScalingGroupName"] == group:
            for member in sorted(one["Instances"], key=lambda member: str(member["InstanceId"])):
                machine = sight.machines().get(member["InstanceId"], {})
                health = _health(sight, member["InstanceId"])
                line = ", ".join(filter(None, [member["LifecycleState"], health or member["HealthStatus"].lower()]))
                well = _well(health) if health else (member["HealthStatus"] == "Healthy" and _well(member["LifecycleState"]))
                subnet = sight.subnet_keys.get(machine.get("SubnetId", ""), "")
                yield Unit(member["InstanceId"], line, subnet, member["AvailabilityZone"], well)


def services(sight: Sight) -> Iterator[Part]:
    for item in sight.all("ecs_service"):
        definition = next((one for one in sight.all("task_definition") if one.key == item.key), None)
        scaling = next((one for one in sight.all("ecs_scaling") if one.key == item.key), None)
        sizes = f": {_range(scaling.fields['min_tasks'], scaling.fields['max_tasks'])} tasks" if scaling else ""
        lines = _lines(f"{definition.fields['cpu'] / 1024:g} vCPU, {definition.fields['memory']} MiB each") if definition else ()
        subnets = sight.subnets_of(item.fields["subnets"])
        units = tuple(_tasks(sight, item.key)) or _coming(scaling.fields["min_tasks"] if scaling else 0, subnets, "task", sight.side)
        title = f"ECS service {item.title} on Fargate{sizes}"
        yield _part(sight, item, "service", title, lines, item.fields["subnets"], units=units)


def _tasks(sight: Sight, service: str) -> Iterator[Unit]:
    for task in sorted(sight.live.get("tasks", []), key=lambda task: str(task["taskArn"])):
        if task.get("group") == f"service:{service}":
            told = {one["name"]: one["value"] for place in task.get("attachments", []) for one in place.get("details", [])}
            health = _health(sight, told.get("privateIPv4Address", ""))
            state = task["lastStatus"]
            well = _well(health) if health and state == "RUNNING" else _well(state)
            subnet = sight.subnet_keys.get(told.get("subnetId", ""), "")
            line = ", ".join(filter(None, [state.lower(), health]))
            yield Unit(f"task {task['taskArn'].rpartition('/')[2][:12]}", line, subnet, task.get("availabilityZone", ""), well)


def databases(sight: Sight) -> Iterator[Part]:
    subnet_groups = {item.key: item for item in sight.all("db_subnet_group")}
    told = {
        one["DBInstanceIdentifier"]: one
        for kind in ("databases", "borrowed_databases", "named_databases")
        for one in sight.raw.get(kind, [])
    }
    for item in sight.all("db_instance"):
        fields, group = item.fields, subnet_groups.get(str(item.fields.get("subnet_group")))
        tier = sight.tier(str(sight.inventory.get("stack_database_tier") or "private"))
        subnets = sight.subnets_of(group.fields["subnets"]) if group else tier
        engine, version = ENGINES.get(str(fields.get("engine")), str(fields.get("engine") or "")), fields.get("engine_version") or ""
        title = f"{engine} {version}".strip() + f" {item.title}"
        size = f"{fields['allocated_storage']} GiB" if fields.get("allocated_storage") else ""
        standby = bool(fields.get("multi_az"))
        line = ", ".join(filter(None, [str(fields.get("instance_class") or ""), size, "" if standby else "no standby"]))
        units = tuple(_servers(told.get(item.key), standby, subnets, sight))
        groups = fields.get("security_groups") or later("security_group", str(sight.inventory.get("stack_database_group")))
        given = _part(sight, item, "database", title, _lines(line), None, groups=groups, units=units)
        yield Part(**{**vars(given), "subnets": subnets})


def _servers(told: Mapping[str, Any] | None, standby: bool, subnets: tuple[str, ...], sight: Sight) -> Iterator[Unit]:
    """The primary, and its standby; where AWS chooses the zone, in none."""
    if told is None or not told.get("AvailabilityZone"):
        if standby:
            yield from (Unit(word, "AWS chooses which zone", subnet) for word, subnet in zip(("primary", "standby"), subnets, strict=False))
        return
    status = told["DBInstanceStatus"]
    yield Unit("primary", status, "", told["AvailabilityZone"], _well(status))
    if standby:
        yield Unit("standby", "", "", told.get("SecondaryAvailabilityZone", ""), _well(status))


def endpoints(sight: Sight) -> Iterator[Part]:
    tables = {ref: item for item in sight.all("route_table") for ref in sight.names_of(item)}
    for item in sight.all("vpc_endpoint"):
        service = item.fields["service"].split(".", 3)[-1]
        routed = [one for ref in item.fields["route_tables"] if ref in tables for one in tables[ref].fields["subnets"]]
        title = f"Endpoint of {service}"
        yield _part(sight, item, "endpoint", title, _lines(item.name), item.fields["subnets"] or routed)


def _part(
    sight: Sight, item: Resource, family: Any, title: str, lines: tuple[str, ...], subnets: Any, *,
    groups: Any = None, units: tuple[Unit, ...] = (), more: list[tuple[str, str]] | None = None,
) -> Part:  # fmt: skip
    keys = sight.groups_of(item.fields.get("security_groups") if groups is None else groups)
    members = [(one.kind, one.key) for kind in MEMBERS.get(family, ()) for one in sight.all(kind)]
    gone = [identity for identity in sight.marks.changes if identity[0] in MEMBERS.get(family, ()) and identity not in members]
    marks = sight.marks.of((item.kind, item.key), *members, *gone, *(more or []), *(("security_group", key) for key in keys))
    named = [sight.group_names.get(key, key) for key in keys]
    if named:
        lines = (*lines, f"security group {', '.join(named)}")
    return Part(f"{item.kind}/{item.key}", family, title, lines, sight.subnets_of(subnets), keys, units, marks, item.borrowed)


def _coming(count: Any, subnets: tuple[str, ...], word: str, side: str) -> tuple[Unit, ...]:
    """The machines or tasks with which what is wanted begins: Auto Scaling and ECS spread them over the zones."""
    if side == "found" or not subnets or isinstance(count, Unknown):
        return ()
    return tuple(Unit(word, "", subnets[number % len(subnets)]) for number in range(int(count)))


def _range(low: Any, high: Any) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _lines(*words: str) -> tuple[str, ...]:
    return tuple(filter(None, words))


def _health(sight: Sight, target: str) -> str:
    return str(sight.live.get("health", {}).get(target, ""))


def _well(state: str) -> bool | None:
    return None if state.startswith(BUSY) else WELL.get(state, False)
