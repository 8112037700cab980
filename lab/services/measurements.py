"""What the lab measures of its machines, tasks, load balancers, groups and databases, in the words of AWS's metrics.

A `Meter` takes counters (CPU seconds, requests) and gives what they grew by since it was last asked; everything else is told as it is.
CPUUtilization is in percent of one vCPU, whatever the instance type: the lab's machines share the processors of one computer. A task's
is in percent of the CPU that its definition reserves, which is all it gets.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.autoscaling.models import autoscaling_backends

from ..engine.base import Engine
from ..network import kernel
from ..settings import Settings
from . import balancer_state, databases, ec2, haproxy_runtime, tasks

LOG = logging.getLogger(__name__)
Place = tuple[str, str]  # account and region
ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a metric. `counted` tells a count over the time since the last measurement from a level."""

    place: Place
    namespace: str
    name: str
    value: float
    dimensions: tuple[tuple[str, str], ...]
    unit: str = "Percent"
    counted: bool = False


class Growth:
    """Counters between two looks. A counter that has become smaller began anew; one that was not there began at zero."""

    def __init__(self) -> None:
        self._before: dict[object, float] | None = None
        self._now: dict[object, float] = {}

    def of(self, key: object, counter: float) -> float | None:
        """What the counter grew by; None at the first look of all, when nobody knows."""
        self._now[key] = counter
        if self._before is None:
            return None
        before = self._before.get(key, 0.0)
        return counter - before if counter >= before else counter

    def seen(self, key: object) -> bool:
        """Whether the counter was there at the last look."""
        return self._before is not None and key in self._before

    def turn(self) -> None:
        """End of a look: what was not asked for is forgotten."""
        self._before, self._now = self._now, {}


class Meter:
    """Measures everything at once; `take` is called about every minute of the lab's time."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._growth = Growth()
        self._at: float | None = None

    def take(self, now: float) -> list[Measurement]:
        """All measurements; the first call only looks at the counters."""
        elapsed = now - self._at if self._at is not None else 0.0
        used = self._engine.usage()
        usage = {machine_id: one.cpu_seconds for machine_id, one in used.items()}
        memory = {machine_id: one.memory_bytes for machine_id, one in used.items()}
        measured = [
            *self._instances(usage, elapsed),
            *self._tasks(usage, memory, elapsed),
            *groups(),
            *self._balancers(),
            *self._databases(usage, elapsed),
        ]
        self._growth.turn()
        self._at = now
        return measured

    def _cpu(self, usage: Mapping[str, float], machine_id: str, elapsed: float, cpus: float = 1.0) -> float | None:
        """Percent of so many vCPUs. A machine's first look only notes where its counter stands, as it may be older than the last one."""
        if machine_id not in usage:
            return None
        seen = self._growth.seen(machine_id)
        grown = self._growth.of(machine_id, usage[machine_id])
        return min(100.0, 100 * grown / elapsed / cpus) if seen and grown is not None and elapsed > 0 else None

    def _instances(self, usage: Mapping[str, float], elapsed: float) -> Iterator[Measurement]:
        for instance in ec2.instances():
            percent = self._cpu(usage, instance.id, elapsed)
            if percent is None or instance.state != "running":
                continue
            place = (instance.ec2_backend.account_id, instance.ec2_backend.region_name)
            yield Measurement(place, "AWS/EC2", "CPUUtilization", percent, (("InstanceId", instance.id),))
            group = getattr(instance, "autoscaling_group", None)  # moto gives it to members alone
            if group is not None:
                yield Measurement(place, "AWS/EC2", "CPUUtilization", percent, (("AutoScalingGroupName", group.name),))

    def _tasks(self, usage: Mapping[str, float], memory: Mapping[str, int], elapsed: float) -> Iterator[Measurement]:
        """A value for each task of a service, under the service's name ("Amazon ECS service utilization metrics")."""
        for ecs, task in tasks.tasks():
            percent = self._cpu(usage, task.id, elapsed, int(task.cpu) / 1024)
            kind, _, name = task.group.partition(":")
            if task.lab_status != "RUNNING" or kind != "service":
                continue
            place, dimensions = (ecs.account_id, ecs.region_name), (("ClusterName", task.cluster_name), ("ServiceName", name))
            if percent is not None:
                yield Measurement(place, "AWS/ECS", "CPUUtilization", percent, dimensions)
            if task.id in memory:
                share = min(100.0, 100 * memory[task.id] / (int(task.memory) * 2**20))
                yield Measurement(place, "AWS/ECS", "MemoryUtilization", share, dimensions)

    def _balancers(self) -> Iterator[Measurement]:
        for elbv2, balancer in balancer_state.load_balancers():
            place, name = (elbv2.account_id, elbv2.region_name), balancer.arn.split(":loadbalancer/")[1]
            runtime = haproxy_runtime.Runtime(self._settings.machine_directory(balancer_state.machine_id(balancer)))
            try:
                counters = runtime.counters()
            except OSError as error:
                LOG.debug("%s tells no figures: %s", balancer.name, error)
                continue
            grown = {
                (row.backend, row.server, field): self._growth.of((balancer.arn, row.backend, row.server, field), value)
                for row, fields in counters.items()
                for field, value in fields.items()
            }
            for group in balancer_state.groups_of(elbv2, balancer):
                yield from of_target_group(place, name, group, {key: value for key, value in grown.items() if value is not None})

    def _databases(self, usage: Mapping[str, float], elapsed: float) -> Iterator[Measurement]:
        for rds, database in databases.databases():
            if database.status != "available":
                continue
            place, machine_id = (rds.account_id, rds.region_name), databases.machine_id(database)
            dimensions = (("DBInstanceIdentifier", database.db_instance_identifier),)
            percent = self._cpu(usage, machine_id, elapsed)
            if percent is not None:
                yield Measurement(place, "AWS/RDS", "CPUUtilization", percent, dimensions)
            data = self._settings.machine_directory(machine_id) / "data"
            free = max(0.0, int(database.allocated_storage) * 2**30 - size_of(data))
            yield Measurement(place, "AWS/RDS", "FreeStorageSpace", free, dimensions, "Bytes")
            connections = self._connections(machine_id, int(database.port))
            if connections is not None:
                yield Measurement(place, "AWS/RDS", "DatabaseConnections", connections, dimensions, "Count")

    def _connections(self, machine_id: str, port: int) -> int | None:
        """Clients that are connected to the server now, counted in its machine's network namespace."""
        namespace = self._settings.namespace(machine_id)
        if not (kernel.NAMESPACES / namespace).exists():
            return None
        listed = kernel.inside(namespace, lambda: Path("/proc/thread-self/net/tcp").read_text())
        return established(listed, port)


def groups() -> Iterator[Measurement]:
    """Sizes of the Auto Scaling groups that have their metrics collected."""
    for account, region, backend in list(autoscaling_backends.iter_backends()):
        for group in list(backend.autoscaling_groups.values()):
            if group.metrics:
                in_service = sum(member.lifecycle_state == "InService" for member in group.instance_states)
                figures = {
                    "GroupMinSize": group.min_size, "GroupMaxSize": group.max_size, "GroupDesiredCapacity": group.desired_capacity,
                    "GroupInServiceInstances": in_service,
                }  # fmt: skip
                for name, value in figures.items():
                    yield Measurement((account, region), "AWS/AutoScaling", name, value, (("AutoScalingGroupName", group.name),), "None")


def of_target_group(place: Place, balancer: str, group: Any, grown: Mapping[tuple[str, str, str], float]) -> Iterator[Measurement]:
    """AWS/ApplicationELB's figures for one target group behind one load balancer.

    `grown` holds what haproxy's counters grew by: (backend, server, field), where BACKEND stands for the backend as a whole.
    """
    dimensions = (("LoadBalancer", balancer), ("TargetGroup", group.arn.split(":")[-1]))
    states = [group.lab_health.get(target_id, ("initial",))[0] for target_id in group.targets]
    healthy, unhealthy = states.count("healthy"), states.count("unhealthy")
    for name, count in (("HealthyHostCount", healthy), ("UnHealthyHostCount", unhealthy)):
        yield Measurement(place, "AWS/ApplicationELB", name, float(count), dimensions, "Count")
    backends = (group.name, f"{group.name}-open")  # the second one serves while no target is healthy
    whole = {key[2]: 0.0 for key in grown}
    by_targets = dict(whole)
    for (backend, server, field), value in grown.items():
        if backend in backends:
            sums = whole if server == haproxy_runtime.BACKEND else by_targets
            sums[field] += value
    requests = whole.get("req_tot", 0.0)
    if not requests:
        return
    figures: dict[str, float] = {"RequestCount": requests} | {
        f"HTTPCode_Target_{family}XX_Count": by_targets.get(f"hrsp_{family}xx", 0.0) for family in "2345"
    }
    by_balancer = max(0.0, whole.get("hrsp_5xx", 0.0) - by_targets.get("hrsp_5xx", 0.0))
    for name, value in figures.items():
        if value:
            yield Measurement(place, "AWS/ApplicationELB", name, value, dimensions, "Count", counted=True)
            yield Measurement(place, "AWS/ApplicationELB", name, value, dimensions[:1], "Count", counted=True)
    if by_balancer:
        yield Measurement(place, "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", by_balancer, dimensions[:1], "Count", counted=True)
    if healthy:
        per_target = requests / healthy
        yield Measurement(place, "AWS/ApplicationELB", "RequestCountPerTarget", per_target, dimensions[1:], "Count", counted=True)


def established(listed: str, port: int) -> int:
    """How many of the connections in the form of /proc/net/tcp are established at this local port."""
    rows = [line.split() for line in listed.splitlines()[1:]]
    return sum(row[3] == ESTABLISHED and int(row[1].rsplit(":", 1)[1], 16) == port for row in rows if len(row) > 3)


def size_of(directory: Path) -> int:
    """Bytes that the files below a directory take; those that vanish meanwhile take none."""
    total = 0
    for folder, _folders, names in directory.walk():
        for name in names:
            try:
                total += (folder / name).lstat().st_blocks * 512
            except OSError:
                continue
    return total
