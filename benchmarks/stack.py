"""What is measured on a stack that stands: a machine's boot, an image, a run that changes nothing, memory, idle CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3

from lab import requests
from lab.engine.podman import Podman
from lab.errors import LabError
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Settings

from . import processes
from .checkout import Checkout

REGION = "ap-northeast-1"
IDLE_SECONDS = 30.0
HEALTH = ("curl", "--silent", "--fail", "--output", "/dev/null", "--max-time", "1", "http://127.0.0.1/health")


class Stack:
    """The stack `uda` on a lab, through the lab's API and its engine."""

    def __init__(self, settings: Settings, checkout: Checkout) -> None:
        self._settings = settings
        self._checkout = checkout
        self._engine = Podman(settings)
        self._autoscaling = self._client("autoscaling")
        self._ec2 = self._client("ec2")
        self._elbv2 = self._client("elbv2")

    def unchanged_run(self) -> dict[str, float]:
        """site.yml when everything stands as wanted."""
        began = time.time()
        seconds, output = self._checkout.run("scripts/play", "site.yml", "uda")
        if "changed=0" not in output:
            raise RuntimeError(f"site.yml changed something on a stack that stands:\n{output[-2000:]}")
        asked = list(requests.read(self._settings.request_log, since=began, source="controller"))
        mutating = sum(request.mutating for request in asked)
        return {"seconds": seconds, "requests": len(asked), "mutating requests": mutating}

    def boot(self) -> dict[str, float]:
        """One machine more: from its launch to its own first healthy answer, and to `healthy` at the load balancer."""
        group = self._group()
        before = {instance["InstanceId"] for instance in group["Instances"]}
        name, desired = group["AutoScalingGroupName"], group["DesiredCapacity"]
        self._autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired + 1)
        try:
            machine = _until("a new instance", lambda: next(iter(self._instances() - before), None))
            launched = time.monotonic()
            _until("its first healthy answer", lambda: self._healthy_inside(machine))
            answered = time.monotonic() - launched
            arn = group["TargetGroupARNs"][0]
            _until("healthy at the load balancer", lambda: machine in self._healthy_targets(arn))
            return {"first healthy answer": answered, "healthy target": time.monotonic() - launched}
        finally:
            self._autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired)

    def image(self) -> float:
        """CreateImage of a running machine, until it is available."""
        machine = sorted(self._instances())[0]
        started = time.monotonic()
        image = self._ec2.create_image(InstanceId=machine, Name="benchmark", NoReboot=True)["ImageId"]
        _until("the image", lambda: self._ec2.describe_images(ImageIds=[image])["Images"][0]["State"] == "available")
        seconds = time.monotonic() - started
        self._ec2.deregister_image(ImageId=image)
        return seconds

    def memory(self, lab_pid: int) -> dict[str, int]:
        """Bytes of the lab's process and of each machine."""
        found = {machine: processes.memory(self._processes(machine)) for machine in sorted(self._engine.machines())}
        return {"lab": processes.memory([lab_pid])} | found

    def idle(self, lab_pid: int) -> dict[str, float]:
        """Shares of one core over a time in which nobody asks anything: the lab's process, and all machines."""
        pids = [pid for machine in self._engine.machines() for pid in self._processes(machine)]
        before = processes.cpu_seconds([lab_pid]), processes.cpu_seconds(pids)
        time.sleep(IDLE_SECONDS)
        after = processes.cpu_seconds([lab_pid]), processes.cpu_seconds(pids)
        lab, machines = ((late - early) / IDLE_SECONDS for early, late in zip(before, after, strict=True))
        return {"lab": lab, "machines": machines}

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self._settings.endpoint_url,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )

    def _group(self) -> dict[str, Any]:
        groups: list[dict[str, Any]] = self._autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return groups[0]

    def _instances(self) -> set[str]:
        return {instance["InstanceId"] for instance in self._group()["Instances"]}

    def _healthy_inside(self, machine: str) -> bool:
        try:
            self._engine.run(machine, HEALTH)
        except LabError:
            return False
        return True

    def _healthy_targets(self, arn: str) -> set[str]:
        described = self._elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {target["Target"]["Id"] for target in described if target["TargetHealth"]["State"] == "healthy"}

    def _processes(self, machine: str) -> list[int]:
        return processes.in_namespace(self._settings.namespace(machine))


def _until[Found](what: str, look: Callable[[], Found | None], limit: float = 180.0) -> Found:
    """What `look` finds, asked again and again. TimeoutError names what did not come."""
    for _ in _ticks(limit):
        found = look()
        if found:
            return found
    raise TimeoutError(f"{what} did not come within {limit:.0f} s")


def _ticks(limit: float) -> Iterator[None]:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
