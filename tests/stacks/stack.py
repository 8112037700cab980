"""The few verbs that the whole-stack tests are written in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import boto3
import yaml

from lab import lifecycle, requests, settings
from tests.stacks.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """How a playbook went."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """Tasks that changed something, over all hosts, from the recap."""
        recap = self.output.rsplit("PLAY RECAP", 1)[-1]
        return sum(int(word.removeprefix("changed=")) for word in recap.split() if word.startswith("changed="))


@dataclass(frozen=True)
class Plan:
    """How `make plan` ended, and the changes that it told."""

    status: int
    changes: list[dict[str, Any]]

    def named(self, action: str) -> set[tuple[str, str]]:
        """(kind, key) of everything that this is to be done with."""
        return {(change["kind"], change["key"]) for change in self.changes if change["action"] == action}

    def fields(self) -> set[tuple[str, str, str]]:
        """(kind, key, field) of everything that is another value."""
        return {(change["kind"], change["key"], one["field"]) for change in self.changes for one in change["fields"]}


class Stack:
    """A stack on a lab that only its tests use; `wanted` holds its inventory's variables as they are written.

    `user` is whose credentials its playbooks have, a user of the lab; None for whom the inventory names, else the account's root.
    """

    def __init__(self, lab: settings.Settings, name: str, user: str | None = None) -> None:
        self.lab = lab
        self.name = name
        self.user = user
        self.wanted: dict[str, Any] = {}
        for path in sorted((PROJECT / "inventories" / name / "group_vars" / "stack").glob("*.yml")):
            self.wanted |= yaml.safe_load(path.read_text()) or {}
        keys = settings.ACCESS_KEY_ID, settings.SECRET_ACCESS_KEY
        self._session = boto3.session.Session(*keys, region_name=self.wanted["stack_region"])

    def aws(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.lab.endpoint_url)

    def play(self, playbook: str, *arguments: str, kill_at_task: str = "", **environment: str) -> Run:
        """Run a playbook; with `kill_at_task` send it SIGKILL, with all its children, when it begins the task of that name."""
        command = [str(Path(sys.executable).with_name("ansible-playbook")), playbook, "-i", f"inventories/{self.name}"]
        command += [*(("-e", f"stack_lab_profile={self.user}") if self.user else ()), *arguments]
        shown = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"} if kill_at_task else {}  # else a task is told with its result, not when it begins
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | self.lab.environment() | {"ANSIBLE_NOCOLOR": "1"} | shown | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        lines = []
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                lines.append(line)
                if kill_at_task and line.startswith(f"TASK [{kill_at_task}]"):
                    os.killpg(process.pid, signal.SIGKILL)
                    break
        return Run(process.wait(), "".join(lines))

    def built(self, *arguments: str, **environment: str) -> Run:
        """Run site.yml, with a yes to what it replaces or deletes, and expect it to succeed."""
        run = self.play("site.yml", "-e", "approve=yes", *arguments, **environment)
        assert run.status == 0, run.output[-6000:]
        return run

    def plan(self, *arguments: str) -> Plan:
        """What `make plan` tells; it ends 0 when there is nothing to do, 2 when there is something."""
        file = self.lab.directory / "plan.json"
        users = ("-e", f"stack_lab_profile={self.user}") if self.user else ()
        done = subprocess.run(
            [str(PROJECT / "scripts/plan"), self.name, str(file), *users, *arguments],
            cwd=PROJECT, env=os.environ | self.lab.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 2), done.stdout[-6000:] + done.stderr[-2000:]
        return Plan(done.returncode, json.loads(file.read_text())["changes"])

    def mutations(self, since: float) -> list[str]:
        """Requests of the controller's that could change something, since a moment (seconds since the epoch)."""
        found = requests.read(self.lab.request_log, mutating=True, since=since, source="controller")
        return [f"{request.service}:{request.action}" for request in found]

    @property
    def dns_name(self) -> str:
        name: str = self.aws("elbv2").describe_load_balancers(Names=[self.wanted["alb_name"]])["LoadBalancers"][0]["DNSName"]
        return name

    def get(self, path: str, host: str | None = None, timeout: float = 10.0) -> tuple[int, dict[str, str], str]:
        """GET through the operator's proxy: status, headers, body. A time-out inside the lab is the proxy's 504."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": self.lab.proxy_url}))
        try:
            with opener.open(f"http://{host or self.dns_name}{path}", timeout=timeout) as answer:
                return answer.status, _lower(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _lower(error.headers), error.read().decode()

    def published(self) -> int:
        """Status of the site's page at its loopback address, where people look at it."""
        (url,) = (lifecycle.status(self.lab) or {})["published"].values()
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 the lab publishes http alone
            return int(answer.status)

    def instances(self) -> list[Any]:
        """The fleet's running instances."""
        filters = [
            {"Name": "tag:Stack", "Values": [self.name]},
            {"Name": "tag:Role", "Values": ["web"]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = self.aws("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def tagged(self) -> list[str]:
        """ARNs of everything that carries the stack's tag, by AWS's own census, but for instances and NAT gateways that are no more."""
        pages = self.aws("resourcegroupstaggingapi").get_paginator("get_resources")
        filters = [{"Key": "Stack", "Values": [self.name]}]
        arns = [found["ResourceARN"] for page in pages.paginate(TagFilters=filters) for found in page["ResourceTagMappingList"]]
        ended = [{"Name": "instance-state-name", "Values": ["terminated"]}]
        reservations = self.aws("ec2").describe_instances(Filters=ended)["Reservations"]
        gone = {instance["InstanceId"] for reservation in reservations for instance in reservation["Instances"]}
        deleted = [{"Name": "state", "Values": ["deleted"]}]
        gone |= {gateway["NatGatewayId"] for gateway in self.aws("ec2").describe_nat_gateways(Filters=deleted)["NatGateways"]}
        return [arn for arn in arns if arn.rsplit("/", 1)[-1] not in gone]

    def healthy(self) -> set[str]:
        """Ids of the targets that the load balancer finds healthy."""
        elbv2 = self.aws("elbv2")
        name = self.wanted["alb_target_groups"]["web"]["name"]
        arn = elbv2.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"]
        described = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {found["Target"]["Id"] for found in described if found["TargetHealth"]["State"] == "healthy"}

    def wait_until_healthy(self, count: int, seconds: float) -> set[str]:
        return wait_until(lambda: found if len(found := self.healthy()) >= count else set(), f"{count} healthy targets", seconds)

    def password(self) -> str:
        secret = self.aws("secretsmanager").get_secret_value(SecretId=f"{self.name}/database")["SecretString"]
        return str(json.loads(secret)["password"])

    def inside(self, namespace: str, *command: str) -> int:
        """Run a command in the network namespace of a machine or of the lab's internet; its exit code."""
        path = f"/run/netns/{self.lab.namespace(namespace)}"
        return subprocess.run(["nsenter", f"--net={path}", *command], capture_output=True, check=False).returncode


def _lower(headers: Message) -> dict[str, str]:
    """Header names are the same in any case; load balancers write them small."""
    return {name.lower(): value for name, value in headers.items()}
