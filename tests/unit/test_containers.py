"""A stack of containers: what is wanted, what is read back, and where a rollout stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible.module_utils.stack.read import SERVICES, read
from ansible.module_utils.stack.recipe import recipe
from ansible.module_utils.stack.rollout import rollout
from ansible.module_utils.stack.shape import shape
from ansible.module_utils.stack.task_errors import ended, remedies, told
from ansible.module_utils.stack.validate import validate
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from moto import mock_aws

from plugins.filter.ecs import ecs_definition_described, ecs_service_described

from .wanted import ROOT, changed, wanted

REGION = "ap-northeast-1"
WRONG = [
    ("ecs_cpu", 300, "ecs_cpu is 300: no size that Fargate has. Choose one of 256, 512, 1024, 2048, 4096"),
    ("ecs_memory", 4096, "ecs_memory is 4096: Fargate does not have it with ecs_cpu 256. Choose 512, 1024, 2048"),
    ("ecs_min_tasks", 5, "ecs_min_tasks is 5: above ecs_max_tasks 4. Lower it or raise ecs_max_tasks"),
    ("ecs_desired_tasks", 1, "ecs_desired_tasks is 1: not between ecs_min_tasks 2 and ecs_max_tasks 4. Choose one between them"),
    ("ecs_port", 0, "ecs_port is 0: no port. Choose 1 to 65535"),
    ("ecs_cpu_target", 170, "ecs_cpu_target is 170: out of range. Choose 1 to 100 percent"),
    ("ecs_log_retention_days", 31, "ecs_log_retention_days is 31: no retention of CloudWatch Logs. "
     "Choose one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653 days"),
    ("ecs_cluster_name", "roster", "ecs_cluster_name is 'roster': not the stack's name, by which it is found again. Use meibo"),
    ("ecr_name", "roster", "ecr_name is 'roster': the stack's name is not its first part. Use meibo or meibo/ and a name"),
    ("ecr_name", "meibo/App", "ecr_name is 'meibo/App': not a name that AWS takes. "
     "Use lower-case letters and digits, with single . _ - or / between them"),
    ("ecr_name", None, "ecr_name is not set. Set it in the inventory, in group_vars/stack/"),
    ("alb_target_groups.web.target_type", "instance",
     "alb_target_groups.web.target_type is 'instance': tasks have no instance. Use ip"),
    ("vpc_route_tables.private.nat_gateway", None, "stack_task_tier is 'private': no task in its subnet private_1 could pull its image, "
     "for want of a way to AWS's services. Give its route table a nat_gateway, or describe vpc_endpoints_map for ecr.api, ecr.dkr, s3, "
     "logs, secretsmanager"),
    ("security_groups_map.task.ingress", [], "security_groups_map.task.ingress does not let load_balancer in on port 8080, "
     "so nothing would be served. Add a rule with port: 8080 and group: load_balancer"),
    ("security_groups_map.database.ingress.0.port", 5432, "security_groups_map.database.ingress does not let task in on port 3306, "
     "so nothing would be served. Add a rule with port: 3306 and group: task"),
    ("stack_task_group", "web", "stack_task_group is 'web': no such group in security_groups_map. "
     "Choose one of database, load_balancer, task"),
    ("stack_task_tier", "hidden", "stack_task_tier is 'hidden': no subnet in vpc_subnets is of this tier. Choose one of private, public"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[f"{path}={value}"[:60] for path, value, _ in WRONG])
def test_a_wrong_value_is_told(path: str, value: Any, message: str) -> None:
    stack = changed(path, value, "meibo") if path in wanted("meibo") or "." in path else {**wanted("meibo"), path: value}
    assert message in validate(stack)


def test_the_reference_stack_is_right() -> None:
    assert validate(wanted("meibo")) == []


def test_tasks_may_use_endpoints_or_public_addresses_in_place_of_a_nat_gateway() -> None:
    without = changed("vpc_route_tables.private.nat_gateway", None, "meibo") | {"vpc_nat_gateways": {}}
    public = without | {"stack_task_tier": "public", "ecs_assign_public_ip": True}
    assert validate(public) == []
    services = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
    endpoints = {name: {"service": name} for name in services} | {"s3": {"service": "s3", "type": "gateway"}}
    told = "\n".join(validate(without | {"vpc_endpoints_map": endpoints}))
    assert "stack_task_tier" not in told


def test_a_stack_of_machines_needs_no_containers() -> None:
    assert validate(wanted()) == []


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield {service: boto3.client(service, region_name=REGION) for service in SERVICES}


def test_only_what_is_the_stacks_is_read(clients: dict[str, Any]) -> None:
    ecs, ecr = clients["ecs"], clients["ecr"]
    for name in ("meibo", "meibo-dev"):
        ecr.create_repository(repositoryName=name)
        manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"digest": name}}
        ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag=f"{name}-1")
        ecs.create_cluster(clusterName=name, tags=[{"key": "Stack", "value": name}])
        ecs.register_task_definition(family=name, containerDefinitions=[{"name": "app", "image": "x", "memory": 128}])
        ecs.create_service(cluster=name, serviceName=name, taskDefinition=name, desiredCount=2)
        clients["logs"].create_log_group(logGroupName=f"/{name}/{name}")
        clients["application-autoscaling"].register_scalable_target(
            ServiceNamespace="ecs", ResourceId=f"service/{name}/{name}", ScalableDimension="ecs:service:DesiredCount", MinCapacity=2,
            MaxCapacity=4,
        )  # fmt: skip
    facts = shape(read(clients, "meibo"))
    assert facts["repository"]["image_tags"] == ["meibo-1"]
    assert (facts["service"]["cluster"], facts["service"]["name"], facts["service"]["desired"]) == ("meibo", "meibo", 2)
    assert {kind: names for kind, names in facts["resources"].items() if kind != "task_definitions"} == {
        "repositories": ["meibo"],
        "clusters": ["meibo"],
        "ecs_services": ["meibo/meibo"],
        "log_groups": ["/meibo/meibo"],
        "scalable_targets": ["service/meibo/meibo"],
    }
    assert facts["resources"]["task_definitions"][0].endswith("task-definition/meibo:1")


def service(*deployments: tuple[str, str, str, int], status: str = "ACTIVE") -> dict[str, Any]:
    names = ("status", "taskDefinition", "rolloutState", "runningCount")
    return {
        "status": status,
        "desiredCount": 2,
        "deployments": [dict(zip(names, deployment, strict=True)) for deployment in deployments],
        "events": [{"message": f"event {number}"} for number in range(20)],
    }


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (service(("PRIMARY", "new", "COMPLETED", 2)), "completed"),
        (service(("PRIMARY", "new", "COMPLETED", 1)), "in_progress"),
        (service(("PRIMARY", "new", "IN_PROGRESS", 2)), "in_progress"),
        (service(("PRIMARY", "new", "COMPLETED", 2), ("ACTIVE", "old", "COMPLETED", 1)), "in_progress"),
        (service(("PRIMARY", "new", "FAILED", 0)), "failed"),
        (service(("PRIMARY", "old", "IN_PROGRESS", 2), ("ACTIVE", "new", "FAILED", 1)), "rolled_back"),
        (service(("PRIMARY", "old", "COMPLETED", 2)), "rolled_back"),
        (service(status="INACTIVE"), "failed"),
    ],
)
def test_where_a_rollout_stands(found: dict[str, Any], state: str) -> None:
    assert rollout(found, "new", [])["state"] == state


def test_a_rollout_of_the_same_revision_is_known_by_its_deployment() -> None:
    found = service(("PRIMARY", "same", "COMPLETED", 2))
    found["deployments"][0]["id"] = "ecs-svc/2"
    assert rollout(found, "same", [], "ecs-svc/2")["state"] == "completed"
    assert rollout(found, "same", [], "ecs-svc/1")["state"] == "rolled_back"


def test_a_rollout_tells_its_own_tasks_reasons_once() -> None:
    stopped = [{"taskDefinitionArn": name, "stoppedReason": reason} for name, reason in (("new", "a"), ("new", "a"), ("old", "b"))]
    told = rollout(service(("PRIMARY", "old", "COMPLETED", 2)), "new", stopped)
    assert told["stopped_reasons"] == ["a"]
    assert told["events"][0] == "event 0"
    assert len(told["events"]) == 10


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('CannotPullContainerError: ... Head "https://x/v2/meibo/manifests": dial tcp: i/o timeout', "the tasks' subnets do not reach AWS"),
        (
            "ResourceInitializationError: ... secret from asm: RequestCanceled: request context canceled",
            "the tasks' subnets do not reach AWS",
        ),
        ("CannotPullContainerError: ... x/meibo:1: not found", "the image is not in the repository"),
        ("CannotPullContainerError: ... is not authorized to perform: ecr:BatchGetImage on resource: x", "the execution role may not pull"),
        ("... is not authorized to perform: secretsmanager:GetSecretValue on resource: x", "the execution role may not read the secret"),
        ("... ResourceNotFoundException: The specified log group does not exist. : exit status 1", "the log group is not there"),
        (
            "(service meibo) (port 8080) is unhealthy in (target-group x) due to (reason Request timed out).",
            "the load balancer gets no answer",
        ),
        (
            "is unhealthy in (target-group x) due to (reason Health checks failed with these codes: [404]).",
            "the application answers its health",
        ),
        ("is unhealthy in (target-group x) due to (reason Health checks failed).", "nothing answers on the tasks' port"),
        ("Essential container in task exited", "the application ended by itself. Its log says why: often a wrong value of DB_*"),
    ],
)
def test_each_failure_has_its_remedy(text: str, remedy: str) -> None:
    (found,) = remedies([text, text])
    assert found.startswith(remedy)


def test_what_is_known_of_a_failure_is_told_in_one_text() -> None:
    text = told(["Essential container in task exited"], ["(service meibo) has started 1 tasks."], ["Access denied for user 'meibo'"])
    assert text.startswith("Why tasks stopped: Essential container in task exited. The last lines of one: Access denied for user 'meibo'. ")
    assert "What to do: the application ended by itself." in text
    assert told([], [], []) == "Why tasks stopped: no reason was given. What to do: correct the cause and run again."


def test_the_log_of_the_revisions_own_last_task_tells_most() -> None:
    def task(name: str, revision: str, code: str, moment: int) -> dict[str, Any]:
        return {"taskArn": name, "taskDefinitionArn": revision, "stopCode": code, "stoppedAt": moment}

    by_itself = "EssentialContainerExited"
    tasks = [
        task("a", "new", by_itself, 1),
        task("b", "new", by_itself, 2),
        task("c", "new", "UserInitiated", 3),
        task("d", "old", by_itself, 4),
    ]
    assert (ended(tasks, "new") or {})["taskArn"] == "b"
    assert ended([], "new") is None


def test_definitions_and_services_are_described_in_the_roles_words() -> None:
    container = {
        "name": "meibo", "image": "x:1", "port_mappings": [{"container_port": 8080}], "environment": [{"name": "A", "value": "1"}],
        "secrets": [{"name": "B", "value_from": "arn"}], "log_configuration": {"options": {"awslogs-group": "/x/x"}},
    }  # fmt: skip
    definition = {"status": "ACTIVE", "container_definitions": [container], "cpu": "256", "memory": "512"}
    described = ecs_definition_described(definition)
    assert (described["port"], described["environment"], described["secrets"]) == (8080, {"A": "1"}, {"B": "arn"})
    assert ecs_definition_described({**definition, "status": "INACTIVE"}) == {}
    assert ecs_definition_described({}) == {}
    assert ecs_service_described([{"status": "DRAINING"}]) == {}
    assert ecs_service_described([]) == {}


def test_the_tag_of_an_image_changes_with_its_folder_its_build_and_its_platform() -> None:
    role, loader = ROOT / "roles/container_image", DataLoader()
    known: dict[str, Any] = {}
    for part in ("defaults", "vars"):
        known |= loader.load_from_file(str(role / part / "main.yml"), trusted_as_template=True)
    (hashing, *_) = loader.load_from_file(str(role / "tasks/main.yml"), trusted_as_template=True)

    def tag(**given: Any) -> str:
        variables = known | {"container_image_source": str(ROOT / "examples/apps/meibo")} | given
        told = Templar(loader, variables=variables).template(hashing["image_recipe"])
        return recipe([Path(folder) for folder in told["roles"]], told.get("ingredients", {}))

    given: list[dict[str, Any]] = [
        {},
        {"container_image_build_args": {"BASE": "127.0.0.1:4600/debian"}},
        {"container_image_build_args": {"BASE": "public.ecr.aws/debian"}},
        {"container_image_platform": "linux/arm64"},
        {"container_image_source": str(ROOT / "examples/apps/uda")},
    ]
    assert len({tag(**one) for one in given}) == len(given)
    assert tag(container_image_repository="one", container_image_found_tags=["a"]) == tag()
