"""Measure the plan of the stack `uda` beside `terraform plan` of the same stack, on the same emulator.

Usage: python -m benchmarks.plan [--runs N] [--latency MS ...]. TERRAFORM names the program when it is not on the PATH, TF_PLUGIN_DIR
a filesystem mirror that holds hashicorp/aws 5.100.0 where there is no network. Without Terraform the rest is measured, and the result
says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from lab import image, requests
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY

from . import phase, plan_report

PROJECT = Path(__file__).resolve().parents[1]
REGION = "ap-northeast-1"
START_SECONDS = 60.0
NOTHING, SOMETHING = 0, 2  # exit statuses of scripts/plan and of `terraform plan -detailed-exitcode`


@dataclass(frozen=True)
class Server:
    """An account on loopback, and a folder for what belongs to it."""

    pid: int
    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """For a command that shall talk to this account and to nothing else."""
        others = ("AWS_", "ANSIBLE_", "LAB_", "TF_", "PYTHONDONTWRITEBYTECODE")  # the last makes Python compile everything anew
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return kept | {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def requests(self, since: float) -> dict[str, int]:
        asked = list(requests.read(self.folder / "requests.jsonl", since=since))
        return {"requests": len(asked), "mutating": sum(one.mutating for one in asked)}


@contextmanager
def server(folder: Path, latency: float) -> Iterator[Server]:
    """A new, empty account whose answers take `latency` milliseconds longer."""
    folder.mkdir(parents=True)
    (folder / "images.json").write_text(json.dumps([image.published_image()]))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"MOTO_AMIS_PATH": str(folder / "images.json"), "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    command = [sys.executable, "-m", "benchmarks.server", str(port), str(latency), str(folder)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url, folder / "server.log")
        yield Server(process.pid, url, folder)
    finally:
        process.terminate()
        process.wait()


def ours(server: Server, playbook: str, *more: str) -> list[str]:
    """A playbook of the project for the stack `uda` in this account."""
    program = str(Path(sys.executable).parent / "ansible-playbook")
    key = f"stack_ssh_key_file={server.folder / 'key'}"
    return [program, playbook, "-i", "inventories/uda/hosts.yml", "-e", key, *more]


@dataclass(frozen=True)
class Terraform:
    """The program, and a folder in which it has been initialised."""

    program: str
    folder: Path
    image_id: str
    public_key: str

    def command(self, *words: str) -> list[str]:
        given = {"image_id": self.image_id, "public_key": self.public_key}
        return [self.program, *words, "-input=false", "-no-color", *(f"-var={name}={value}" for name, value in given.items())]

    @property
    def environment(self) -> dict[str, str]:
        kept = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        return kept | ({"TF_CLI_CONFIG_FILE": str(self.folder / "mirror.tfrc")} if (self.folder / "mirror.tfrc").exists() else {})

    def version(self) -> str:
        told = json.loads(subprocess.run([self.program, "version", "-json"], capture_output=True, check=True, cwd=self.folder).stdout)
        return ", ".join([told["terraform_version"], *(f"{name} {number}" for name, number in told["provider_selections"].items())])


def terraform(folder: Path, image_id: str, public_key: str) -> Terraform | None:
    """Terraform, initialised, or nothing when there is none on this computer. RuntimeError when it cannot have its provider."""
    program = os.environ.get("TERRAFORM") or shutil.which("terraform")
    if not program:
        return None
    shutil.copytree(PROJECT / "benchmarks/terraform", folder)
    mirror = os.environ.get("TF_PLUGIN_DIR")
    if mirror:
        text = f'provider_installation {{\n  filesystem_mirror {{ path = "{Path(mirror).resolve()}" }}\n}}\n'
        (folder / "mirror.tfrc").write_text(text)
    made = Terraform(program, folder, image_id, public_key)
    command = [program, "init", "-input=false", "-no-color"]
    done = subprocess.run(command, cwd=folder, env=os.environ | made.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        told = f"`terraform init` ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        raise RuntimeError(f"{told}\nSet TF_PLUGIN_DIR to a filesystem mirror that holds hashicorp/aws 5.100.0, or give it the network.")
    return made


class Bench:
    """Runs phases in turn and keeps what each took."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.rows: list[dict[str, Any]] = []
        self._servers: list[int] = []

    def account(self, server: Server) -> None:
        self._servers.append(server.pid)

    def once(
        self,
        server: Server,
        label: str,
        command: list[str],
        folder: Path = PROJECT,
        expected: int = 0,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """One run of a phase. RuntimeError when it does not end as it should: its figures would mean nothing."""
        since = time.time()
        took = phase.run(command, folder, server.environment | dict(more or {}), self._servers)
        if took.status != expected:
            raise RuntimeError(f"{label}: `{command[0]}` ended with {took.status}, expected {expected}:\n{took.output[-4000:]}")
        figures = {"wall": took.wall, "cpu": took.cpu, "memory": took.memory, "load": os.getloadavg()[0], **server.requests(since)}
        self.rows.append({"phase": label, **figures})
        print(
            f"    {label}: {took.wall:.2f} s, {took.cpu:.2f} CPU s, {figures['requests']} requests, {took.memory / 2**20:.0f} MiB",
            flush=True,
        )

    def figures(self) -> dict[str, dict[str, list[float]]]:
        """By phase and measure, one value for each run."""
        result: dict[str, dict[str, list[float]]] = {}
        for row in self.rows:
            for name, value in row.items():
                if name != "phase":
                    result.setdefault(row["phase"], {}).setdefault(name, []).append(value)
        return result


def measure(bench: Bench, folder: Path, latency: float) -> str | None:
    """Every phase against answers that are `latency` milliseconds late; the version of Terraform, if it is here.

    Each tool has an account of its own, as both name their resources alike; their runs take turns.
    """
    floor = [sys.executable, "-m", "benchmarks.floor"]
    with server(folder / "ours", latency) as mine, server(folder / "other", latency) as theirs:
        for one in (mine, theirs):
            bench.account(one)
        saved = mine.folder / "plan.json"
        plan = ours(mine, "playbooks/plan.yml", "-e", f"plan_file={saved}")
        bench.once(mine, "warm-up", plan)  # the release's identity is found once and kept
        wanted = {one["kind"]: one for one in json.loads(saved.read_text())["wanted"]}
        image_id = [golden_image(one, wanted["image"]) for one in (mine, theirs)][-1]
        other = terraform(folder / "terraform", image_id, public_key(folder))

        def both(mine_does: str, my_command: list[str], other_does: str, words: tuple[str, ...], expected: int = 0) -> None:
            for _ in range(bench.runs):
                bench.once(mine, mine_does, my_command)
                if other:
                    bench.once(theirs, other_does, other.command(*words), other.folder, expected, other.environment)

        both("hastack: plan, empty account", plan, "Terraform: plan, empty account", ("plan", "-detailed-exitcode"), SOMETHING)
        build = "hastack: site.yml, first run"
        bench.once(mine, build, ours(mine, "site.yml"))
        if other:
            bench.once(theirs, "Terraform: apply, first run", other.command("apply", "-auto-approve"), other.folder, 0, other.environment)
        both("hastack: plan, complete account", plan, "Terraform: plan, complete account", ("plan", "-detailed-exitcode"), NOTHING)
        if not json.loads(saved.read_text())["empty"]:
            raise RuntimeError(f"after site.yml the plan is not empty: {json.loads(saved.read_text())['counts']}; see {saved}")
        both("hastack: site.yml, no change", ours(mine, "site.yml"), "Terraform: apply, no change", ("apply", "-auto-approve"))
        for _ in range(bench.runs):
            bench.once(mine, "boto3: read of all, compares nothing", floor)
        return other.version() if other else None


def golden_image(server: Server, wanted: Mapping[str, Any]) -> str:
    """Let the image of the plan's recipe stand, for machines that are names only bake none; its id."""
    ec2 = boto3.client("ec2", REGION, endpoint_url=server.url, aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY)
    tags = wanted["fields"]["tags"] | {"Verified": "true"}
    made = ec2.register_image(Name=wanted["key"], Description=wanted["fields"]["description"], RootDeviceName="/dev/xvda")
    ec2.create_tags(Resources=[made["ImageId"]], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    return str(made["ImageId"])


def public_key(folder: Path) -> str:
    """The public half of a new key pair."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / "other_key")], check=True)
    return (folder / "other_key.pub").read_text().strip()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/_lab/ready", timeout=1):  # noqa: S310 always http on loopback, see `server`
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the emulator did not start: {log.read_text()[-2000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench plan", description="hastack's plan beside Terraform's")
    parser.add_argument("--runs", type=int, default=5, help="runs of each phase (default 5)")
    parser.add_argument(
        "--latency", type=float, nargs="+", default=[0, 60], help="milliseconds by which each answer is late (default 0 60)"
    )
    given = parser.parse_args()
    phase.adopt()
    folder = Path(tempfile.mkdtemp(prefix="hastack-bench-"))
    result: dict[str, Any] = {"host": plan_report.host(), "runs": given.runs, "latency": {}}
    try:
        for latency in given.latency:
            print(f"==> answers {latency:g} ms late", flush=True)
            bench = Bench(given.runs)
            result["Terraform"] = measure(bench, folder / f"{latency:g}", latency)
            result["latency"][f"{latency:g}"] = bench.figures()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    plan_report.write(result)
    print(plan_report.table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
