"""The stack `meibo`: a service in containers, from its image to its end, asked as its users would ask. One story, in this order."""

from __future__ import annotations

import shutil
import time
from typing import Any

import pytest

from lab.engine.podman import Podman
from lab.settings import OPERATOR_ADDRESS
from tests.stacks import story
from tests.stacks.stack import PROJECT, Stack
from tests.stacks.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.machines
STACK = "meibo"
SOURCE = "examples/apps/meibo"


def tasks(stack: Stack, wanted: str = "RUNNING") -> list[dict[str, Any]]:
    """The service's tasks that run, or that have stopped."""
    ecs = stack.aws("ecs")
    arns = ecs.list_tasks(cluster="meibo", serviceName="meibo", desiredStatus=wanted)["taskArns"]
    found = ecs.describe_tasks(cluster="meibo", tasks=arns)["tasks"] if arns else []
    return [task for task in found if task["lastStatus"] == wanted]


def service(stack: Stack) -> dict[str, Any]:
    return dict(stack.aws("ecs").describe_services(cluster="meibo", services=["meibo"])["services"][0])


def app(stack: Stack, **changes: Any) -> str:
    """The argument -e with the application changed."""
    return f"{{stack_app: {stack.wanted['stack_app'] | changes}}}"


def test_it_is_built_and_keeps_its_promises(stack: Stack) -> None:
    story.builds_and_keeps_its_promises(stack)


def test_two_tasks_in_two_zones_share_the_load(stack: Stack) -> None:
    served = {stack.get("/users")[1]["x-served-by"] for _ in range(20)}
    assert len(served) == 2
    assert len({task["availabilityZone"] for task in tasks(stack)}) == 2


def test_the_roster_is_a_page_for_people_with_rows_from_the_database(stack: Stack) -> None:
    status, _headers, body = stack.get("/")
    assert (status, "佐藤 花子" in body) == (200, True)
    assert stack.published() == 200


def test_its_database_its_repository_and_its_tasks_are_as_the_stack_wants_them(stack: Stack) -> None:
    (database,) = stack.aws("rds").describe_db_instances()["DBInstances"]
    assert (database["DBInstanceClass"], database["Engine"], database["DBName"]) == ("db.t4g.micro", "mysql", "meibo")
    ecr, ecs, ec2 = stack.aws("ecr"), stack.aws("ecs"), stack.aws("ec2")
    (repository,) = ecr.describe_repositories()["repositories"]
    assert repository["imageScanningConfiguration"]["scanOnPush"]
    assert "imageCountMoreThan" in ecr.get_lifecycle_policy(repositoryName="meibo")["lifecyclePolicyText"]
    wanted = ecs.describe_task_definition(taskDefinition=service(stack)["taskDefinition"])["taskDefinition"]
    container = wanted["containerDefinitions"][0]
    assert (wanted["cpu"], wanted["memory"], wanted["requiresCompatibilities"]) == ("256", "512", ["FARGATE"])
    assert wanted["executionRoleArn"] != wanted["taskRoleArn"]
    assert {entry["name"] for entry in container["environment"]} == {"DB_HOST", "DB_USER", "DB_NAME"}
    assert [entry["name"] for entry in container["secrets"]] == ["DB_PASSWORD"]
    groups = {group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
    (rule,) = groups["meibo-db"]["IpPermissions"]
    assert (rule["FromPort"], [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]) == (3306, [groups["meibo-task"]["GroupId"]])
    assert rule["IpRanges"] == []


def test_what_watches_it_speaks_of_tasks_and_of_no_group_of_machines(stack: Stack) -> None:
    found = {alarm["AlarmName"]: alarm for alarm in stack.aws("cloudwatch").describe_alarms()["MetricAlarms"]}
    own = {name: alarm for name, alarm in found.items() if not name.startswith("TargetTracking-")}
    assert set(own) == {
        f"meibo-{key}" for key in ("unhealthy-hosts-web", "healthy-hosts-web", "server-errors", "balancer-errors", "cpu",
                                   "database-cpu", "database-connections", "database-storage")
    }  # fmt: skip
    named = {dimension["Name"]: dimension["Value"] for dimension in own["meibo-cpu"]["Dimensions"]}
    assert (own["meibo-cpu"]["Namespace"], named) == ("AWS/ECS", {"ClusterName": "meibo", "ServiceName": "meibo"})
    assert sorted(alarm["Threshold"] for name, alarm in found.items() if name not in own) == [63.0, 70.0]
    groups = stack.aws("logs").describe_log_groups()["logGroups"]
    assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [("/meibo/meibo", 30)]
    (target,) = stack.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)


def test_a_second_run_is_quiet_and_the_password_is_in_no_output_no_task_definition_and_no_log(stack: Stack) -> None:
    output, password, ecs = story.a_second_run_is_quiet(stack, "-vvvv"), stack.password(), stack.aws("ecs")
    assert password not in output
    assert password not in str(ecs.describe_task_definition(taskDefinition=service(stack)["taskDefinition"]))
    assert password not in str(tasks(stack))
    events = stack.aws("logs").filter_log_events(logGroupName="/meibo/meibo")["events"]
    assert any('"message":"listening"' in event["message"] for event in events)
    assert password not in str(events)


def test_a_stopped_task_is_replaced(stack: Stack) -> None:
    victim = tasks(stack)[0]["taskArn"]
    stack.aws("ecs").stop_task(cluster="meibo", task=victim)
    until, statuses = time.monotonic() + PATIENCE, set()
    while len(stack.healthy()) < 2 or victim in {task["taskArn"] for task in tasks(stack)} or len(tasks(stack)) < 2:
        statuses.add(stack.get("/users")[0])
        assert time.monotonic() < until
        time.sleep(0.5)
    assert statuses == {200}
    story.nothing_is_to_do(stack)


def test_without_its_way_out_a_task_cannot_start_and_the_service_says_why(stack: Stack) -> None:
    ec2 = stack.aws("ec2")
    key = [{"Name": "tag:Key", "Values": ["private"]}]
    (table,) = ec2.describe_route_tables(Filters=key)["RouteTables"]
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    stack.aws("ecs").stop_task(cluster="meibo", task=tasks(stack)[0]["taskArn"])
    unable = "is unable to consistently start tasks successfully"
    wait_until(lambda: any(unable in event["message"] for event in service(stack)["events"]), unable)
    reasons = {task["stoppedReason"] for task in tasks(stack, "STOPPED")}
    assert any("CannotPullContainerError" in reason and reason.endswith("dial tcp: i/o timeout") for reason in reasons)
    assert stack.get("/users")[0] == 200  # the other task goes on
    verified = stack.play("playbooks/verify.yml")
    assert verified.status != 0
    assert "the tasks' subnets do not reach AWS's services" in verified.output
    assert stack.play("playbooks/network.yml").status == 0
    assert len(stack.wait_until_healthy(2, PATIENCE)) == 2


def test_a_new_password_is_in_no_output_and_new_tasks_have_it(stack: Stack) -> None:
    old, before = stack.password(), {task["taskArn"] for task in tasks(stack)}
    run = stack.play("playbooks/rotate_password.yml", "-vvvv")
    assert run.status == 0, run.output[-6000:]
    new = stack.password()
    assert new != old
    assert old not in run.output
    assert new not in run.output
    assert before.isdisjoint(task["taskArn"] for task in tasks(stack))
    assert {stack.get("/users")[0] for _ in range(10)} == {200}


def test_a_bastion_is_there_when_it_is_asked_for_and_reaches_the_database(stack: Stack) -> None:
    asked = ("-e", "stack_bastion=true")
    for playbook in ("playbooks/security.yml", "playbooks/bastion.yml"):
        run = stack.play(playbook, *asked)
        assert run.status == 0, run.output[-6000:]
    ec2 = stack.aws("ec2")
    running = [{"Name": "tag:Role", "Values": ["bastion"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    (reservation,) = ec2.describe_instances(Filters=running)["Reservations"]
    machine = reservation["Instances"][0]
    database = stack.aws("rds").describe_db_instances()["DBInstances"][0]["Endpoint"]["Address"]
    address = Podman(stack.lab).run(machine["InstanceId"], ["getent", "ahostsv4", database]).split()[0]
    wait_until(lambda: stack.inside(machine["InstanceId"], "nc", "-z", "-w", "2", address, "3306") == 0, "3306 from the bastion")
    for place, expected in ((OPERATOR_ADDRESS, True), ("198.51.100.10", False)):
        reached = stack.inside("internet", "nc", "-z", "-w", "2", "-s", place, machine["PublicIpAddress"], "22") == 0
        assert reached is expected, place
    for playbook in ("playbooks/security.yml", "playbooks/bastion.yml"):
        run = stack.play(playbook)
        assert run.status == 0, run.output[-6000:]
    assert ec2.describe_instances(Filters=running)["Reservations"] == []


def test_a_broken_image_is_rolled_back_and_ends_the_run(stack: Stack) -> None:
    """The application's folder with a program that ends at once."""
    broken = PROJECT / ".cache" / "broken-meibo"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(PROJECT / SOURCE, broken)
    program = broken / "main.go"
    program.write_text(program.read_text().replace("func main() {", 'func main() {\n\tprintln("broken on purpose")\n\tos.Exit(3)', 1))
    before = service(stack)["taskDefinition"]
    try:
        run = stack.play("site.yml", "-e", app(stack, source=str(broken.relative_to(PROJECT))))
    finally:
        shutil.rmtree(broken)
    assert run.status != 0
    assert "ended as rolled_back" in run.output
    assert "Essential container in task exited" in run.output
    assert "broken on purpose" in run.output
    assert service(stack)["taskDefinition"] == before
    assert {stack.get("/users")[0] for _ in range(10)} == {200}


def test_a_wrong_database_is_rolled_back_and_told_in_the_applications_words(stack: Stack) -> None:
    before = service(stack)["taskDefinition"]
    run = stack.play("playbooks/containers.yml", "-e", app(stack, environment={"DB_NAME": "nowhere"}))
    assert run.status != 0
    assert "ended as rolled_back" in run.output
    assert "Unknown database 'nowhere'" in run.output
    assert "often a wrong value of DB_*" in run.output
    assert service(stack)["taskDefinition"] == before
    assert {stack.get("/users")[0] for _ in range(10)} == {200}
    assert stack.play("playbooks/containers.yml").status == 0
    assert len(stack.wait_until_healthy(2, PATIENCE)) == 2


def test_it_is_destroyed_without_a_trace(stack: Stack) -> None:
    story.is_destroyed_without_a_trace(stack)
    assert stack.aws("ecs").list_clusters()["clusterArns"] == []
    assert stack.aws("ecr").describe_repositories()["repositories"] == []
    assert stack.aws("logs").describe_log_groups()["logGroups"] == []
    assert stack.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
