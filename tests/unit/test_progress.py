"""A run says how far it is, what it waits for, and what took how long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from plugins.callback.progress import clock, summary

ROOT = Path(__file__).parents[2]
PLAYBOOK = """
- name: First
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Wait for the database
      ansible.builtin.wait_for: {timeout: 2}

- name: Second
  hosts: localhost
  gather_facts: false
  tasks: []
"""


def test_times_are_minutes_and_seconds() -> None:
    assert [clock(seconds) for seconds in (0, 9.6, 125)] == ["0:00", "0:10", "2:05"]


def test_the_summary_leaves_out_what_took_no_time_and_puts_plays_of_one_name_together() -> None:
    assert summary([("Network", 5.2), ("Image", 0.4), ("Fleet", 60), ("Fleet", 5)]) == "Network 0:05, Fleet 1:05, in all 1:11"


def test_a_run_tells_its_plays_and_the_task_that_takes_long(tmp_path: Path) -> None:
    playbook = tmp_path / "site.yml"
    playbook.write_text(PLAYBOOK)
    command = [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        str(playbook),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PROGRESS_EVERY": "0.5"}, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(1 of 2, 0:00 since the beginning)" in done.stdout
    assert "(still at: Wait for the database, 0:0" in done.stdout
    assert done.stdout.index("still at") < done.stdout.index("(2 of 2, ")
    assert "in all 0:" in done.stdout.rsplit("PLAY RECAP", 1)[1]
