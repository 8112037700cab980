# SPDX-License-Identifier: GPL-3.0-or-later
"""The process behind the connection `warm`: loads once what every AWS module loads, then forks for each module.

Started as `warm_server.py NUMBER PID`, where NUMBER is the descriptor of a socket that listens; ends, with every module that still
runs, when the process PID ends.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SERVICES = (
    "ec2", "rds", "elbv2", "autoscaling", "iam", "secretsmanager", "sts", "s3", "ssm", "cloudwatch", "sns", "logs", "acm", "ecr", "ecs",
    "application-autoscaling",
)  # fmt: skip


def preload() -> None:
    """Import what the modules import, and parse the descriptions of AWS's services and of their answers' pages."""
    import ansible.module_utils._internal._ansiballz._loader
    import ansible.module_utils.basic
    import ansible_collections.amazon.aws.plugins.module_utils.botocore
    import ansible_collections.amazon.aws.plugins.module_utils.ec2
    import ansible_collections.amazon.aws.plugins.module_utils.modules  # noqa: F401 loaded for the modules that follow
    import boto3
    import botocore.loaders
    import botocore.session

    # Every boto3 session of a module makes a loader of its own, which would parse the descriptions again.
    botocore.session.create_loader = botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    for package in (ansible, ansible.module_utils):
        package.__path__ = ArchivesToo(package)
    ansible.module_utils.__path__.append(str(Path(__file__).parent))  # where the archive of a module has the project's own from
    import ansible.module_utils.diagram.live
    import ansible.module_utils.plan.families
    import ansible.module_utils.stack.borrowed
    import ansible.module_utils.stack.existing
    import ansible.module_utils.stack.validate

    session = boto3.session.Session("none", "none", region_name="us-east-1")
    for service in SERVICES:
        client = session.client(service)
        client.can_paginate(next(iter(client.meta.method_to_api_mapping)))


class ArchivesToo(list[str]):
    """A package's folders, and the same package inside the archives on sys.path.

    A module arrives as an archive with what it imports from `ansible`; that package is loaded here already, from its own folder alone.
    """

    def __init__(self, package: types.ModuleType) -> None:
        super().__init__(package.__path__)
        self._below = package.__name__.replace(".", "/")

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield from (f"{entry}/{self._below}" for entry in sys.path if entry.endswith(".zip"))


def serve(listening: socket.socket, owner: int) -> None:
    """Fork for each module that is asked for, until the process `owner` has ended."""
    with selectors.DefaultSelector() as selector:
        selector.register(os.pidfd_open(owner), selectors.EVENT_READ, "owner")
        running: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> process id, its client
        selector.register(listening, selectors.EVENT_READ, "listening")
        while True:
            for key, _events in selector.select():
                if key.data == "owner":
                    for process, _client in running.values():
                        os.kill(process, signal.SIGKILL)
                    return
                if key.data == "listening":
                    client, _address = listening.accept()
                    try:
                        process = start(client, listening)
                    except (EOFError, OSError):  # it has left before it said what to run
                        client.close()
                        continue
                    descriptor = os.pidfd_open(process)
                    running[descriptor] = process, client
                    selector.register(descriptor, selectors.EVENT_READ, "module")
                    continue
                process, client = running.pop(key.fd)
                selector.unregister(key.fd)
                os.close(key.fd)
                report(process, client)


def start(client: socket.socket, listening: socket.socket) -> int:
    """Read a request and fork a process that runs it; the process's id. Raises EOFError when the client leaves before it has said all."""
    size, descriptors, _flags, _address = socket.recv_fds(client, 4, 2)
    try:
        if len(size) < 4:
            raise EOFError
        header = json.loads(receive(client, int.from_bytes(size, "big")))
        source = receive(client, header["length"])
        process = os.fork()
        if process == 0:
            listening.close()
            client.close()
            execute(header, source, descriptors)
        return process
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def execute(header: dict[str, Any], source: bytes, descriptors: list[int]) -> None:
    """In the new process: become what `python -` would be with this source on its standard input. Does not return."""
    code = 0
    gc.enable()
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, descriptor in enumerate((nothing, *descriptors)):
            os.dup2(descriptor, number)
        os.umask(0o022)
        os.environ.clear()
        os.environ.update(header["environment"])
        os.chdir(header["folder"])
        sys.argv = ["<stdin>"]
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww"))
        main = types.ModuleType("__main__")
        main.__dict__["__file__"] = "<stdin>"
        sys.modules["__main__"] = main
        exec(compile(source, "<stdin>", "exec"), main.__dict__)  # noqa: S102 the module's own wrapper
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def report(process: int, client: socket.socket) -> None:
    """Tell the client how its module ended; one that has left is no matter."""
    _process, status = os.waitpid(process, 0)
    with client:
        try:
            client.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
        except OSError:
            return


def receive(client: socket.socket, length: int) -> bytes:
    """Exactly `length` bytes. Raises EOFError when the client leaves before."""
    data = b""
    while len(data) < length:
        part = client.recv(min(1 << 20, length - len(data)))
        if not part:
            raise EOFError
        data += part
    return data


if __name__ == "__main__":
    gc.disable()  # what is loaded stays: looking for what of it could go takes a tenth of the time
    preload()
    gc.freeze()  # and is never looked at again, so its pages stay shared with the forks
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
