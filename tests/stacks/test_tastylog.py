"""The stack `tastylog`: machines that fetch their release at boot, from an empty account to an empty account. One story, in this order."""

from __future__ import annotations

import configparser
import dataclasses
import gzip
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import load
import pytest
from ansible.module_utils.stack.read import SERVICES, read
from ansible.module_utils.stack.shape import shape
from botocore.exceptions import ClientError

from lab import lifecycle, users
from lab.engine.podman import Podman
from lab.errors import LabError
from tests.stacks import story
from tests.stacks.stack import PROJECT, Stack
from tests.stacks.visitors import Visitors
from tests.stacks.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.machines
STACK = "tastylog"
GROUP, TEMPLATE = "tastylog-dev-app-asg", "tastylog-dev-app-lt"
BUCKET = "tastylog-dev-deploy-bucket-123456789012"
SOURCE = PROJECT / "examples/apps/tastylog"
NEIGHBOUR = ("playbooks/network.yml", "playbooks/security.yml", "playbooks/identity.yml", "playbooks/load_balancer.yml")


def fleet(stack: Stack) -> dict[str, Any]:
    groups = stack.aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    return dict(groups[0])


def members(stack: Stack) -> set[str]:
    return {member["InstanceId"] for member in fleet(stack)["Instances"]}


def version(stack: Stack) -> str:
    """The launch template version that the group starts machines from."""
    template = fleet(stack)["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    return str(template["Version"])


def environment(stack: Stack, machine: str) -> dict[str, str]:
    """What user data has told a machine."""
    lines = Podman(stack.lab).run(machine, ["cat", "/etc/tastylog/app.env"]).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def page(stack: Stack, path: str) -> str:
    """What a browser shows."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": stack.lab.proxy_url}))
    request = urllib.request.Request(f"http://{stack.dns_name}{path}", headers={"Accept": "text/html"})
    with opener.open(request, timeout=10) as answer:
        return str(answer.read().decode())


@contextmanager
def another(stack: Stack, file: str, old: str, new: str) -> Iterator[tuple[str, str]]:
    """The application with one change in it: arguments for a playbook that name it."""
    folder = PROJECT / ".cache" / "another-tastylog"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    program = folder / file
    assert old in program.read_text()
    program.write_text(program.read_text().replace(old, new, 1))
    app = stack.wanted["stack_app"] | {"source": str(folder.relative_to(PROJECT))}
    try:
        yield "-e", json.dumps({"stack_app": app})
    finally:
        shutil.rmtree(folder)


def found(stack: Stack) -> dict[str, Any]:
    """Everything of a stack as AWS tells it by tags and names, which is how playbooks see it."""
    clients = {name: stack.aws(name) for name in SERVICES}
    return dict(shape(read(clients, stack.name, {})))


@pytest.fixture(scope="module")
def neighbour(stack: Stack) -> Stack:
    return Stack(stack.lab, "uda")


def test_it_is_built_and_keeps_its_promises(stack: Stack) -> None:
    story.builds_and_keeps_its_promises(stack)


def test_the_fleet_is_one_nano_in_a_public_subnet_with_a_tag_of_its_own(stack: Stack) -> None:
    group, (machine,) = fleet(stack), stack.instances()
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (1, 1, 2)
    assert machine["InstanceType"] == "t2.nano"
    template = stack.aws("ec2").describe_launch_template_versions(LaunchTemplateName=TEMPLATE, Versions=["$Latest"])
    assert template["LaunchTemplateVersions"][0]["LaunchTemplateData"]["InstanceType"] == "t2.micro"
    assert machine["PublicIpAddress"]
    assert {"Key": "Type", "Value": "app"} in machine["Tags"]
    (policy,) = stack.aws("autoscaling").describe_policies(AutoScalingGroupName=GROUP)["ScalingPolicies"]
    assert (policy["PolicyName"], policy["TargetTrackingConfiguration"]["TargetValue"]) == ("tastylog-dev-ec2-cpu-high-sp", 5.0)


def test_seeding_twice_brings_the_shops_once(stack: Stack) -> None:
    first, second = stack.play("playbooks/seed.yml"), stack.play("playbooks/seed.yml")
    assert first.status == 0, first.output[-6000:]
    assert (second.status, second.changed) == (0, 0), second.output[-6000:]
    rows = json.loads((SOURCE / "seed.json").read_text())
    assert json.loads(stack.get("/shops")[2])["count"] == sum(row["path"] == "/shops" for row in rows)
    reviews = json.loads(stack.get("/shops/sushi-ichi/reviews")[2])
    assert {review["author"] for review in reviews["reviews"]} == {"Ada", "Grace"}
    assert "Eight seats, one chef" in page(stack, "/shops/sushi-ichi")


def test_a_neighbour_with_the_same_addresses_stands_beside_it_and_each_sees_its_own_alone(stack: Stack, neighbour: Stack) -> None:
    before = found(stack)
    for playbook in NEIGHBOUR:
        run = neighbour.play(playbook, "-e", "@tests/stacks/neighbour.yml")
        assert run.status == 0, run.output[-6000:]
    assert found(stack) == before
    ours, theirs = before["resources"], found(neighbour)["resources"]
    assert {"vpcs", "subnets", "security_groups", "load_balancers", "target_groups", "roles", "key_pairs", "secrets"} <= set(theirs)
    assert [kind for kind in ours if set(ours[kind]) & set(theirs.get(kind, []))] == []
    assert set(stack.tagged()) & set(neighbour.tagged()) == set()
    cidrs = [stack.aws("ec2").describe_vpcs(VpcIds=ids["vpcs"])["Vpcs"][0]["CidrBlock"] for ids in (ours, theirs)]
    assert cidrs == ["192.168.0.0/20"] * 2
    published = (lifecycle.status(stack.lab) or {})["published"]
    assert set(published) == {"tastylog-dev-app-alb", "uda-alb"}
    assert len(set(published.values())) == 2
    assert stack.get("/shops")[0] == 200
    assert neighbour.get("/shops")[0] == 503, "its load balancer has no machine, and the other's are none of its"


def test_a_second_run_is_quiet(stack: Stack) -> None:
    story.a_second_run_is_quiet(stack)


def test_the_password_is_a_secure_string_and_in_no_output_and_no_user_data(stack: Stack) -> None:
    password, ssm = stack.password(), stack.aws("ssm")
    kinds = {item["Name"]: item["Type"] for item in ssm.get_parameters_by_path(Path="/tastylog/dev")["Parameters"]}
    assert kinds["/tastylog/dev/DB_PASSWORD"] == "SecureString"  # noqa: S105 the kind of parameter
    released = stack.play("playbooks/release.yml", "-vvvv")
    assert released.status == 0, released.output[-6000:]
    assert password not in released.output
    assert password not in str(stack.aws("ec2").describe_launch_template_versions(LaunchTemplateName=TEMPLATE))
    machine = stack.instances()[0]["InstanceId"]
    assert password not in str(environment(stack, machine))
    script = "import boto3; boto3.client('secretsmanager', 'ap-northeast-1').get_secret_value(SecretId='tastylog/database')"
    with pytest.raises(LabError, match="AccessDenied"):
        Podman(stack.lab).run(machine, ["python3", "-c", script])


def test_the_bucket_answers_the_machines_reading_and_nobody_else(stack: Stack) -> None:
    machine = stack.instances()[0]["InstanceId"]
    key = environment(stack, machine)["RELEASE_KEY"]

    def as_machine(call: str) -> str:
        script = f"import boto3; print(boto3.client('s3', 'ap-northeast-1').{call})"
        return Podman(stack.lab).run(machine, ["python3", "-c", script])

    assert "ContentLength" in as_machine(f"get_object(Bucket='{BUCKET}', Key='{key}')")
    for call in (
        f"list_objects_v2(Bucket='{BUCKET}')",
        f"put_object(Bucket='{BUCKET}', Key='{key}', Body=b'')",
        f"delete_object(Bucket='{BUCKET}', Key='{key}')",
        f"get_bucket_policy(Bucket='{BUCKET}')",
    ):
        with pytest.raises(LabError, match="AccessDenied"):
            as_machine(call)

    nothing = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]})
    file = configparser.ConfigParser()
    file.read(users.create(stack.lab, "stranger", nothing))
    stranger = boto3.client("s3", region_name="ap-northeast-1", endpoint_url=stack.lab.endpoint_url, **file["stranger"])
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.get_object(Bucket=BUCKET, Key=key)
    users.remove(stack.lab, "stranger")

    for path in (BUCKET, f"{BUCKET}/{key}"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{stack.lab.endpoint_url}/{path}", timeout=10)  # noqa: S310 always http on loopback, see Settings.endpoint_url


def test_a_broken_release_ends_the_run_and_the_old_one_serves(stack: Stack) -> None:
    before, standing = version(stack), members(stack)
    with (
        another(stack, "server.js", "main(async", "throw new Error('broken on purpose');\nmain(async") as changed,
        Visitors(stack, "/shops") as visitors,
    ):
        run = stack.play("site.yml", *changed, "-e", "asg_wait_timeout=45")
    assert run.status != 0
    assert "ended as RollbackSuccessful, the instances of the former version serve" in run.output, run.output[-6000:]
    assert (version(stack), members(stack)) == (before, standing)
    assert visitors.failures == []
    assert visitors.count > 20


def test_a_new_release_replaces_the_machine_without_a_failed_request(stack: Stack) -> None:
    before, image = members(stack), stack.instances()[0]["ImageId"]
    with another(stack, "shops/pages.js", "<h2>Reviews</h2>", "<h2>What guests say</h2>") as changed:
        with Visitors(stack, "/shops/sushi-ichi") as visitors:
            stack.built(*changed)
        assert visitors.failures == []
        assert visitors.count > 20
        assert "What guests say" in page(stack, "/shops/sushi-ichi")
        (machine,) = stack.instances()
        assert machine["InstanceId"] not in before
        assert machine["ImageId"] == image, "the application is not in the image"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda _good: None, "or it is not there|there is no object", id="missing"),
        pytest.param(lambda good: good[: len(good) // 2], "is truncated: its archive breaks off", id="truncated"),
        pytest.param(lambda _good: gzip.compress(b"another"), "has the wrong checksum", id="wrong checksum"),
    ],
)
def test_a_bad_release_object_keeps_a_new_machine_out_of_service(stack: Stack, spoil: Callable[[bytes], bytes | None], words: str) -> None:
    s3, autoscaling, (old,) = stack.aws("s3"), stack.aws("autoscaling"), members(stack)
    key = environment(stack, old)["RELEASE_KEY"]
    good = s3.get_object(Bucket=BUCKET, Key=key)
    archive, metadata = good["Body"].read(), good["Metadata"]
    bad = spoil(archive)
    if bad is None:
        s3.delete_object(Bucket=BUCKET, Key=key)
    else:
        s3.put_object(Bucket=BUCKET, Key=key, Body=bad)
    autoscaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    (new,) = wait_until(lambda: members(stack) - {old}, "a second machine")
    try:
        console = wait_until(lambda: _failure(stack, new), "the new machine's console says why")
        assert any(word in console for word in words.split("|")), console
        assert console in lifecycle.console(stack.lab, new)
        assert stack.healthy() == {old}
        assert {stack.get("/shops")[1]["x-served-by"] for _ in range(10)} == {_host_name(stack, old)}
        inside = Podman(stack.lab)
        assert inside.run(new, ["sh", "-c", "command -v node; command -v jq; ls /opt/tastylog/releases"]).split() == [
            "/usr/bin/node",
            "/usr/bin/jq",
        ]
    finally:
        s3.put_object(Bucket=BUCKET, Key=key, Body=archive, Metadata=metadata)
        autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=new, ShouldDecrementDesiredCapacity=True)
    wait_until(lambda: members(stack) == {old}, "the new machine has gone")


def _failure(stack: Stack, machine: str) -> str:
    """The line in which a machine's console tells that it has no release, by EC2's API."""
    output = stack.aws("ec2").get_console_output(InstanceId=machine).get("Output") or ""
    return next((line.strip() for line in output.splitlines() if "release_pull: FAILED" in line), "")


def _host_name(stack: Stack, machine: str) -> str:
    return Podman(stack.lab).run(machine, ["hostname"]).strip()


def calm(now: load.Fleet) -> bool:
    return now.desired == now.in_service == 1 and any("AlarmLow" in name for name in now.alarms)


def test_the_fleet_grows_and_shrinks_under_a_journey(stack: Stack) -> None:
    """With AWS's minutes passing in two seconds: else the alarms would take three minutes to fire and fifteen to come back."""
    before = version(stack), members(stack)
    lifecycle.down(stack.lab, forget=False, say=print)
    lifecycle.up(dataclasses.replace(stack.lab, pace=30), print)
    stack.wait_until_healthy(1, PATIENCE)
    assert version(stack) == before[0]
    assert before[1] <= members(stack)  # what booting costs may have called a second machine, which goes again
    target, journey = load.Target(stack.lab, STACK), SOURCE / "journey.json"
    wait_until(lambda: calm(target.fleet()), "one machine, which has little to do since it booted")
    until, failed, alarmed = time.monotonic() + PATIENCE, 0, False
    while (now := target.fleet()).in_service < 2:
        assert time.monotonic() < until, f"the fleet did not grow: {now}"
        failed += target.walk(journey, clients=10, seconds=5).failed
        alarmed = alarmed or any("AlarmHigh" in name for name in target.fleet().alarms)
    assert alarmed
    wait_until(lambda: len(stack.healthy()) == 2, "the second machine takes its share")
    failed += target.walk(journey, clients=10, seconds=5).failed
    assert failed == 0
    wait_until(lambda: target.fleet().desired == 1, "the fleet shrinks again")
    wait_until(lambda: len(members(stack)) == 1, "the second machine ends")
    causes = [
        activity["Cause"] for activity in stack.aws("autoscaling").describe_scaling_activities(AutoScalingGroupName=GROUP)["Activities"]
    ]
    for change in ("from 1 to 2", "from 2 to 1"):
        assert any("triggered policy tastylog-dev-ec2-cpu-high-sp" in cause and change in cause for cause in causes), causes


def test_simple_scaling_takes_the_place_of_target_tracking_and_acts(stack: Stack) -> None:
    with another(stack, "shops/pages.js", "<h2>Reviews</h2>", "<h2>What guests say</h2>") as changed:
        run = stack.play("playbooks/fleet.yml", *changed, "-e", "tastylog_scaling=simple")
    assert run.status == 0, run.output[-6000:]
    policies = stack.aws("autoscaling").describe_policies(AutoScalingGroupName=GROUP)["ScalingPolicies"]
    assert {policy["PolicyName"]: policy["PolicyType"] for policy in policies} == {
        "tastylog-dev-ec2-cpu-out-sp": "SimpleScaling", "tastylog-dev-ec2-cpu-in-sp": "SimpleScaling",
    }  # fmt: skip
    cloudwatch = stack.aws("cloudwatch")
    thresholds = {
        alarm["AlarmName"]: alarm["Threshold"] for alarm in cloudwatch.describe_alarms(AlarmNamePrefix="tastylog-dev")["MetricAlarms"]
    }
    assert thresholds == {"tastylog-dev-ec2-cpu-out-sp": 70.0, "tastylog-dev-ec2-cpu-in-sp": 50.0}

    def raised() -> bool:
        """The alarm is raised again: while an activity is under way, or the group rests from one, simple scaling does nothing."""
        cloudwatch.set_alarm_state(AlarmName="tastylog-dev-ec2-cpu-out-sp", StateValue="ALARM", StateReason="as if it were busy")
        return len(members(stack)) == 2

    wait_until(raised, "one alarm adds a machine")
    wait_until(lambda: fleet(stack)["DesiredCapacity"] == 1, "the other takes it away")
    wait_until(lambda: len(members(stack)) == 1, "it ends")


def test_it_is_destroyed_without_a_trace_and_without_its_neighbour(stack: Stack, neighbour: Stack) -> None:
    before = found(neighbour)
    story.is_destroyed_without_a_trace(stack)
    assert found(neighbour) == before
    assert neighbour.get("/")[0] == 503
    for gone in (
        [bucket["Name"] for bucket in stack.aws("s3").list_buckets()["Buckets"]],
        [item["Name"] for item in stack.aws("ssm").describe_parameters()["Parameters"]],
        [item["AlarmName"] for item in stack.aws("cloudwatch").describe_alarms()["MetricAlarms"]],
        [role["RoleName"] for role in stack.aws("iam").list_roles()["Roles"] if "tastylog" in role["RoleName"]],
        stack.instances(),
        stack.aws("rds").describe_db_instances()["DBInstances"],
    ):
        assert gone == []


def test_nor_does_the_neighbour_leave_one(neighbour: Stack) -> None:
    story.is_destroyed_without_a_trace(neighbour)
    assert (lifecycle.status(neighbour.lab) or {})["machines"] == []
