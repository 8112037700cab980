"""The connection `warm` does what `local` does, sooner."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from plugins.connection import warm
from plugins.connection.warm import environment_of

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = "/opt/venv/bin/python3"


def test_the_variables_of_a_modules_command_are_found() -> None:
    command = f"/bin/sh -c 'AWS_REGION=eu-west-1 NOTE='\"'\"'two words'\"'\"' {PYTHON} && sleep 0'"
    assert environment_of(command, PYTHON) == {"AWS_REGION": "eu-west-1", "NOTE": "two words"}


@pytest.mark.parametrize(
    "command",
    [
        "/bin/sh -c 'echo ~root && sleep 0'",
        "/bin/sh -c '/usr/bin/python3 && sleep 0'",
        f"/bin/sh -c 'sudo {PYTHON} && sleep 0'",
        f"/bin/sh -c '{PYTHON} /tmp/module.py && sleep 0'",
        f"/bin/bash -c '{PYTHON}'",
        "/bin/sh -c 'it'\"'\"'s",
    ],
)
def test_whatever_is_not_a_module_for_this_interpreter_is_left_to_local(command: str) -> None:
    assert environment_of(command, PYTHON) is None


PLAY = """
- hosts: localhost
  gather_facts: false
  environment: {GREETING: "good day"}
  tasks:
    - ansible.builtin.command: printenv GREETING
    - ansible.builtin.command: "false"
      ignore_errors: true
    - ansible.builtin.uri: {url: "http://127.0.0.1:9/", timeout: 1}
      ignore_errors: true
    - amazon.aws.ec2_vpc_net_info: {region: eu-west-1, endpoint_url: "http://127.0.0.1:9"}
      ignore_errors: true
    - image_recipe: {roles: [%(role)s], ingredients: {a: b}}
    - ansible.builtin.command: echo hidden
      no_log: true
    - ansible.builtin.tempfile: {state: file}
      register: made
    - ansible.builtin.stat: {path: "{{ made.path }}"}
"""
VOLATILE = ("start", "end", "delta", "path", "elapsed", "inode", "atime", "mtime", "ctime", "stdout", "exception")


def outcome(connection: str, folder: Path) -> list[dict[str, object]]:
    """Results of the play's tasks over a connection, without what differs from run to run."""
    play = folder / "play.yml"
    play.write_text(PLAY % {"role": PROJECT / "roles" / "base"})
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), str(play), "-i", "localhost,", "-e", f"ansible_connection={connection}"],
        cwd=PROJECT,
        env=os.environ
        | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "false", "AWS_ACCESS_KEY_ID": "A" * 20}
        | {"AWS_SECRET_ACCESS_KEY": "b" * 40, "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
        | {"ANSIBLE_PYTHON_INTERPRETER": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout[done.stdout.index("{") :]
    tasks = json.loads(text)["plays"][0]["tasks"]
    results = [task["hosts"]["localhost"] for task in tasks]
    assert results[0]["stdout"] == "good day"
    return [{key: value for key, value in result.items() if key not in VOLATILE} for result in results]


def test_results_failures_environment_and_secrecy_are_those_of_local(tmp_path: Path) -> None:
    warm, local = outcome("warm", tmp_path), outcome("local", tmp_path)
    for found, expected in zip(warm, local, strict=True):
        found.pop("stat", None), expected.pop("stat", None)
        assert found == expected
    assert len(warm) == 8


@dataclass(frozen=True)
class Run:
    """A run that needs a warm process: its main process, and where that listens."""

    owner: subprocess.Popen[bytes]
    name: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        process = warm.start(self.name, self.owner.pid)
        if process:
            self.started.append(process)

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.name))
            yield client

    def module(self, source: str) -> tuple[int, bytes, bytes]:
        with self.connect() as client:
            return warm.run(client, {"GREETING": "good day"}, source.encode())


@pytest.fixture
def run() -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="warm-") as folder, subprocess.Popen(["sleep", "60"]) as owner:
        run = Run(owner, Path(folder, "warm"))
        yield run
        owner.kill()
        assert [process.wait(10) for process in run.started] == [0]


def test_many_who_start_it_at_once_get_one_and_none_waits_until_it_has_loaded(run: Run) -> None:
    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(run.start) for _ in range(8)]:
            started.result()
        parents = list(pool.map(run.module, ["import os; print(os.getppid())"] * 8))
    assert {(status, error) for status, _output, error in parents} == {(0, b"")}
    assert len({output for _status, output, _error in parents}) == 1


def test_a_module_has_its_environment_and_its_status_is_told(run: Run) -> None:
    run.start()
    assert run.module("import os, sys; print(os.environ['GREETING']); sys.exit(3)") == (3, b"good day\n", b"")


def test_whoever_leaves_without_a_word_or_in_the_middle_of_one_does_no_harm(run: Run) -> None:
    run.start()
    with run.connect():
        pass
    with run.connect() as client:
        client.sendall((100).to_bytes(4, "big") + b"{")
    assert run.module("print('still here')") == (0, b"still here\n", b"")


def test_it_ends_with_its_run_and_with_it_a_module_that_still_runs(run: Run, tmp_path: Path) -> None:
    run.start()
    begun = tmp_path / "begun"
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(run.module, f"import time; open({str(begun)!r}, 'w').close(); time.sleep(60)")
        while not begun.exists():
            assert not endless.done()
            time.sleep(0.01)
        run.owner.kill()
        run.owner.wait()
        with pytest.raises(ConnectionResetError):
            endless.result(10)
    with pytest.raises(ConnectionRefusedError), run.connect():
        pass


def test_one_that_cannot_load_is_told_with_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError('this boto3 is broken')\n")
    given = {"PYTHONPATH": str(tmp_path), "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    done = play(tmp_path, given, "- {hosts: localhost, gather_facts: false, tasks: [{ansible.builtin.command: id}]}")
    assert "this boto3 is broken" in done.stdout
    assert "-e ansible_connection=local" in done.stdout


def play(folder: Path, environment: dict[str, str], text: str) -> subprocess.CompletedProcess[str]:
    (folder / "play.yml").write_text(text)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(folder / "play.yml"), "-i", "localhost,"]
    return subprocess.run(
        [*command, "-e", "ansible_connection=warm"], cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
