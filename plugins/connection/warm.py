# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules for the control node in a process that has Ansible's and boto3's code loaded already."""

from __future__ import annotations

DOCUMENTATION = """
name: warm
short_description: Run modules on this computer, in a process that is warm already
description:
  - Does what the connection V(local) does. A module starts in a tenth of a second in place of a whole one, because it is forked
    from a process of this run which has loaded Python, boto3 and the descriptions of AWS's services once.
  - That process starts with the first module and ends with its run. Whatever it cannot take (another interpreter, privilege
    escalation, a command that is no module) goes the way of V(local).
author: hastack
extends_documentation_fragment: [connection_pipelining]
options: {}
"""

import contextlib
import fcntl
import json
import os
import selectors
import shlex
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from ansible import constants as C
from ansible.plugins.connection.local import Connection as LocalConnection
from ansible.utils.display import Display

display = Display()

SERVER = Path(__file__).resolve().parent.parent / "module_utils" / "warm_server.py"
START_SECONDS = 30.0
LONGEST_SOCKET_NAME = 100  # of 108 that the kernel takes


class Connection(LocalConnection):
    """Like `local`, but for modules that arrive by pipelining."""

    transport = "warm"
    has_pipelining = True

    def prepare(self) -> None:
        """Let the warm process start while the caller does something else. One that does not start is told by the first module."""
        name = Path(C.DEFAULT_LOCAL_TMP, "warm")
        if len(str(name)) <= LONGEST_SOCKET_NAME:
            threading.Thread(target=start_early, args=(name,), name="warm", daemon=True).start()

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a module's wrapper (`in_data`) as `cmd` would; exit code, standard output, standard error."""
        assignments = environment_of(cmd, sys.executable)
        if in_data is None or assignments is None or (sudoable and self.become):
            return self._cold(cmd, in_data, sudoable)
        folder = Path(C.DEFAULT_LOCAL_TMP)  # of this run alone, readable by its user alone, removed at its end
        name = folder / "warm"
        if len(str(name)) > LONGEST_SOCKET_NAME:
            return self._cold(cmd, in_data, sudoable)
        display.vvv(f"EXEC in the warm process {name}", host=self._play_context.remote_addr)
        with connect(name) as server:
            return run(server, dict(os.environ) | assignments, in_data)

    def _cold(self, cmd: str, in_data: bytes | None, sudoable: bool) -> tuple[int, bytes, bytes]:
        outcome: tuple[int, bytes, bytes] = super().exec_command(cmd, in_data, sudoable)
        return outcome


def environment_of(command: str, interpreter: str) -> dict[str, str] | None:
    """The variables that a command sets for the interpreter that it starts, or None when it is anything but that. Pure.

    With pipelining a module's command is `/bin/sh -c 'A=b /path/python && sleep 0'`.
    """
    try:
        shell = shlex.split(command)
        words = shlex.split(shell[2]) if shell[:2] == ["/bin/sh", "-c"] and len(shell) == 3 else []
    except ValueError:
        return None
    if words[-3:] == ["&&", "sleep", "0"]:
        words = words[:-3]
    if not words or words[-1] != interpreter:
        return None
    pairs = [word.partition("=") for word in words[:-1]]
    if not all(sign and name.isidentifier() for name, sign, _value in pairs):
        return None
    return {name: value for name, _sign, value in pairs}


def connect(name: Path) -> socket.socket:
    """A connection to this run's warm process, which is started when there is none. Raises OSError when it does not start."""
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(name))
        return client
    except OSError:
        start_once(name)
        client.connect(str(name))
        return client


def start_early(name: Path) -> None:
    """Start it and say nothing when that fails: the first module tries again, and tells."""
    with contextlib.suppress(OSError):
        start_once(name)


def start_once(name: Path) -> None:
    """Start the warm process, however many workers ask for it at once. Raises OSError when it does not start."""
    with (name.parent / "warm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start(name)


def start(name: Path) -> None:
    """Start the warm process unless it listens by now, and wait until it does. It ends with the run: our parent is its main process."""
    if name.exists():
        return
    log = name.with_suffix(".log").open("wb")
    with log:
        command = [sys.executable, str(SERVER), str(name), str(os.getppid())]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 a list of our own
    until = time.monotonic() + START_SECONDS
    while not name.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise OSError(f"the warm process did not start: {name.with_suffix('.log').read_text()[-1000:]}")
        time.sleep(0.01)


def run(server: socket.socket, environment: dict[str, str], source: bytes) -> tuple[int, bytes, bytes]:
    """Have the warm process run a module's wrapper: exit code, standard output, standard error."""
    readers, writers = zip(*(os.pipe() for _ in range(2)), strict=True)
    header = json.dumps({"environment": environment, "folder": str(Path.cwd()), "length": len(source)}).encode()
    socket.send_fds(server, [len(header).to_bytes(4, "big")], list(writers))
    for descriptor in writers:
        os.close(descriptor)
    server.sendall(header + source)
    outputs = dict.fromkeys(readers, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in readers:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                data = os.read(key.fd, 65536)
                outputs[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    answer = server.recv(4)
    if len(answer) < 4:
        return 1, outputs[readers[0]], outputs[readers[1]] + b"the warm process ended before its module did\n"
    return int.from_bytes(answer, "big", signed=True), outputs[readers[0]], outputs[readers[1]]
