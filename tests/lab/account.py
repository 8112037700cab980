"""A whole account without machines: the lab's AWS, served, its control loops at work, and playbooks that run against it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import yaml

from lab import api, requests

from .conftest import Cloud
from .served import publish_image

PROJECT = Path(__file__).resolve().parents[2]


class Account(Cloud):
    """A served API whose control loops run, without machines, and the playbooks of a stack in it; `ec2` asks in the stack's region."""

    def __init__(self, home: Path, stack: str, region: str) -> None:
        super().__init__(home)
        self.stack, self.region = stack, region
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._home = home
        self._log = home / "requests.jsonl"
        listening = socket.create_server(("127.0.0.1", 0))
        self._port = listening.getsockname()[1]
        self._stop = api.serve(api.Application(requests.Log(self._log), self._lock, lambda: None, {}), listening)
        self._loop = threading.Thread(target=self._settle)
        self._loop.start()
        self.ec2 = self.client("ec2", region)
        publish_image(self.ec2)

    def close(self) -> None:
        self._ended.set()
        self._loop.join()
        self._stop()

    def _settle(self) -> None:
        while not self._ended.wait(0.2):
            with self._lock:
                self.round()

    def play(self, wanted: dict[str, Any], *playbooks: str) -> str:
        """Run playbooks with other variables than the inventory's; returns the output."""
        file = self._home / "wanted.yml"
        file.write_text(yaml.safe_dump(wanted))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "LAB_"))}
        command = [sys.executable, "-m", "ansible", "playbook", *(f"playbooks/{name}.yml" for name in playbooks)]
        done = subprocess.run(
            [*command, "-i", f"inventories/{self.stack}/hosts.yml", "-e", f"@{file}", "-e", f"confirm={self.stack}"],
            cwd=PROJECT, env=kept | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.failed = done.returncode != 0
        return done.stdout + done.stderr

    def must(self, wanted: dict[str, Any], *playbooks: str) -> str:
        output = self.play(wanted, *playbooks)
        assert not self.failed, output[-6000:]
        return output

    def mutations(self) -> list[str]:
        """Actions of all mutating requests that came since this was asked last."""
        found = [entry.action for entry in requests.read(self._log, mutating=True)] if self._log.exists() else []
        seen, self._seen = getattr(self, "_seen", 0), len(found)
        return found[seen:]
