"""`python -m lab`: up, down, status, requests, logs, env, machine, user, fixture, policy."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import fixtures, lifecycle, requests, settings
from .errors import LabError
from .iam import recorded


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
    except OSError as error:
        if error.filename is None:
            raise
        print(f"lab: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1


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
        who = request.principal.rpartition(":")[2]
        print(f"{at} {mark} {request.service}:{request.action} {request.status} {request.milliseconds:.0f} ms {request.source} {who}")


def _logs(lab: settings.Settings, options: argparse.Namespace) -> None:
    text = lifecycle.console(lab, options.machine) if options.machine else lifecycle.log(lab)
    print(json.dumps({"log": text}) if options.json else text)


def _env(lab: settings.Settings, options: argparse.Namespace) -> None:
    environment = lab.environment()
    print(json.dumps(environment) if options.json else "\n".join(f"export {key}={value}" for key, value in environment.items()))


def _machine(lab: settings.Settings, options: argparse.Namespace) -> None:
    from . import workbench  # imports boto3: half a second that most commands should not pay

    if options.verb == "remove":
        workbench.remove(lab, options.machine)
        print(json.dumps({"name": options.machine, "removed": True}) if options.json else f"machine {options.machine} is removed")
        return
    machine = workbench.create(lab, options.machine)
    print(json.dumps(machine) if options.json else " ".join(f"{key}={value}" for key, value in machine.items()))


def _user(lab: settings.Settings, options: argparse.Namespace) -> None:
    from . import users  # imports boto3

    if options.remove:
        users.remove(lab, options.user)
        print(json.dumps({"user": options.user, "removed": True}) if options.json else f"user {options.user} is removed")
        return
    file = users.create(lab, options.user, json.dumps(_document(options.policy)))
    print(
        json.dumps({"user": options.user, "credentials_file": str(file)}) if options.json else f"user {options.user}: its key is in {file}"
    )


def _fixture(lab: settings.Settings, options: argparse.Namespace) -> None:
    module = importlib.import_module(f"{fixtures.__name__}.{options.fixture}")
    if options.remove:
        module.remove(lab)
        print(json.dumps({"fixture": options.fixture, "removed": True}) if options.json else f"{options.fixture} is removed")
        return
    laid = module.apply(lab)
    print(json.dumps(laid) if options.json else "\n".join(f"{key}: {value}" for key, value in laid.items()))


def _policy(lab: settings.Settings, options: argparse.Namespace) -> None:
    noted = {entry for request in requests.read(lab.request_log, source="controller") for entry in request.permissions}
    wanted = recorded.permissions(noted)
    if options.added_to:
        try:
            wanted |= recorded.of_document(_document(options.added_to))
        except (KeyError, TypeError) as error:
            raise LabError(f"{options.added_to}: expected what this command has printed before, found another policy") from error
    print(json.dumps(recorded.document(wanted), indent=2))


def _document(path: Path) -> dict[str, Any]:
    """The JSON object in a file that the caller has named."""
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise LabError(f"{path}: expected a policy in JSON: {error}") from error
    if not isinstance(found, dict):
        raise LabError(f"{path}: expected a policy, an object in JSON, found something else")
    return found


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
    policy = add("policy", _policy, "what the operator's requests so far have needed, as an IAM policy")
    policy.add_argument("--added-to", type=Path, help="a policy of this command's, to which they are added")
    user = add("user", _user, "an IAM user whose key playbooks and tests can use")
    user.add_argument("user", help="its name, also that of the section in the credentials file")
    wanted = user.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--policy", type=Path, help="file with the JSON document that says what it may do")
    wanted.add_argument("--remove", action="store_true", help="delete it with its keys")
    fixture = add("fixture", _fixture, "an account that somebody else has furnished")
    fixture.add_argument("fixture", choices=sorted(found.name for found in pkgutil.iter_modules(fixtures.__path__)))
    fixture.add_argument("--remove", action="store_true", help="take it away again")
    daemon = commands.add_parser("daemon", parents=[shared])
    daemon.set_defaults(command=lambda lab, _options: lifecycle.run_daemon(lab))
    return parser


if __name__ == "__main__":
    sys.exit(main())
