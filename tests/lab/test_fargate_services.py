"""Services of ECS on Fargate: their tasks behind a load balancer, their deployments, their end."""

from __future__ import annotations

from typing import Any

import pytest
from moto.elbv2.models import elbv2_backends

from lab.services.tasks import tasks
from lab.settings import ACCOUNT_ID

from .conftest import REGION
from .fargate import Fargate


def test_a_service_spreads_its_tasks_and_completes_when_they_are_healthy(fargate: Fargate) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group)
    (deployment,) = fargate.service()["deployments"]
    assert (deployment["rolloutState"], deployment["runningCount"]) == ("COMPLETED", 2)
    assert {task["availabilityZone"] for task in fargate.tasks()} == {f"{REGION}a", f"{REGION}c"}
    assert fargate.cloud.target_health(target_group).keys() == {
        detail["value"] for task in fargate.tasks() for detail in task["attachments"][0]["details"] if "IPv4" in detail["name"]
    }
    messages = [event["message"] for event in fargate.service()["events"]]
    assert messages[0] == "(service meibo) has reached a steady state."
    assert any("has started 2 tasks" in message for message in messages)
    assert any("registered 1 targets in (target-group arn:aws:" in message for message in messages)


def test_a_stopped_task_drains_ends_and_is_replaced(fargate: Fargate) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group)
    victim = fargate.tasks()[0]["taskArn"]
    fargate.ecs.stop_task(cluster="meibo", task=victim)
    fargate.cloud.round()
    assert fargate.task(victim)["lastStatus"] in ("DEACTIVATING", "STOPPING")
    fargate.settle(target_group)
    assert fargate.task(victim)["stoppedReason"] == "Task stopped by user"
    assert len(fargate.tasks()) == 2
    assert fargate.service()["deployments"][0]["failedTasks"] == 0


def test_a_broken_revision_is_rolled_back(fargate: Fargate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.services.deployments.LONGEST_PAUSE", 0.0)
    good, broken = fargate.revision(), fargate.revision("missing")
    target_group = fargate.serve(good)
    fargate.settle(target_group)
    fargate.ecs.update_service(cluster="meibo", service="meibo", taskDefinition=broken)
    fargate.settle(target_group, rounds=10)
    service = fargate.service()
    assert service["taskDefinition"] == good
    assert [found["rolloutState"] for found in service["deployments"]] == ["COMPLETED"]
    messages = "\n".join(event["message"] for event in service["events"])
    assert "deployment failed: tasks failed to start." in messages
    assert "rolling back to (deployment ecs-svc/" in messages
    assert len(fargate.tasks()) == 2


def test_health_is_told_by_the_load_balancer(fargate: Fargate) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group, "unhealthy", rounds=8)
    assert elbv2_backends[ACCOUNT_ID][REGION].target_groups[target_group]
    reasons = {task["stoppedReason"] for task in fargate.tasks("STOPPED")}
    assert reasons == {f"Task failed ELB health checks in (target-group {target_group})"}


def test_a_cluster_goes_when_its_services_are_gone(fargate: Fargate, refused: Any) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group)
    assert refused(fargate.ecs.delete_cluster, cluster="meibo") == "ClusterContainsServicesException"
    fargate.ecs.delete_service(cluster="meibo", service="meibo", force=True)
    assert fargate.service()["status"] == "DRAINING"
    fargate.settle(target_group)
    assert fargate.service()["status"] == "INACTIVE"
    fargate.ecs.delete_cluster(cluster="meibo")
    assert fargate.ecs.list_clusters()["clusterArns"] == []
    assert list(tasks()) == []


def test_what_aws_refuses_is_refused(fargate: Fargate, refused: Any) -> None:
    definition = fargate.revision()
    instances = fargate.cloud.target_group(fargate.cloud.load_balancer("web"), "web")
    with pytest.raises(Exception, match="incompatible with the awsvpc network mode"):
        fargate.serve(definition, loadBalancers=[{"targetGroupArn": instances, "containerName": "app", "containerPort": 8080}])
    with pytest.raises(Exception, match="No Fargate configuration exists for given values"):
        fargate.ecs.register_task_definition(
            family="x", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="4096",
            containerDefinitions=[{"name": "app", "image": "x"}],
        )  # fmt: skip
