"""Tasks of ECS on Fargate: where they run, with what, and how they end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from lab import persistence

from .fargate import Fargate


def test_a_task_runs_at_its_own_address_with_its_limits_and_secrets(fargate: Fargate) -> None:
    arn = fargate.run(fargate.revision())
    assert fargate.task(arn)["lastStatus"] == "PROVISIONING"
    service = fargate.cloud.services[2]
    for _ in range(4):
        fargate.cloud.round()
        time.sleep(0.05)
    (machine,) = service.machines()
    assert fargate.task(arn)["lastStatus"] == "RUNNING"
    assert machine.container is not None
    assert (machine.container.cpus, machine.container.memory_mib) == (0.25, 512)
    assert (machine.container.environment, machine.container.secrets) == ({"DB_HOST": "db"}, {"DB_PASSWORD": "one-two-three"})
    assert "one-two-three" not in repr(machine)
    details = {detail["name"]: detail["value"] for detail in fargate.task(arn)["attachments"][0]["details"]}
    assert machine.addresses == (details["privateIPv4Address"],)
    assert details["privateIPv4Address"].startswith("10.0.0.")


def test_a_container_that_ends_ends_its_task_with_its_code(fargate: Fargate) -> None:
    arn = fargate.run(fargate.revision())
    for _ in range(4):
        fargate.cloud.round()
        time.sleep(0.05)
    fargate.cloud.engine.end(arn.rsplit("/", 1)[1], 3)
    fargate.cloud.round()
    task = fargate.task(arn)
    assert (task["lastStatus"], task["stoppedReason"], task["containers"][0]["exitCode"]) == (
        "STOPPED",
        "Essential container in task exited",
        3,
    )
    fargate.cloud.round()
    assert fargate.cloud.engine.standing == {}
    assert fargate.cloud.interfaces("arn:aws:ecs") == []


def test_the_state_can_be_saved_and_read_back(fargate: Fargate, tmp_path: Path) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group)
    fargate.ecr.get_authorization_token()
    before = {task["taskArn"] for task in fargate.tasks()}
    persistence.save(tmp_path / "state")
    persistence.load(tmp_path / "state")
    assert {task["taskArn"] for task in fargate.tasks()} == before


def test_parameters_are_secrets_too(fargate: Fargate) -> None:
    fargate.ssm.put_parameter(Name="/meibo/word", Value="abracadabra", Type="SecureString")
    fargate.run(fargate.revision(secrets=[{"name": "WORD", "valueFrom": "/meibo/word"}]))
    for _ in range(3):
        fargate.cloud.round()
        time.sleep(0.05)
    (machine,) = fargate.cloud.services[2].machines()
    assert machine.container is not None
    assert machine.container.secrets == {"WORD": "abracadabra"}


@pytest.mark.parametrize("key", ["environment", "secrets"])
def test_a_variables_name_that_is_none_is_refused(fargate: Fargate, key: str, refused: Any) -> None:
    entry = {"name": "LD PRELOAD=", "value": "x"} if key == "environment" else {"name": "A\nB", "valueFrom": fargate.secret_arn}
    assert refused(fargate.revision, **{key: [entry]}) == "ClientException"
