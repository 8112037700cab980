"""The connection `warm` does what `local` does, sooner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
