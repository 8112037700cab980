"""Fargate tasks: a container each, at its own address, from PROVISIONING to STOPPED.

PROVISIONING  its interface stands; image, secrets and log group are looked for (task_start.py)
PENDING       the image is being pulled, the container starts
RUNNING       it is in its target groups, its lines go to CloudWatch Logs
DEACTIVATING  it shall stop, and drains
STOPPING      the container has got SIGTERM
STOPPED       told by DescribeTasks for an hour, with reason and exit code
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends

from .. import state
from ..aws import ecr, interfaces
from ..aws.ecs import ask_to_stop
from ..aws.ecs_services import event
from ..engine.base import Engine, Status
from ..engine.podman import CONSOLE
from ..errors import LabError
from ..settings import Settings
from ..world import Machine, World
from . import task_targets
from .base import Published
from .task_logs import Follower
from .task_start import Prepared, StartError, prepare

LOG = logging.getLogger(__name__)
TOLD = timedelta(hours=1)  # how long a stopped task is told of
UP = ("PENDING", "RUNNING", "DEACTIVATING")


class Tasks:
    """The service `ecs`, as far as tasks go."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._prepared: dict[str, Prepared] = {}
        self._pulls: dict[str, Future[None]] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="pull")
        self._problems: Mapping[str, str] = {}
        self._logs = Follower()
        self._begun = False

    def watch(self, problems: Mapping[str, str]) -> None:
        """Where the reconciler tells of machines that do not start, by id."""
        self._problems = problems

    def machines(self) -> Iterable[Machine]:
        if not self._begun:
            self._begin()
        for ecs, task in tasks():
            prepared, eni = self._prepared.get(task.id), ec2_backends[ecs.account_id][ecs.region_name].enis.get(task.lab_interface_id)
            if prepared and eni and task.id not in self._pulls:
                yield Machine(
                    id=task.id,
                    kind="task",
                    image=self._image(prepared),
                    interfaces=(state.interface(eni),),
                    hostname=(eni.private_dns_name or f"ip-{eni.private_ip_address.replace('.', '-')}").split(".")[0],
                    running=task.lab_status in UP,
                    command=prepared.command,
                    container=prepared.container,
                )

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        for ecs, task in tasks():
            status = standing.get(task.id)
            if task.lab_status == "PENDING" and status:
                self._runs(ecs, task)
            if task.lab_status == "PENDING" and task.id in self._problems:
                self._fail(ecs, task, f"CannotStartContainerError: {self._problems[task.id]}")
            elif task.lab_status in ("RUNNING", "DEACTIVATING") and status == "stopped":
                ask_to_stop(task, "EssentialContainerExited", "Essential container in task exited")
                self._finish(ecs, task)
            elif task.lab_status == "STOPPING" and status != "running":
                self._finish(ecs, task)
        self._forget_images()

    def tick(self) -> bool:
        before = {task.id: task.lab_status for _ecs, task in tasks()}
        for ecs, task in tasks():
            self._step(ecs, task)
            self._follow(ecs, task)
        _forget_old()
        waiting = [task for _ecs, task in tasks() if task.lab_status in ("PENDING", "STOPPING") and task.id not in self._pulls]
        return bool(waiting) or before != {task.id: task.lab_status for _ecs, task in tasks()}

    def published(self) -> dict[str, Published]:
        return {}

    def _begin(self) -> None:
        """The lab itself has just been started: its tasks' containers are gone and are made again, at the same addresses."""
        self._begun = True
        for _ecs, task in tasks():
            task.lab_status = "PROVISIONING"
            (self._settings.machine_directory(task.id) / CONSOLE).unlink(missing_ok=True)  # what the former container wrote is sent

    def _step(self, ecs: Any, task: Any) -> None:
        stop = task.desired_status == "STOPPED"
        if task.lab_status in ("PROVISIONING", "PENDING") and stop and task.id not in self._pulls:
            task.lab_status = "STOPPING" if task.lab_status == "PENDING" else task.lab_status
            if task.lab_status == "PROVISIONING":
                self._finish(ecs, task)
        elif task.lab_status == "PROVISIONING":
            self._provision(ecs, task)
        elif task.lab_status == "PENDING" and task.id in self._pulls:
            self._pulled(ecs, task)
        elif task.lab_status == "RUNNING" and stop:
            _tell(ecs, task, task_targets.leave(ecs, task), "has begun draining connections on 1 tasks.")
            task.lab_status = "DEACTIVATING"
        elif task.lab_status == "DEACTIVATING" and task_targets.drained(ecs, task):
            task.lab_status = "STOPPING"

    def _provision(self, ecs: Any, task: Any) -> None:
        try:
            prepared = prepare(ecs, task)
        except StartError as error:
            self._fail(ecs, task, str(error))
            return
        self._prepared[task.id], task.lab_status = prepared, "PENDING"
        task.containers[0].image_digest = prepared.digest
        if self._image(prepared) not in self._engine.images():
            token, _until = ecr.new_token(ecr_backends[ecs.account_id][ecs.region_name], "")
            authorization = b64encode(f"AWS:{token}".encode()).decode()
            source = _on_this_computer(prepared.source, self._settings)
            self._pulls[task.id] = self._pool.submit(self._engine.pull, source, authorization, self._image(prepared))

    def _pulled(self, ecs: Any, task: Any) -> None:
        if not self._pulls[task.id].done():
            return
        error = self._pulls.pop(task.id).exception()
        if isinstance(error, LabError):
            self._fail(ecs, task, f"CannotPullContainerError: {error}")
        elif error:
            raise error

    def _runs(self, ecs: Any, task: Any) -> None:
        task.lab_status, task.connectivity, task.started_at = "RUNNING", "CONNECTED", utcnow()
        task.containers[0].last_status = "RUNNING"
        joined = task_targets.join(ecs, task)
        _tell(ecs, task, joined, "registered 1 targets in (target-group {})")

    def _fail(self, ecs: Any, task: Any, reason: str) -> None:
        task.containers[0].reason = reason
        ask_to_stop(task, "TaskFailedToStart", reason)
        self._finish(ecs, task)

    def _finish(self, ecs: Any, task: Any) -> None:
        """The container has ended, or never was: tell it, and give the address back."""
        while self._follow(ecs, task):
            pass
        self._follow(ecs, task, last=True)
        _tell(ecs, task, task_targets.leave(ecs, task), "deregistered 1 targets in (target-group {})")
        task.lab_status, task.connectivity, task.stopped_at = "STOPPED", "DISCONNECTED", utcnow()
        container = task.containers[0]
        container.last_status, container.exitCode = "STOPPED", self._engine.exit_code(task.id) if task.started_at else None
        interfaces.delete(ec2_backends[ecs.account_id][ecs.region_name], [task.lab_interface_id])
        task.attachments[0]["status"] = "DELETED"
        self._prepared.pop(task.id, None)
        self._logs.forget(task.id)

    def _follow(self, ecs: Any, task: Any, *, last: bool = False) -> bool:
        """Whether there was anything to send."""
        prepared = self._prepared.get(task.id)
        if prepared and prepared.log and task.started_at:
            return self._logs.follow(ecs.account_id, task.id, self._settings.machine_directory(task.id) / CONSOLE, prepared.log, last=last)
        return False

    def _image(self, prepared: Prepared) -> str:
        return f"{self._settings.image_repository}/task-{prepared.digest.removeprefix('sha256:')[:12]}"

    def _forget_images(self) -> None:
        """Images that are in no repository any more, and that no task runs from."""
        digests = {
            image.get_image_digest()
            for _account, _region, backend in list(ecr_backends.iter_backends())
            for repository in list(backend.repositories.values())
            for image in list(repository.images)
        } | {prepared.digest for prepared in self._prepared.values()}
        prefix = f"{self._settings.image_repository}/task-"
        kept = {f"{prefix}{digest.removeprefix('sha256:')[:12]}" for digest in digests}
        for image in self._engine.images():
            if image.startswith(prefix) and image not in kept:
                self._engine.remove_image(image)


def tasks() -> Iterator[tuple[Any, Any]]:
    """Every Fargate task of every account and region that has not stopped, with its backend."""
    for _account, _region, ecs in list(ecs_backends.iter_backends()):
        for cluster_tasks in list(ecs.tasks.values()):
            for task in list(cluster_tasks.values()):
                if task.launch_type == "FARGATE" and task.lab_status != "STOPPED":
                    yield ecs, task


def service_of(ecs: Any, task: Any) -> Any | None:
    """The service that a task belongs to."""
    kind, _, name = task.group.partition(":")
    return ecs.services.get(f"{task.cluster_name}:{name}") if kind == "service" else None


def _tell(ecs: Any, task: Any, groups: list[str], text: str) -> None:
    service = service_of(ecs, task)
    for arn in groups if service else ():
        event(service, text.format(arn))


def _on_this_computer(source: str, settings: Settings) -> str:
    """Whatever name a repository is called by, the lab's registry is where it is."""
    return f"127.0.0.1:{settings.api_port}/{source.partition('/')[2]}"


def _forget_old() -> None:
    oldest = utcnow() - TOLD
    for _account, _region, ecs in list(ecs_backends.iter_backends()):
        for cluster_tasks in list(ecs.tasks.values()):
            for arn, task in list(cluster_tasks.items()):
                if task.launch_type == "FARGATE" and task.lab_status == "STOPPED" and task.stopped_at < oldest:
                    del cluster_tasks[arn]
