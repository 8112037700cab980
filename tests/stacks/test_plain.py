"""A machine of a plain image configures itself: the stack `uda` with `stack_delivery: plain`. The tests are one story, in this order."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from lab import lifecycle
from lab.engine.podman import Podman
from lab.errors import LabError
from tests.stacks.stack import Stack

pytestmark = pytest.mark.machines
STACK, LAB = "uda", "plain"
PLAIN = ("-e", "stack_delivery=plain", "-e", '{"asg_min_size": 1, "asg_desired_capacity": 1, "asg_max_size": 2}')


def console(stack: Stack, machine: str) -> str:
    try:
        return lifecycle.console(stack.lab, machine)
    except LabError:
        return ""


def bundle(stack: Stack) -> tuple[str, str]:
    """(bucket, key) of the only bundle."""
    (bucket,) = (found["Name"] for found in stack.aws("s3").list_buckets()["Buckets"])
    (key,) = (found["Key"] for found in stack.aws("s3").list_objects_v2(Bucket=bucket)["Contents"])
    return bucket, key


def seconds_to_answer(stack: Stack, machine: Any) -> float:
    """From a machine's launch to the moment from which its application answers."""
    shown = Podman(stack.lab).run(
        machine["InstanceId"], ["systemctl", "show", "--property=ActiveEnterTimestamp", "--timestamp=unix", "uda.service"]
    )
    return float(shown.strip().split("@")[1]) - float(machine["LaunchTime"].timestamp())


def test_a_plain_machine_configures_itself_and_the_site_answers(stack: Stack, record_property: Callable[[str, object], None]) -> None:
    stack.built(*PLAIN)
    assert stack.get("/api/users")[0] == 200
    (machine,) = stack.instances()
    record_property("seconds from launch to answer", spent := seconds_to_answer(stack, machine))
    assert spent < 300
    images = stack.aws("ec2").describe_images(Owners=["self"])["Images"]
    assert images == [], "nothing is baked"
    said = [line.split("user data: ")[1].strip() for line in console(stack, machine["InstanceId"]).splitlines() if "user data: " in line]
    assert said[-1] == "starting uda"
    assert not any("FAILED" in line for line in said)


def test_the_same_recipe_is_the_same_bundle_and_the_same_launch_template(stack: Stack) -> None:
    found, since = bundle(stack), time.time()
    run = stack.built(*PLAIN)
    assert run.changed == 0, run.output[-6000:]
    assert stack.mutations(since) == []
    assert bundle(stack) == found


def test_the_bundle_can_be_fetched_by_nobody_without_credentials(stack: Stack) -> None:
    bucket, key = bundle(stack)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{stack.lab.endpoint_url}/{bucket}/{key}", timeout=10)  # noqa: S310 always http on loopback, see Settings.endpoint_url
    closed = stack.aws("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}


def test_a_bundle_with_the_wrong_hash_leaves_the_machine_out_of_service_and_its_console_says_why(stack: Stack) -> None:
    bucket, key = bundle(stack)
    stack.aws("s3").put_object(Bucket=bucket, Key=key, Body=b"something else")
    (machine,) = stack.instances()
    stack.aws("ec2").terminate_instances(InstanceIds=[machine["InstanceId"]])
    until = time.monotonic() + 180
    while not any("FAILED" in console(stack, found["InstanceId"]) for found in stack.instances()):
        assert time.monotonic() < until, [console(stack, found["InstanceId"])[-2000:] for found in stack.instances()]
        time.sleep(1)
    (successor,) = stack.instances()
    assert "FAILED with status 1 while checking the bundle's hash" in console(stack, successor["InstanceId"])
    assert successor["InstanceId"] not in stack.healthy()
    assert stack.get("/")[0] in (502, 503)
