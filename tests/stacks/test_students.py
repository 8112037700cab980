"""The stack `students`: a private fleet in an account where nobody may make a role, asked as its users would ask. One story, in this order.

The lab's pace is 20, so that a minute of measurements lasts three seconds.
"""

from __future__ import annotations

import configparser
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import load
import pytest
from botocore.exceptions import ClientError

from lab import requests
from lab.engine.podman import Podman
from lab.errors import LabError
from lab.fixtures import training_account
from tests.stacks import story
from tests.stacks.stack import Stack
from tests.stacks.waiting import wait_until

pytestmark = pytest.mark.machines
STACK, PACE = "students", 20.0
GROUP = "students-web"
ANYWHERE = "0.0.0.0/0"
STS = "https://sts.us-east-1.amazonaws.com/"
READ_SECRET = "import boto3; boto3.client('secretsmanager', 'us-east-1').get_secret_value(SecretId='students/database')"  # noqa: S105 it names the secret


def reaches(stack: Stack, machine: str, url: str) -> bool:
    """Whether a machine gets an answer from there, whatever it says."""
    try:
        Podman(stack.lab).run(machine, ["curl", "--silent", "--output", "/dev/null", "--max-time", "5", url])
    except LabError:
        return False
    return True


def in_service(stack: Stack) -> set[str]:
    (group,) = stack.aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    return {member["InstanceId"] for member in group["Instances"] if member["LifecycleState"] == "InService"}


def causes(stack: Stack) -> list[str]:
    """Why the fleet changed, newest first."""
    activities = stack.aws("autoscaling").describe_scaling_activities(AutoScalingGroupName=GROUP)["Activities"]
    return [activity["Cause"] for activity in activities]


def names(stack: Stack) -> list[str]:
    return [student["name"] for student in json.loads(stack.get("/students")[2])["students"]]


@contextmanager
def a_hundred_clients(stack: Stack, path: str) -> Iterator[None]:
    """What scripts/load does, `ab -c 100 -k`, for as long as the block lasts."""
    target, over = load.Target(stack.lab, stack.name), threading.Event()

    def send() -> None:
        while not over.is_set():
            target.load(path, 100, 5)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_missing_instance_profile_or_key_is_told_before_anything_is_made(stack: Stack) -> None:
    since = time.time()
    run = stack.play("site.yml", "-e", "iam_existing_instance_profile=LabProfile", "-e", "key_pair_existing=rockey")
    assert run.status != 0
    assert (
        "iam_existing_instance_profile is 'LabProfile': no such instance profile in the account; there are LabInstanceProfile" in run.output
    )
    assert "key_pair_existing is 'rockey': no such key pair in us-east-1; there are vockey" in run.output
    run = stack.play("site.yml", "-e", "stack_ssh_key_file=/nowhere/vockey")
    assert run.status != 0
    assert "stack_ssh_key_file is '/nowhere/vockey': no such file on this computer. Put the private key of vockey there" in run.output
    assert stack.mutations(since) == []


def test_it_is_built_and_keeps_its_promises(stack: Stack) -> None:
    story.builds_and_keeps_its_promises(stack)


def test_it_was_built_by_a_user_who_may_make_no_role(stack: Stack) -> None:
    sent = [found for found in requests.read(stack.lab.request_log, mutating=True) if found.principal.endswith(":user/student")]
    assert {"CreateVpc", "CreateDBInstance", "CreateAutoScalingGroup"} <= {found.action for found in sent}
    assert [found.action for found in sent if found.service == "iam"] == []
    keys = configparser.ConfigParser()
    keys.read(stack.lab.credentials_file)
    iam = boto3.client("iam", "us-east-1", endpoint_url=stack.lab.endpoint_url, **keys["student"])
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.create_role(RoleName="mine", AssumeRolePolicyDocument=json.dumps(training_account.TRUST))


def test_the_first_students_are_seeded_once_and_listed_by_machines_in_two_zones(stack: Stack) -> None:
    assert stack.play("playbooks/seed.yml").changed == 1
    again = stack.play("playbooks/seed.yml")
    assert (again.status, again.changed) == (0, 0)
    assert names(stack).count("Ada Lovelace") == 1
    assert len({stack.get("/students")[1]["x-served-by"] for _ in range(20)}) == 2
    assert len({instance["Placement"]["AvailabilityZone"] for instance in stack.instances()}) == 2


def test_a_second_run_is_quiet(stack: Stack) -> None:
    story.a_second_run_is_quiet(stack)


def test_without_the_nat_gateway_a_machine_reaches_secrets_manager_alone_and_a_new_one_starts_all_the_same(stack: Stack) -> None:
    ec2, machine = stack.aws("ec2"), stack.instances()[0]["InstanceId"]
    assert reaches(stack, machine, STS)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["students-private"]}])["RouteTables"]
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=ANYWHERE)
    wait_until(lambda: not reaches(stack, machine, STS), "the machine has no way out")
    Podman(stack.lab).run(machine, ["python3", "-c", READ_SECRET])

    victim = stack.instances()[1]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[victim])
    wait_until(lambda: victim not in in_service(stack), "the ended machine leaves the fleet")
    assert victim not in stack.wait_until_healthy(2, 180)
    assert len({stack.get("/students")[1]["x-served-by"] for _ in range(20)}) == 2

    stack.built()  # gives the route back
    wait_until(lambda: reaches(stack, machine, STS), "the machine has a way out again")


def test_the_fleet_grows_under_load_and_shrinks_again(stack: Stack) -> None:
    assert len(in_service(stack)) == 2
    with a_hundred_clients(stack, "/students"):
        wait_until(lambda: len(in_service(stack)) > 2, "the fleet grows")
        wait_until(lambda: len(stack.healthy()) > 2, "the new machine takes its share")
    assert any("-AlarmHigh-" in cause and "changing the desired capacity from 2 to" in cause for cause in causes(stack))
    story.nothing_is_to_do(stack)
    wait_until(lambda: len(in_service(stack)) == 2, "the fleet shrinks again")
    assert "-AlarmLow-" in causes(stack)[0]
    assert {stack.get("/students")[0] for _ in range(10)} == {200}


def test_it_is_destroyed_without_a_trace_and_what_the_account_had_stays(stack: Stack) -> None:
    story.is_destroyed_without_a_trace(stack)
    assert stack.aws("iam").get_instance_profile(InstanceProfileName=training_account.PROFILE)["InstanceProfile"]["Roles"] != []
    assert [pair["KeyName"] for pair in stack.aws("ec2").describe_key_pairs()["KeyPairs"]] == [training_account.KEY_PAIR]
    assert stack.play("playbooks/preflight.yml").status == 0
