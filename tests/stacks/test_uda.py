"""The stack `uda`, from an empty account to an empty account, asked as its users would ask. The tests are one story, in this order."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from lab import lifecycle
from lab.engine.podman import Podman
from lab.errors import LabError
from tests.stacks import story
from tests.stacks.stack import PROJECT, Stack
from tests.stacks.visitors import Visitors
from tests.stacks.waiting import wait_until

pytestmark = pytest.mark.machines
STACK, OPERATOR = "uda", "operator"

# Tasks at whose beginning site.yml is killed, one run after the other, while the stack is built.
MOMENTS = (
    "vpc : network | Create the subnets",
    "security_groups : Set their rules",
    "iam : Create the instance profile",
    "rds : Create the DB instance",
    "rds : Settle | Wait until the DB instance is available",
    "alb : Finish the listeners",
    "nginx : Write nginx.conf",
    "ami : End the builder",
    "Ask for its health",
    "asg : Wait until the instances are healthy",
)


def test_a_run_that_is_killed_ten_times_is_finished_by_running_again(stack: Stack) -> None:
    foretold = stack.plan()
    for moment in MOMENTS:  # through all layers, since a task of one that is passed over never begins
        assert stack.play("site.yml", "-e", "stack_pass_over=false", kill_at_task=moment).status == -signal.SIGKILL, moment
    stack.built()
    assert story.stands(stack) == story.made_of(foretold)
    ec2 = stack.aws("ec2")
    mine = [{"Name": "tag:Stack", "Values": ["uda"]}]
    names = Counter(
        f"{resource['ResourceType']} {resource['Value']}"
        for resource in ec2.describe_tags(Filters=[{"Name": "key", "Values": ["Name"]}])["Tags"]
        if resource["ResourceType"] in ("vpc", "subnet", "security-group", "route-table", "internet-gateway", "launch-template")
    )
    assert [name for name, count in names.items() if count > 1] == []
    assert len(ec2.describe_vpcs(Filters=mine)["Vpcs"]) == 1
    assert len(ec2.describe_images(Owners=["self"], Filters=mine)["Images"]) == 1
    assert len(stack.instances()) == 2
    builders = ec2.describe_instances(
        Filters=[{"Name": "tag:Role", "Values": ["builder"]}, {"Name": "instance-state-name", "Values": ["pending", "running", "stopped"]}]
    )
    assert builders["Reservations"] == []


def test_the_site_answers_with_rows_from_the_database(stack: Stack) -> None:
    status, _headers, body = stack.get("/")
    assert status == 200
    assert "<table" in body
    status, _headers, body = stack.get("/api/users")
    assert status == 200
    assert "user_name" in body


def test_the_site_is_published_on_loopback_for_people(stack: Stack) -> None:
    assert stack.published() == 200


def test_twenty_requests_are_answered_by_two_machines_in_two_zones(stack: Stack) -> None:
    served = {stack.get("/api/users")[1]["x-served-by"] for _ in range(20)}
    assert len(served) == 2
    assert len({instance["Placement"]["AvailabilityZone"] for instance in stack.instances()}) == 2


def test_a_second_run_changes_nothing_and_sends_no_mutating_request(stack: Stack) -> None:
    ec2 = stack.aws("ec2")
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="uda_web")["LaunchTemplateVersions"]
    healthy = stack.healthy()
    story.a_second_run_is_quiet(stack)
    story.one_variable_is_one_field(stack)
    assert ec2.describe_launch_template_versions(LaunchTemplateName="uda_web")["LaunchTemplateVersions"] == versions
    assert stack.healthy() == healthy


def test_the_password_is_in_no_output_no_file_no_user_data_and_no_machine(stack: Stack) -> None:
    password = stack.password()
    assert password not in stack.built("-vvvv").output
    ignored = {".git", ".venv", ".cache"}
    files = [path for path in PROJECT.rglob("*") if path.is_file() and not ignored & set(path.relative_to(PROJECT).parts)]
    assert [path for path in files if password.encode() in path.read_bytes()] == []
    ec2 = stack.aws("ec2")
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="uda_web")["LaunchTemplateVersions"]
    assert password not in str(versions)
    engine = Podman(stack.lab)
    for instance in stack.instances():
        looked = engine.run(
            instance["InstanceId"],
            ["sh", "-c", f"grep -rlF '{password}' /etc /opt /var /home /root /srv /usr/local /tmp 2>/dev/null || true"],
        )
        assert looked == ""


def test_a_new_password_is_in_no_output_and_the_site_follows_within_seconds(stack: Stack) -> None:
    old = stack.password()
    with Visitors(stack, "/api/users") as visitors:
        run = stack.play("playbooks/rotate_password.yml", "-vvvv")
        ended = time.time()
        time.sleep(3)
    assert run.status == 0, run.output[-6000:]
    new = stack.password()
    assert new != old
    assert old not in run.output
    assert new not in run.output
    moments = [moment for moment, _outcome in visitors.failures]
    assert not moments or moments[-1] - moments[0] < 10
    assert not [moment for moment in moments if moment > ended]


def test_a_rotation_that_is_killed_is_finished_by_running_it_again(stack: Stack) -> None:
    killed = stack.play("playbooks/rotate_password.yml", kill_at_task="Make the new version the current one")
    assert killed.status == -signal.SIGKILL
    standing = stack.aws("secretsmanager").describe_secret(SecretId="uda/database")["VersionIdsToStages"].values()
    assert "AWSPENDING" in [label for labels in standing for label in labels]  # the database has the new password, nobody else
    run = stack.play("playbooks/rotate_password.yml")
    assert run.status == 0, run.output[-6000:]
    stages = stack.aws("secretsmanager").describe_secret(SecretId="uda/database")["VersionIdsToStages"].values()
    assert sorted(label for labels in stages for label in labels) == ["AWSCURRENT", "AWSPREVIOUS"]
    assert {stack.get("/api/users")[0] for _ in range(10)} == {200}


def test_a_direct_request_to_a_machine_is_dropped(stack: Stack) -> None:
    for instance in stack.instances():
        assert stack.get("/", instance["PublicIpAddress"], timeout=30)[0] == 504
        assert stack.inside("internet", "nc", "-z", "-w", "2", "-s", "198.51.100.10", instance["PublicIpAddress"], "22") != 0


def test_the_database_is_open_to_the_web_tier_alone(stack: Stack) -> None:
    endpoint = stack.aws("rds").describe_db_instances(DBInstanceIdentifier="uda-psql-db")["DBInstances"][0]["Endpoint"]["Address"]
    machine = stack.instances()[0]["InstanceId"]
    address = Podman(stack.lab).run(machine, ["getent", "ahostsv4", endpoint]).split()[0]
    assert stack.inside(machine, "nc", "-z", "-w", "2", address, "5432") == 0
    for found in (lifecycle.status(stack.lab) or {})["machines"]:
        if not found["id"].startswith(("i-", "db-")):
            assert stack.inside(found["id"], "nc", "-z", "-w", "2", address, "5432") != 0
    assert stack.inside("internet", "nc", "-z", "-w", "2", address, "5432") != 0


def test_a_machine_reads_its_own_secrets_and_no_others(stack: Stack) -> None:
    stack.aws("secretsmanager").create_secret(Name="students/database", SecretString="{}")
    engine, machine = Podman(stack.lab), stack.instances()[0]["InstanceId"]
    script = "import boto3, sys; boto3.client('secretsmanager', 'ap-northeast-1').get_secret_value(SecretId=sys.argv[1])"
    engine.run(machine, ["python3", "-c", script, "uda/database"])
    with pytest.raises(LabError, match="AccessDeniedException"):
        engine.run(machine, ["python3", "-c", script, "students/database"])
    stack.aws("secretsmanager").delete_secret(SecretId="students/database", ForceDeleteWithoutRecovery=True)


def test_an_ended_instance_is_replaced_and_costs_no_request_after_the_health_checks_delay(stack: Stack) -> None:
    images = {instance["ImageId"] for instance in stack.instances()}
    victim = stack.instances()[0]["InstanceId"]
    with Visitors(stack, "/api/users") as visitors:
        time.sleep(2)
        ended = time.time()
        stack.aws("ec2").terminate_instances(InstanceIds=[victim])
        time.sleep(5)
        healthy = stack.wait_until_healthy(2, 60)
    assert victim not in healthy
    assert {instance["ImageId"] for instance in stack.instances()} == images
    delay = 2 * 10 + 5  # unhealthy threshold times interval, and one time-out
    assert [failure for failure in visitors.failures if failure[0] > ended + delay] == []
    assert visitors.count > 50
    story.nothing_is_to_do(stack)


def test_stopping_nginx_on_one_machine_leaves_the_service_up(stack: Stack) -> None:
    engine, victim = Podman(stack.lab), stack.instances()[0]["InstanceId"]
    engine.run(victim, ["systemctl", "stop", "nginx"])
    wait_until(lambda: victim not in stack.healthy(), "the load balancer sees that nginx has gone", 60)
    assert {stack.get("/api/users")[0] for _ in range(20)} == {200}
    with contextlib.suppress(LabError):  # past its grace period the fleet has replaced the machine by now
        engine.run(victim, ["systemctl", "start", "nginx"])
    stack.wait_until_healthy(2, 300)


def test_the_load_balancers_group_taken_from_the_web_group_is_a_gateway_time_out(stack: Stack) -> None:
    ec2 = stack.aws("ec2")
    groups = {group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
    rules = [rule for rule in groups["uda_sg_web"]["IpPermissions"] if rule["FromPort"] == 80]
    ec2.revoke_security_group_ingress(GroupId=groups["uda_sg_web"]["GroupId"], IpPermissions=rules)
    try:
        wait_until(lambda: not stack.healthy(), "no target is healthy", 60)
        assert stack.get("/api/users", timeout=60)[0] == 504
    finally:
        stack.built()  # mends it
    stack.wait_until_healthy(2, 300)


def test_the_lab_comes_back_whole_after_down_and_up(stack: Stack) -> None:
    lifecycle.down(stack.lab, forget=False, say=print)
    assert not list(Path("/run/netns").glob("lab-test-uda.*"))
    lifecycle.up(stack.lab, print)
    wait_until(lambda: len(stack.healthy()) == 2 and stack.get("/api/users")[0] == 200, "the site answers from two machines", 60)
    assert stack.published() == 200
    since = time.time()
    assert stack.built().changed == 0
    assert stack.mutations(since) == []


def test_a_changed_role_variable_makes_a_new_image_and_rolls_the_fleet_with_the_settings_for_aws(stack: Stack) -> None:
    """The way through AWS's settings: what differs from the lab is the endpoint, the credentials and the connection, nothing else."""
    ec2 = stack.aws("ec2")
    before = {instance["ImageId"] for instance in stack.instances()}
    versions = len(ec2.describe_launch_template_versions(LaunchTemplateName="uda_web")["LaunchTemplateVersions"])
    with Visitors(stack, "/api/users") as visitors:
        stack.built(*aws_settings(stack), "-e", "nginx_log_keep_days=7", **aws_environment(stack))
    after = {instance["ImageId"] for instance in stack.instances()}
    assert len(after) == 1
    assert after.isdisjoint(before)
    assert len(ec2.describe_launch_template_versions(LaunchTemplateName="uda_web")["LaunchTemplateVersions"]) == versions + 1
    assert visitors.failures == []
    since = time.time()
    assert stack.built("-e", "nginx_log_keep_days=7").changed == 0
    assert stack.mutations(since) == []


def test_destroy_asks_for_the_stacks_name(stack: Stack) -> None:
    since = time.time()
    run = stack.play("playbooks/destroy.yml")
    assert run.status != 0
    assert "confirm=uda" in run.output
    assert stack.mutations(since) == []


def test_destroy_leaves_nothing_and_says_so_when_run_again(stack: Stack) -> None:
    story.is_destroyed_without_a_trace(stack)
    ec2 = stack.aws("ec2")
    mine = [{"Name": "tag:Stack", "Values": ["uda"]}]
    assert ec2.describe_vpcs(Filters=mine)["Vpcs"] == []
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert ec2.describe_key_pairs(Filters=mine)["KeyPairs"] == []
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert stack.aws("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert stack.aws("elbv2").describe_target_groups()["TargetGroups"] == []
    assert stack.aws("rds").describe_db_instances()["DBInstances"] == []
    assert stack.aws("rds").describe_db_subnet_groups()["DBSubnetGroups"] == []
    assert stack.aws("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert stack.aws("secretsmanager").list_secrets()["SecretList"] == []
    assert [role for role in stack.aws("iam").list_roles()["Roles"] if "uda" in role["RoleName"]] == []
    assert (lifecycle.status(stack.lab) or {})["machines"] == []


def test_the_first_run_on_aws_warns_of_its_costs(stack: Stack) -> None:
    run = stack.play("playbooks/approval.yml", *aws_settings(stack), **aws_environment(stack))
    assert run.status == 0, run.output[-6000:]
    assert "From now on it costs money" in run.output


def aws_settings(stack: Stack) -> list[str]:
    """`stack_target: aws` with the account pinned; the lab's network is not the internet, so SSH and HTTP still take its proxy."""
    proxy = stack.lab.proxy_url
    command = f"nc -X connect -x 127.0.0.1:{stack.lab.proxy_port} %h %p"
    return [
        *("-e", "stack_target=aws", "-e", "stack_account_id=123456789012", "-e", f"stack_proxy={proxy}"),
        *("-e", "stack_lab_profile=lab"),
        *("-e", f'{{"stack_ssh_common_args": "-o ProxyCommand=\\"{command}\\""}}'),
    ]


def aws_environment(stack: Stack) -> dict[str, str]:
    """The usual chain of credentials, which boto3 and every module read by themselves."""
    return {
        "AWS_ENDPOINT_URL": stack.lab.endpoint_url,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
