"""`python -m lab`: up, down, status, requests, logs, env, machine."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from . import lifecycle, requests, settings
from .errors import LabError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or failed with the reason on standard error, 3 `status` of a lab that is down."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(settings.load(options.name), options) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


def _up(lab: settings.Settings, options: argparse.Namespace) -> None:
    status = lifecycle.up(lab, _say(options.json))
    print(
        json.dumps(status) if options.json else f"lab {lab.name} is up: AWS API on {lab.endpoint_url}, operator's proxy on {lab.proxy_url}"
    )


def _down(lab: settings.Settings, options: argparse.Namespace) -> None:
    lifecycle.down(lab, forget=options.forget, say=_say(options.json))
    kept = "nothing is kept" if options.forget else "its state is kept for the next `up`; `down --forget` drops it"
    print(json.dumps({"name": lab.name, "running": False}) if options.json else f"lab {lab.name} is down: {kept}")


def _status(lab: settings.Settings, options: argparse.Namespace) -> int:
    status = lifecycle.status(lab)
    if options.json:
        print(json.dumps(status or {"name": lab.name, "running": False}))
    elif status is None:
        print(f"lab {lab.name} is down; `python -m lab up` starts it")
    else:
        _print_status(status)
    return 0 if status else 3


def _print_status(status: dict[str, Any]) -> None:
    print(f"lab {status['name']}: AWS API {status['endpoint_url']}, operator's proxy {status['proxy_url']}, process {status['pid']}")
    for name, url in status["published"].items():
        print(f"  load balancer {name}: {url}")
    for machine in status["machines"]:
        words = [
            machine["id"],
            machine["status"],
            *(machine.get(key) or "" for key in ("az", "private_address", "public_address", "name")),
        ]
        print("  " + "  ".join(str(word) for word in words if word))
    for what, problem in status["problems"].items():
        print(f"  problem with {what}: {problem}")


def _requests(lab: settings.Settings, options: argparse.Namespace) -> None:
    since = time.time() - options.seconds if options.seconds else options.since
    found = requests.read(lab.request_log, mutating=options.mutating, since=since, source=options.source)
    if options.json:
        print(json.dumps([{field: getattr(request, field) for field in request.__slots__} for request in found]))
        return
    for request in found:
        mark = "*" if request.mutating else " "
        at = time.strftime("%H:%M:%S", time.localtime(request.at))
        print(f"{at} {mark} {request.service}:{request.action} {request.status} {request.milliseconds:.0f} ms {request.source}")


def _logs(lab: settings.Settings, options: argparse.Namespace) -> None:
    text = lifecycle.console(lab, options.machine) if options.machine else lifecycle.log(lab)
    print(json.dumps({"log": text}) if options.json else text)


def _env(lab: settings.Settings, options: argparse.Namespace) -> None:
    environment = lab.environment()
    print(json.dumps(environment) if options.json else "\n".join(f"export {key}={value}" for key, value in environment.items()))


def _machine(lab: settings.Settings, options: argparse.Namespace) -> None:
    from . import workbench  # imports boto3: half a second that no other command should pay

    if options.verb == "remove":
        workbench.remove(lab, options.machine)
        print(json.dumps({"name": options.machine, "removed": True}) if options.json else f"machine {options.machine} is removed")
        return
    machine = workbench.create(lab, options.machine)
    print(json.dumps(machine) if options.json else " ".join(f"{key}={value}" for key, value in machine.items()))


def _say(quiet: bool) -> lifecycle.Say:
    def say(text: str) -> None:
        if not quiet:
            print(f"lab: {text}", flush=True)

    return say


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="The AWS API on loopback, with real machines behind it.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--name", help="which lab; default: LAB_NAME, else `default`")
    shared.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(required=True)

    def add(name: str, command: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[shared], help=text)
        made.set_defaults(command=command)
        return made

    add("up", _up, "build the machine images if they are missing and start the lab")
    add("down", _down, "end the lab: no container, namespace, rule or process stays").add_argument(
        "--forget", action="store_true", help="drop the saved state too"
    )
    add("status", _status, "what stands")
    shown = add("requests", _requests, "what was asked of the AWS API")
    shown.add_argument("--mutating", action="store_true", help="only requests that can change something")
    shown.add_argument("--since", type=float, default=0.0, help="only from this time on, in seconds since the epoch")
    shown.add_argument("--seconds", type=float, help="only the last so many seconds")
    shown.add_argument("--source", help="only from `controller` or from a machine's address")
    add("logs", _logs, "the lab's own log, or a machine's console").add_argument("machine", nargs="?", help="a machine's id")
    add("env", _env, "exports that point ansible-playbook at this lab")
    machine = add("machine", _machine, "a machine outside every stack, for role tests")
    machine.add_argument("verb", choices=["create", "remove"])
    machine.add_argument("machine", help="its name")
    daemon = commands.add_parser("daemon", parents=[shared])
    daemon.set_defaults(command=lambda lab, _options: lifecycle.run_daemon(lab))
    return parser


if __name__ == "__main__":
    sys.exit(main())
