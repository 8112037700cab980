"""inventories/template/, filled in as docs/own-stack.md says, is a stack that preflight takes; else it is told what is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILLED = {
    "NAME": "shop", "REGION": "eu-west-1", "ZONE_1": "eu-west-1a", "ZONE_2": "eu-west-1b", "APPLICATION": "shop",
    "SOURCE": "examples/apps/uda", "WSGI_APPLICATION": "uda.wsgi:application",
    "ROWS_PATH": "/api/users", "ROWS_KEY": "user_id", "ROWS_FIELD": "user_name",
}  # fmt: skip
PLACEHOLDER = re.compile(rf"\b({'|'.join(FILLED)})\b")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventories/template", tmp_path / "shop")
    return tmp_path / "shop"


def preflight(inventory: Path) -> subprocess.CompletedProcess[str]:
    """Nobody listens at the endpoint: a request would be an error."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "LAB_"))}
    command = [sys.executable, "-m", "ansible", "playbook", "playbooks/preflight.yml", "-i", str(inventory / "hosts.yml")]
    environment = kept | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100)


def test_filled_in_it_is_a_stack_that_preflight_takes(copy: Path) -> None:
    for file in copy.rglob("*.yml"):
        file.write_text(PLACEHOLDER.sub(lambda match: FILLED[match.group()], file.read_text()))
    done = preflight(copy)
    assert done.returncode == 0, done.stdout + done.stderr


def test_not_filled_in_it_is_told_what_is_missing(copy: Path) -> None:
    done = preflight(copy)
    assert done.returncode != 0
    assert "stack_name is 'NAME'" in done.stdout
    assert "no request was sent" in done.stdout


def test_every_placeholder_is_marked_and_some_ten_lines_are() -> None:
    marked, unmarked = [], []
    for file in (ROOT / "inventories/template").rglob("*.yml"):
        for line in file.read_text().splitlines():
            if line.endswith("# fill in") or "# fill in:" in line:
                marked.append(line)
            elif PLACEHOLDER.search(line):
                unmarked.append(line)
    assert unmarked == []
    assert len(marked) == 11
