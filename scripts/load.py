"""Put load on a stack of the lab and tell, slice by slice, what it did: requests per second, the slow ones, and how the fleet answered.

Usage: scripts/load <stack> [--path / | --journey FILE] [--clients 100] [--seconds 120] [--quiet-seconds 0] [--slice 5] [--json FILE]

The requests are ab's (ApacheBench) or, with a journey, those of users who walk it again and again (scripts/journey.py). They are sent
inside the lab's own internet from the operator's address to the load balancer's: they cannot leave the lab. For AWS call `ab` yourself,
from a machine that may.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from lab import lifecycle, settings  # noqa: E402 the lab is found from here, not from where the command is called

WHERE = ("stack_region", "alb_name", "asg_name", "ecs_cluster_name", "ecs_service_name")
MOST_REQUESTS = 1_000_000  # ab stops at a number as well as at a time


@dataclass(frozen=True)
class Traffic:
    """What ab, or those who walk a journey, tell of one slice."""

    per_second: float
    p95_ms: int | None
    failed: int


@dataclass(frozen=True)
class Fleet:
    """What the Auto Scaling group and its alarms are at."""

    desired: int
    in_service: int
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    second: int
    traffic: Traffic | None
    fleet: Fleet

    def __str__(self) -> str:
        traffic = self.traffic
        figures = f"{traffic.per_second:8.1f} {traffic.p95_ms or 0:8d} {traffic.failed:7d}" if traffic else f"{'-':>8} {'-':>8} {'-':>7}"
        return f"{self.second:6d} {figures} {self.fleet.desired:8d} {self.fleet.in_service:11d}  {', '.join(self.fleet.alarms)}"


HEAD = f"{'second':>6} {'req/s':>8} {'p95 ms':>8} {'failed':>7} {'desired':>8} {'in service':>11}  in alarm"


class LoadError(Exception):
    """The load cannot be put on; the message says why and what to do."""


def traffic_of(report: str) -> Traffic:
    """ab's report as figures. What is not 2xx counts as failed; raises LoadError when ab has measured nothing."""
    rate = re.search(r"^Requests per second:\s+([\d.]+)", report, re.MULTILINE)
    if rate is None:
        raise LoadError(f"ab measured nothing:\n{report.strip()[-600:]}")
    p95 = re.search(r"^\s+95%\s+(\d+)", report, re.MULTILINE)
    counts = [re.search(rf"^{words}:\s+(\d+)", report, re.MULTILINE) for words in ("Failed requests", "Non-2xx responses")]
    length = re.search(r"\(Connect: \d+, Receive: \d+, Length: (\d+)", report)  # pages may differ in length, which is no failure
    failed = sum(int(count.group(1)) for count in counts if count) - (int(length.group(1)) if length else 0)
    return Traffic(float(rate.group(1)), int(p95.group(1)) if p95 else None, failed)


def traffic_of_journey(report: str) -> Traffic:
    """scripts/journey.py's report as figures; raises LoadError when nobody has got anywhere."""
    found = json.loads(report)
    if found["p95_ms"] is None:
        raise LoadError(f"no step of the journey was answered: {found['first_failure'] or 'no time'}")
    return Traffic(round(found["requests"] / found["seconds"], 1), found["p95_ms"], found["failed"])


def variables(stack: str) -> dict[str, Any]:
    """Those of a stack's own variables that say where it is, with what they refer to put in; empty without such an inventory."""
    written: dict[str, Any] = {}
    for path in sorted((PROJECT / "inventories" / stack / "group_vars" / "stack").glob("*.yml")):
        written |= yaml.safe_load(path.read_text()) or {}
    trusted = {name: trust_as_template(value) if isinstance(value, str) else value for name, value in written.items()}
    templar = Templar(DataLoader(), variables=trusted)
    return {name: templar.template(trusted[name]) for name in WHERE if name in trusted}


class Target:
    """A stack that stands on the lab: where to send requests, and whom to ask how it goes."""

    def __init__(self, lab: settings.Settings, stack: str) -> None:
        wanted = variables(stack)
        if not wanted:
            raise LoadError(f"there is no stack '{stack}' under inventories/")
        if lifecycle.status(lab) is None:
            raise LoadError(f"lab {lab.name} is down; `make up STACK={stack}` starts it")
        self._namespace = lab.namespace("internet")
        self._group = wanted.get("asg_name")
        self._service = wanted.get("ecs_cluster_name"), wanted.get("ecs_service_name")
        self._session = boto3.session.Session(settings.ACCESS_KEY_ID, settings.SECRET_ACCESS_KEY, region_name=wanted["stack_region"])
        self._endpoint_url = lab.endpoint_url
        self.host, self.address = self._balancer(wanted["alb_name"])

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint_url)

    def _balancer(self, name: str) -> tuple[str, str]:
        """DNS name and a public address of the load balancer."""
        found = [one for one in self._client("elbv2").describe_load_balancers()["LoadBalancers"] if one["LoadBalancerName"] == name]
        if not found:
            raise LoadError(f"there is no load balancer {name} on the lab yet: build the stack first")
        description = f"ELB {found[0]['LoadBalancerArn'].split(':loadbalancer/')[1]}"
        filters = [{"Name": "description", "Values": [description]}]
        interfaces = self._client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        addresses = [one["Association"]["PublicIp"] for one in interfaces if one.get("Association")]
        if not addresses:
            raise LoadError(f"the load balancer {name} has no public address: its scheme is {found[0]['Scheme']}")
        return found[0]["DNSName"], addresses[0]

    def fleet(self) -> Fleet:
        """How the group stands now, or the service of a stack of containers."""
        alarms = self._client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        names = tuple(re.sub(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "", alarm["AlarmName"]) for alarm in alarms)
        if all(self._service):
            cluster, service = self._service
            (told,) = self._client("ecs").describe_services(cluster=cluster, services=[service])["services"]
            return Fleet(told["desiredCount"], told["runningCount"], names)
        if not self._group:
            return Fleet(0, 0, names)
        found = self._client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])["AutoScalingGroups"]
        if not found:
            return Fleet(0, 0, names)
        group = found[0]
        return Fleet(
            group["DesiredCapacity"], sum(member["LifecycleState"] == "InService" for member in group["Instances"]), names
        )  # fmt: skip

    def load(self, path: str, clients: int, seconds: float) -> Traffic:
        """One slice of requests, from the operator's address."""
        command = [
            "nsenter", f"--net=/run/netns/{self._namespace}", "ab", "-q", "-k", "-r", "-l", "-c", str(clients), "-t", f"{seconds:.0f}",
            "-n", str(MOST_REQUESTS), "-s", "30", "-B", settings.OPERATOR_ADDRESS, "-H", f"Host: {self.host}",
            f"http://{self.address}{path}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return traffic_of(done.stdout + done.stderr)

    def walk(self, journey: Path, clients: int, seconds: float) -> Traffic:
        """One slice of users on a recorded journey, from the operator's address."""
        command = [
            "nsenter", f"--net=/run/netns/{self._namespace}", sys.executable, str(PROJECT / "scripts/journey.py"), str(journey),
            self.address, "--host", self.host, "--source", settings.OPERATOR_ADDRESS, "--clients", str(clients), "--seconds", str(seconds),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LoadError(done.stderr.strip())
        return traffic_of_journey(done.stdout)


def run(target: Target, options: argparse.Namespace) -> Iterator[Row]:
    """Load, then quiet: a row for each slice."""
    began = time.monotonic()
    while (spent := time.monotonic() - began) < options.seconds:
        seconds = min(options.slice, max(1.0, options.seconds - spent))
        if options.journey:
            traffic = target.walk(options.journey, options.clients, seconds)
        else:
            traffic = target.load(options.path, options.clients, seconds)
        yield Row(round(time.monotonic() - began), traffic, target.fleet())
    while time.monotonic() - began < options.seconds + options.quiet_seconds:
        time.sleep(options.slice)
        yield Row(round(time.monotonic() - began), None, target.fleet())


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    rows = []
    try:
        if not options.journey and shutil.which("ab") is None:
            raise LoadError("ab is missing: on Debian and Ubuntu it is in the package apache2-utils")
        target = Target(settings.load(), options.stack)
        print(
            f"{options.clients} clients on http://{target.host}{options.journey or options.path} for {options.seconds:.0f} s\n{HEAD}",
            flush=True,
        )
        for row in run(target, options):
            print(row, flush=True)
            rows.append(row)
    except LoadError as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="scripts/load", description="Put load on a stack of the lab and tell how its fleet answers.")
    made.add_argument("stack", help="a folder of inventories/")
    made.add_argument("--path", default="/", help="what is asked for")
    made.add_argument("--journey", type=Path, help="a recorded journey to walk in place of a path")
    made.add_argument("--clients", type=int, default=100, help="requests under way at once")
    made.add_argument("--seconds", type=float, default=120, help="how long")
    made.add_argument("--quiet-seconds", type=float, default=0, help="how long to look on afterwards, while the fleet shrinks")
    made.add_argument("--slice", type=float, default=5, help="seconds of one line")
    made.add_argument("--json", type=Path, help="write the rows to this file too")
    return made


if __name__ == "__main__":
    sys.exit(main())
