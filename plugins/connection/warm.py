# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules for the control node in a process that has Ansible's and boto3's code loaded already."""

from __future__ import annotations

DOCUMENTATION = """
name: warm
short_description: Run modules on this computer, in a process that is warm already
description:
  - Does what the connection V(local) does. A module starts in a tenth of a second in place of a whole one, because it is forked
    from a process of this run which has loaded Python, boto3 and the descriptions of AWS's services once.
  - That process starts with the playbook (callback plugin C(warm)), else with the first module, and ends with its run. Whatever it cannot
    take (another interpreter, privilege escalation, a command that is no module) goes the way of V(local).
author: hastack
extends_documentation_fragment: [connection_pipelining]
options: {}
"""

import fcntl
import json
import os
import selectors
import shlex
import socket
import subprocess
import sys
from pathlib import Path

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection
from ansible.utils.display import Display

display = Display()

SERVER = Path(__file__).resolve().parent.parent / "module_utils" / "warm_server.py"
LONGEST_SOCKET_NAME = 100  # of 108 that the kernel takes


class Connection(LocalConnection):
    """Like `local`, but for modules that arrive by pipelining."""

    transport = "warm"
    has_pipelining = True

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a module's wrapper (`in_data`) as `cmd` would; exit code, standard output, standard error."""
        assignments = environment_of(cmd, sys.executable)
        if in_data is None or assignments is None or (sudoable and self.become):
            return self._cold(cmd, in_data, sudoable)
        name = socket_name()
        if name is None:
            return self._cold(cmd, in_data, sudoable)
        display.vvv(f"EXEC in the warm process {name}", host=self._play_context.remote_addr)
        try:
            start(name, os.getppid())  # a worker's parent is the main process of its run
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(str(name))
                return run(server, dict(os.environ) | assignments, in_data)
        except OSError as error:
            said = name.with_suffix(".log").read_text()[-1000:]
            told = f"The warm process {name} does not answer: {error}. -e ansible_connection=local does without it. It said:\n{said}"
            raise AnsibleConnectionFailure(told) from None

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


def socket_name() -> Path | None:
    """Where this run's warm process listens; None where that is longer than a socket's name may be."""
    name = Path(C.DEFAULT_LOCAL_TMP, "warm")  # a folder of this run alone, readable by its user alone, removed at its end
    return name if len(str(name)) <= LONGEST_SOCKET_NAME else None


def start(name: Path, owner: int) -> subprocess.Popen[bytes] | None:
    """Start the warm process of the run whose main process is `owner`, unless it has been started; many may ask for it at once.

    Nobody waits here: it is given a socket that listens already, and takes those who came while it loaded. Returned is the process,
    when it was started here.
    """
    with name.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if name.exists():
            return None
        with socket.socket(socket.AF_UNIX) as listening, name.with_suffix(".log").open("wb") as log:
            listening.bind(str(name))
            listening.listen(64)
            number = listening.fileno()
            command = [sys.executable, str(SERVER), str(number), str(owner)]
            return subprocess.Popen(  # noqa: S603 a list of our own
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[number], start_new_session=True
            )


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
        raise ConnectionResetError("it ended before its module did")
    return int.from_bytes(answer, "big", signed=True), outputs[readers[0]], outputs[readers[1]]
