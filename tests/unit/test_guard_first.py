"""Whole runs of site.yml that must stop before the first request that changes something."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

ROOT = Path(__file__).parents[2]
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Account>444455556666</Account><Arn>arn:aws:iam::444455556666:user/somebody</Arn><UserId>AIDA</UserId>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Aws(ThreadingHTTPServer):
    """Answers who the caller is, refuses all else, and remembers every action."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.actions: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Aws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        action = parse_qs(body).get("Action", [self.headers.get("X-Amz-Target", "unknown")])[0]
        self.server.actions.append(action)
        known = action == "GetCallerIdentity"
        self.send_response(200 if known else 400)
        self.end_headers()
        self.wfile.write(IDENTITY.encode() if known else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def aws() -> Iterator[Aws]:
    server = Aws()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(endpoint: str, *arguments: str, playbook: str = "site.yml", **environment: str) -> subprocess.CompletedProcess[str]:
    """One run against an endpoint; the static inventory only, so that no request comes from reading the machines."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_", "LAB_"))}
    credentials = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
    command = [sys.executable, "-m", "ansible", "playbook", playbook, "-i", "inventories/uda/hosts.yml", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, **credentials, "AWS_ENDPOINT_URL": endpoint, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_a_wrong_account_stops_after_the_question_who_it_is(aws: Aws) -> None:
    done = run(aws.url, "-e", "stack_target=aws", "-e", "stack_account_id=111122223333")
    assert done.returncode != 0
    assert "the credentials belong to account 444455556666" in done.stdout + done.stderr
    assert aws.actions == ["GetCallerIdentity"]


def test_the_lab_elsewhere_stops_before_any_request() -> None:
    done = run("http://192.0.2.1:4600")
    assert done.returncode != 0
    assert "requests would go to http://192.0.2.1:4600" in done.stdout + done.stderr


@pytest.mark.parametrize("playbook", ["site.yml", "playbooks/network.yml"])
def test_a_wrong_value_stops_before_any_request_in_each_layer(aws: Aws, playbook: str) -> None:
    done = run(aws.url, "-e", "vpc_cidr=10.0.0.1/16", playbook=playbook)
    assert done.returncode != 0
    assert "vpc_cidr is '10.0.0.1/16': the address has bits beyond its prefix. Did you mean 10.0.0.0/16?" in done.stdout + done.stderr
    assert aws.actions == []


def test_a_wrong_type_and_a_misspelt_option_are_told_together(aws: Aws) -> None:
    done = run(aws.url, "-e", "rds_multi_az=perhaps", "-e", "alb_idle_timout=30", playbook="playbooks/preflight.yml")
    assert "alb_idle_timout is no option of the role alb. Did you mean alb_idle_timeout?" in done.stdout + done.stderr
    assert "rds_multi_az is 'perhaps' (role rds)" in done.stdout + done.stderr
    assert aws.actions == []


def test_a_number_from_the_command_line_which_comes_as_text_is_held_to_the_rules(aws: Aws) -> None:
    done = run(aws.url, "-e", "asg_min_size=5", "-e", "rds_allocated_storage=10", playbook="playbooks/preflight.yml")
    assert "2 wrong values; no request was sent:" in done.stdout + done.stderr
    assert aws.actions == []
