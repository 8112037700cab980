"""The picture in the README is that of the inventory, and what is drawn beside it is drawn from it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree

from tests.lab.served import ACCOUNT, Lab

IMAGES = tree.PROJECT / "docs/images"
KEPT = ("AWS_", "ANSIBLE_", "LAB_")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    served = Lab(tmp_path / "lab")
    yield served
    served.stop()


@pytest.mark.timeout(300)
def test_it_is_current(lab: Lab, tmp_path: Path) -> None:
    lab.root("ec2").register_image(Name="debian-12-amd64-1")
    image = f'{{"stack_source_image": {{"owner": "{ACCOUNT}", "name": "debian-12-amd64-*"}}, "diagram_folder": "{tmp_path}"}}'
    environment = {name: value for name, value in os.environ.items() if not name.startswith(KEPT)} | {"AWS_ENDPOINT_URL": lab.url}
    command = [sys.executable, "-m", "ansible", "playbook", "playbooks/diagram.yml", "-i", "inventories/uda/hosts.yml", "-e", image]
    done = subprocess.run(command, cwd=tree.PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    current = (tmp_path / "uda.dot").read_text()
    assert (IMAGES / "uda.dot").read_text() == current, (
        "run playbooks/diagram.yml -e diagram_folder=docs/images where nothing of uda stands"
    )
    assert (tmp_path / "uda.png").read_bytes().startswith(b"\x89PNG")


def test_the_image_is_drawn_from_its_source() -> None:
    digest = hashlib.sha256((IMAGES / "uda.dot").read_bytes()).hexdigest()
    assert digest in (IMAGES / "uda.svg").read_text()


def test_the_readme_shows_it() -> None:
    assert "](docs/images/uda.svg)" in tree.read("README.md")
