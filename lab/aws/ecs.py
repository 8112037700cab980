"""ECS on Fargate: states that take the time a container takes, interfaces and refusals as on AWS.

moto's tasks run at once. Here a task begins as PROVISIONING and moves as its container does, which
lab/services/tasks.py runs. Services are in ecs_services.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs import models
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Task

from . import interfaces
from ._patch import wrap

REQUESTER = "amazon-ecs"
PLATFORM = "1.4.0"
MEMORY = {  # CPU units -> MiB of memory that go with them (ECS Developer Guide, "Task CPU and memory")
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}


def install() -> None:
    wrap(Cluster, "__init__")(_cluster)
    wrap(Task, "__init__")(_task)
    wrap(EC2ContainerServiceBackend, "register_task_definition")(_register_task_definition)
    wrap(EC2ContainerServiceBackend, "run_task")(_run_task)
    wrap(EC2ContainerServiceBackend, "stop_task")(_stop_task)
    wrap(EC2ContainerServiceBackend, "list_tasks")(_list_tasks)
    wrap(EC2ContainerServiceBackend, "list_clusters")(_list_clusters)
    wrap(EC2ContainerServiceBackend, "delete_cluster")(_delete_cluster)
    wrap(EC2ContainerServiceBackend, "iter_tagged_resources")(_tagged)
    wrap(EC2ContainerServiceBackend, "list_tags_for_resource")(_tags)
    EC2ContainerServiceBackend._calculate_task_resource_requirements = staticmethod(_no_requirements)
    NetworkInterface.private_dns_name = None  # moto sets it in VPCs with DNS hostnames alone, and reads it everywhere
    Task.advance = lambda _task: None
    Task.last_status = property(lambda task: task.lab_status, lambda task, value: setattr(task, "lab_status", value))
    models.random_private_ip = lambda *_: None  # the subnet's next free one, never a random one


# Task definitions and tasks


def _register_task_definition(original: Callable[..., Any], ecs: Any, family: str, containers: Any, *args: Any, **kwargs: Any) -> Any:
    if "FARGATE" in (kwargs.get("requires_compatibilities") or []):
        cpu, memory = kwargs.get("cpu"), kwargs.get("memory")
        if not cpu or not memory:
            raise EcsClientException("Fargate requires task definition to have execution role ARN and both cpu and memory set.")
        if int(memory) not in MEMORY.get(int(cpu), ()):
            raise EcsClientException(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")
        if len(containers) > 1:
            raise EcsClientException("The lab runs one container a task: define one, or use AWS.")
        needing = [key for container in containers for key in ("secrets", "logConfiguration") if container.get(key)]
        if needing and not kwargs.get("execution_role_arn"):
            raise EcsClientException("Fargate requires task definition to have execution role ARN to support awslogs or secrets.")
    names = [entry["name"] for container in containers for key in ("environment", "secrets") for entry in container.get(key) or []]
    if wrong := [name for name in names if not re.fullmatch(r"[^\s=#][^\s=]*", name)]:
        raise EcsClientException(f"A variable's name has no spaces, no = and no # in front; found {wrong}.")
    definition = original(ecs, family, containers, *args, **kwargs)
    definition.registered_at = utcnow()
    return definition


def _no_requirements(_definition: Any) -> dict[str, Any]:
    """moto adds containers' memory up, which on Fargate they need not name, to find an instance with room, which there is none of."""
    return {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}


def _task(original: Callable[..., None], task: Any, *args: Any, **kwargs: Any) -> None:
    """A task with its interface. `lab_targets` are the target groups that it joins, with the container's port."""
    network = (kwargs.get("networking_configuration") or {}).get("awsvpcConfiguration")
    definition = kwargs.get("task_definition") or args[1]
    fargate = kwargs.get("container_instance_arn", ...) is None
    if network is not None:
        network.setdefault("securityGroups", _default_group(kwargs["backend"], network["subnets"][0]))
    original(task, *args, **kwargs)
    task.id = task.id.replace("-", "")  # 32 hexadecimal digits
    task.lab_status, task.lab_targets, task.lab_deployment = "PROVISIONING" if fargate else "RUNNING", [], None
    task.lab_was_healthy = task.lab_unhealthy = task.lab_counted = False  # see lab/services/ecs.py
    task.created_at = utcnow()
    task.cpu, task.memory = definition.cpu, definition.memory
    task.connectivity, task.health_status, task.availability_zone = "CONNECTING", "UNKNOWN", None
    task.started_at = task.stopping_at = task.stopped_at = task.stop_code = task.stopped_reason = None
    for container in task.containers:
        container.last_status, container.exitCode, container.health_status = "PENDING", None, "UNKNOWN"
    if fargate:
        task.platform_version, task.launch_type = PLATFORM, "FARGATE"
        _give_interface(task, network or {})


def _default_group(ecs: Any, subnet_id: str) -> list[str]:
    ec2 = ec2_backends[ecs.account_id][ecs.region_name]
    return [ec2.get_default_security_group(ec2.get_subnet(subnet_id).vpc_id).id]


def _give_interface(task: Any, network: dict[str, Any]) -> None:
    """moto's interface has a public address by the subnet's habit; on Fargate the task's own setting decides."""
    ec2 = ec2_backends[task._account_id][task.region_name]
    details = task.attachments[0]["details"]
    interfaces.delete(ec2, [detail["value"] for detail in details if detail["name"] == "networkInterfaceId"])
    subnet = ec2.get_subnet(network["subnets"][0])
    description = f"arn:aws:ecs:{task.region_name}:{task._account_id}:attachment/{task.attachments[0]['id']}"
    public = network.get("assignPublicIp") == "ENABLED"
    eni = interfaces.create(ec2, subnet, network["securityGroups"], description, REQUESTER, public)
    task.lab_interface_id, task.availability_zone = eni.id, subnet.availability_zone
    task.lab_address, task.lab_subnet_id = eni.private_ip_address, subnet.id
    values = {
        "subnetId": subnet.id, "networkInterfaceId": eni.id, "macAddress": eni.mac_address,
        "privateDnsName": eni.private_dns_name, "privateIPv4Address": eni.private_ip_address,
    }  # fmt: skip
    task.attachments[0] |= {"status": "ATTACHED", "details": [{"name": name, "value": value} for name, value in values.items() if value]}
    for container in task.containers:
        attachment = {"attachmentId": task.attachments[0]["id"], "privateIpv4Address": eni.private_ip_address}
        container.network_interfaces = [attachment]


def _run_task(original: Callable[..., Any], ecs: Any, cluster: str, definition: str, *args: Any, **kwargs: Any) -> Any:
    if ecs.describe_task_definition(definition).status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    if ecs._get_cluster(cluster).status != "ACTIVE":
        raise EcsClientException("Cluster is inactive.")
    return original(ecs, cluster, definition, *args, **kwargs)


def _stop_task(_original: Callable[..., Any], ecs: Any, cluster_str: str, task_str: str, reason: str | None) -> Any:
    """The task is asked to stop; it is STOPPED when its container has ended."""
    cluster = ecs._get_cluster(cluster_str)
    for task in ecs.tasks.get(cluster.name, {}).values():
        if task.task_arn.split("/")[-1] == task_str.split("/")[-1]:
            ask_to_stop(task, "UserInitiated", reason or "Task stopped by user")
            return task
    raise InvalidParameterException("The referenced task was not found.")


def ask_to_stop(task: Any, code: str, reason: str) -> None:
    """Ask a task to stop, once; the first reason stays."""
    if task.desired_status != "STOPPED":
        task.desired_status, task.stop_code, task.stopped_reason, task.stopping_at = "STOPPED", code, reason, utcnow()


def _list_tasks(original: Callable[..., Any], ecs: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """Of a service where one is named; those that shall run unless stopped ones are asked for."""
    names = ("cluster_str", "container_instance", "family", "started_by", "service_name", "desiredStatus")
    given = dict(zip(names, args, strict=False)) | kwargs
    service = (given.pop("service_name", None) or "").split("/")[-1]
    given["desiredStatus"] = given.get("desiredStatus") or "RUNNING"
    found = original(ecs, **given)
    return [task for task in found if not service or task.group == f"service:{service}"]


def _tagged(original: Callable[..., Any], ecs: Any) -> Iterator[Any]:
    """What is gone is no resource any more, though describe calls go on telling of it for a while."""
    gone = {
        *(cluster.arn for cluster in ecs.clusters.values() if cluster.status != "ACTIVE"),
        *(service.arn for service in ecs.services.values() if service.status == "INACTIVE"),
        *(task.task_arn for found in ecs.tasks.values() for task in found.values() if task.lab_status == "STOPPED"),
        *(revision.arn for family in ecs.task_definitions.values() for revision in family.values() if revision.status != "ACTIVE"),
    }
    yield from (resource for resource in original(ecs) if resource.arn not in gone)


def _tags(original: Callable[..., Any], ecs: Any, arn: str) -> list[dict[str, str]]:
    """No tags are an empty list; moto leaves it out."""
    return original(ecs, arn) or []


# Clusters


def _cluster(original: Callable[..., None], cluster: Any, *args: Any, **kwargs: Any) -> None:
    """Without capacity providers there are empty lists of them; moto leaves them out."""
    original(cluster, *args, **kwargs)
    cluster.capacity_providers = cluster.capacity_providers or []
    cluster.default_capacity_provider_strategy = cluster.default_capacity_provider_strategy or []


def _list_clusters(_original: Callable[..., Any], ecs: Any) -> list[str]:
    return [cluster.arn for cluster in ecs.clusters.values() if cluster.status == "ACTIVE"]


def _delete_cluster(original: Callable[..., Any], ecs: Any, cluster_str: str) -> Any:
    cluster = ecs._get_cluster(cluster_str)
    services = [service for service in ecs.services.values() if service.cluster_name == cluster.name and service.status != "INACTIVE"]
    if services:
        raise Refused("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    if any(task.lab_status != "STOPPED" for task in ecs.tasks.get(cluster.name, {}).values()):
        raise Refused("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    return original(ecs, cluster_str)


class Refused(EcsClientException):
    """An error that moto has no class for."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
