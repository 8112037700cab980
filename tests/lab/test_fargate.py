"""ECS on moto with the lab's services and an engine that keeps containers in a dictionary."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.ecr.models import ecr_backends
from moto.elbv2.models import elbv2_backends

from lab import persistence
from lab.aws import ecr
from lab.services.ecs import Services
from lab.services.task_logs import Follower, Log, events
from lab.services.tasks import Tasks, tasks
from lab.settings import ACCOUNT_ID
from tests.lab.conftest import REGION, SESSION, Cloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
}
RIGHTS = (
    "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "logs:CreateLogStream", "logs:PutLogEvents",
    "secretsmanager:GetSecretValue", "ssm:GetParameters",
)  # fmt: skip
DIGEST = "sha256:" + "ab" * 32


class Fargate:
    """A cluster, an image, an execution role, a secret and a log group in the cloud's VPC."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        cloud.services[1:1] = [Services(), Tasks(cloud.settings, cloud.engine)]
        self.ecs, self.ecr, self.iam, self.logs, self.secrets, self.ssm = (
            SESSION.create_client(name, region_name=REGION) for name in ("ecs", "ecr", "iam", "logs", "secretsmanager", "ssm")
        )
        table = cloud.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [cloud.vpc_id]}])["RouteTables"][0]
        self.table_id = table["RouteTableId"]
        cloud.ec2.create_route(RouteTableId=self.table_id, DestinationCidrBlock="0.0.0.0/0", GatewayId=cloud.gateway_id)
        self.repository = self.ecr.create_repository(repositoryName="meibo")["repository"]["repositoryUri"]
        manifest = json.dumps({"mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"digest": DIGEST, "size": 7}})
        self.ecr.put_image(repositoryName="meibo", imageManifest=manifest, imageTag="1")
        self.role_arn = self.iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        self.allow(*RIGHTS)
        self.secret_arn = self.secrets.create_secret(Name="meibo/database", SecretString='{"password": "one-two-three"}')["ARN"]
        self.logs.create_log_group(logGroupName="/meibo")
        self.ecs.create_cluster(clusterName="meibo")

    def allow(self, *actions: str, **more: Any) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_role_policy(RoleName="execution", PolicyName="rights", PolicyDocument=document)

    def revision(self, tag: str = "1", **changes: Any) -> str:
        container = {
            "name": "app", "image": f"{self.repository}:{tag}", "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": "DB_HOST", "value": "db"}],
            "secrets": [{"name": "DB_PASSWORD", "valueFrom": f"{self.secret_arn}:password::"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": "/meibo", "awslogs-region": REGION, "awslogs-stream-prefix": "meibo",
            }},
        } | changes  # fmt: skip
        made = self.ecs.register_task_definition(
            family="meibo", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            executionRoleArn=self.role_arn, containerDefinitions=[container],
        )  # fmt: skip
        return str(made["taskDefinition"]["taskDefinitionArn"])

    @property
    def network(self) -> dict[str, Any]:
        return {
            "awsvpcConfiguration": {
                "subnets": self.cloud.subnet_ids,
                "securityGroups": [self.cloud.group_id],
                "assignPublicIp": "ENABLED",
            }
        }

    def run(self, definition: str) -> str:
        arguments = {"cluster": "meibo", "taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": self.network}
        return str(self.ecs.run_task(**arguments)["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        return dict(self.ecs.describe_tasks(cluster="meibo", tasks=[arn])["tasks"][0])

    def tasks(self, desired: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="meibo", serviceName="meibo", desiredStatus=desired)["taskArns"]
        return list(self.ecs.describe_tasks(cluster="meibo", tasks=arns)["tasks"]) if arns else []

    def serve(self, definition: str, **changes: Any) -> str:
        balancer = self.cloud.load_balancer("meibo")
        target_group = self.cloud.target_group(balancer, "meibo", TargetType="ip")
        wanted = {
            "cluster": "meibo", "serviceName": "meibo", "taskDefinition": definition, "desiredCount": 2, "launchType": "FARGATE",
            "networkConfiguration": self.network,
            "loadBalancers": [{"targetGroupArn": target_group, "containerName": "app", "containerPort": 8080}],
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        } | changes  # fmt: skip
        self.ecs.create_service(**wanted)
        return target_group

    def service(self) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster="meibo", services=["meibo"])["services"][0])

    def settle(self, target_group: str, health: str = "healthy", rounds: int = 6) -> None:
        for _ in range(rounds):
            self.cloud.round()
            time.sleep(0.01)  # the pull is another thread's
            self.cloud.see(target_group, health)


@pytest.fixture
def fargate(cloud: Cloud) -> Fargate:
    return Fargate(cloud)


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


def trust(account_id: str) -> dict[str, Any]:
    """The trust policy that AWS recommends against a confused deputy (ECS Developer Guide, "Amazon ECS task execution IAM role")."""
    condition = {
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{account_id}:*"},
        "StringEquals": {"aws:SourceAccount": account_id},
    }
    return {**TRUST, "Statement": [{**TRUST["Statement"][0], "Condition": condition}]}


BREAKS = {
    "a missing image": (lambda f: None, "2", "CannotPullContainerError: .*:2: not found"),
    "no right to pull": (lambda f: f.allow(*RIGHTS[:1], *RIGHTS[3:]), "1", "CannotPullContainerError: .*not authorized.*ecr:BatchGetImage"),
    "no right to a token": (lambda f: f.allow(*RIGHTS[1:]), "1", "ResourceInitializationError: .*ecr:GetAuthorizationToken"),
    "no right to the secret": (lambda f: f.allow(*RIGHTS[:5]), "1", "ResourceInitializationError: .*from secrets manager: AccessDenied"),
    "a missing secret": (
        lambda f: f.secrets.delete_secret(SecretId="meibo/database", ForceDeleteWithoutRecovery=True),
        "1",
        "ResourceInitializationError: .*unable to retrieve secret from asm.*ResourceNotFoundException",
    ),
    "a missing log group": (
        lambda f: f.logs.delete_log_group(logGroupName="/meibo"),
        "1",
        "ResourceInitializationError: failed to validate logger args: .*The specified log group does not exist",
    ),
    "no way out": (
        lambda f: f.cloud.ec2.delete_route(RouteTableId=f.table_id, DestinationCidrBlock="0.0.0.0/0"),
        "1",
        "CannotPullContainerError: .*i/o timeout",
    ),
    "a role that ECS may not take": (
        lambda f: f.iam.update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(TRUST).replace("ecs-tasks", "ec2")),
        "1",
        "ECS was unable to assume the role",
    ),
    "a role for the tasks of another account": (
        lambda f: f.iam.update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(trust("210987654321"))),
        "1",
        "ECS was unable to assume the role",
    ),
    "rights for another region": (
        lambda f: f.allow(*RIGHTS, Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        "1",
        "ResourceInitializationError: .*because no identity-based policy allows the ecr:GetAuthorizationToken action",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_task_that_cannot_start_says_why(fargate: Fargate, name: str) -> None:
    damage, tag, pattern = BREAKS[name]
    arn = fargate.run(fargate.revision(tag))
    damage(fargate)
    fargate.cloud.round()
    task = fargate.task(arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    with pytest.raises(AssertionError, match=pattern):
        raise AssertionError(task["stoppedReason"])


def test_a_role_may_be_for_the_tasks_of_the_account_alone(fargate: Fargate) -> None:
    fargate.iam.update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(trust(ACCOUNT_ID)))
    arn = fargate.run(fargate.revision())
    fargate.cloud.round()
    assert fargate.task(arn)["lastStatus"] == "PENDING"


def test_rights_may_name_what_they_are_for(fargate: Fargate) -> None:
    fargate.allow(*RIGHTS[:5])
    reading = {"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": f"{fargate.secret_arn.rsplit('-', 1)[0]}-??????"}
    document = json.dumps({"Version": "2012-10-17", "Statement": reading})
    fargate.iam.put_role_policy(RoleName="execution", PolicyName="secrets", PolicyDocument=document)
    arn = fargate.run(fargate.revision())
    fargate.cloud.round()
    assert fargate.task(arn)["lastStatus"] == "PENDING"


def test_the_state_can_be_saved_and_read_back(fargate: Fargate, tmp_path: Path) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group)
    fargate.ecr.get_authorization_token()
    before = {task["taskArn"] for task in fargate.tasks()}
    persistence.save(tmp_path / "state")
    persistence.load(tmp_path / "state")
    assert {task["taskArn"] for task in fargate.tasks()} == before


def test_endpoints_stand_for_the_way_out(fargate: Fargate) -> None:
    arn = fargate.run(fargate.revision())
    fargate.cloud.ec2.modify_vpc_attribute(VpcId=fargate.cloud.vpc_id, EnableDnsHostnames={"Value": True})  # private DNS needs it
    fargate.cloud.ec2.delete_route(RouteTableId=fargate.table_id, DestinationCidrBlock="0.0.0.0/0")
    for service in ("ecr.api", "ecr.dkr", "secretsmanager", "logs"):
        fargate.cloud.ec2.create_vpc_endpoint(
            VpcId=fargate.cloud.vpc_id, ServiceName=f"com.amazonaws.{REGION}.{service}", VpcEndpointType="Interface"
        )
    fargate.cloud.ec2.create_vpc_endpoint(
        VpcId=fargate.cloud.vpc_id, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[fargate.table_id]
    )
    fargate.cloud.round()
    assert fargate.task(arn)["lastStatus"] == "PENDING"


def test_parameters_are_secrets_too(fargate: Fargate) -> None:
    fargate.ssm.put_parameter(Name="/meibo/word", Value="abracadabra", Type="SecureString")
    fargate.run(fargate.revision(secrets=[{"name": "WORD", "valueFrom": "/meibo/word"}]))
    for _ in range(3):
        fargate.cloud.round()
        time.sleep(0.05)
    (machine,) = fargate.cloud.services[2].machines()
    assert machine.container is not None
    assert machine.container.secrets == {"WORD": "abracadabra"}


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


def test_a_token_belongs_to_its_account_and_region(fargate: Fargate) -> None:
    first, second = (
        b64decode(fargate.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]).decode() for _ in range(2)
    )
    assert first != second
    backend, _key = ecr.backend_of(first.partition(":")[2]) or (None, "")
    assert backend is ecr_backends[ACCOUNT_ID][REGION]
    assert ecr.backend_of("wrong") is None


def test_lines_become_events_and_parts_one_line() -> None:
    lines = [
        "2026-01-01T00:00:00.5+00:00 stdout P one ",
        "2026-01-01T00:00:00.6+00:00 stdout F line",
        "2026-01-01T00:00:01+00:00 stderr F two",
    ]
    assert list(events(lines)) == [
        {"timestamp": 1767225600600, "message": "one line"},
        {"timestamp": 1767225601000, "message": "two"},
    ]


def test_a_log_group_that_is_gone_takes_nothing_more_and_holds_nobody_up(fargate: Fargate, tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.write_text("2026-01-01T00:00:00.5+00:00 stdout F lost\n")
    follower, log = Follower(), Log(REGION, "/gone", "stream")
    follower.follow(ACCOUNT_ID, "task", console, log)
    fargate.logs.create_log_group(logGroupName="/gone")
    follower.follow(ACCOUNT_ID, "other", console, log)


def test_a_line_is_sent_when_it_has_ended_or_nothing_more_comes(fargate: Fargate, tmp_path: Path) -> None:
    console, log = tmp_path / "console", Log("us-west-2", "/site", "stream")
    logs = fargate.cloud.client("logs", "us-west-2")
    logs.create_log_group(logGroupName="/site")
    logs.create_log_stream(logGroupName="/site", logStreamName="stream")
    follower, moment = Follower(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
    console.write_text(f"{moment} stdout F 10%\r20%\r100%\n{moment} stdout P name: ")
    assert follower.follow(ACCOUNT_ID, "task", console, log)
    assert not follower.follow(ACCOUNT_ID, "task", console, log)
    with console.open("a") as file:
        file.write(f"\n{moment} stdout F Ada\n{moment} stdout P bye\n")
    follower.follow(ACCOUNT_ID, "task", console, log)
    follower.follow(ACCOUNT_ID, "task", console, log, last=True)
    told = [event["message"] for event in logs.get_log_events(logGroupName="/site", logStreamName="stream")["events"]]
    assert told == ["10%\r20%\r100%", "name: Ada", "bye"]


def test_health_is_told_by_the_load_balancer(fargate: Fargate) -> None:
    target_group = fargate.serve(fargate.revision())
    fargate.settle(target_group, "unhealthy", rounds=8)
    assert elbv2_backends[ACCOUNT_ID][REGION].target_groups[target_group]
    reasons = {task["stoppedReason"] for task in fargate.tasks("STOPPED")}
    assert reasons == {f"Task failed ELB health checks in (target-group {target_group})"}


def test_a_secret_of_several_lines_is_refused_as_the_lab_hands_over_one(fargate: Fargate) -> None:
    fargate.secrets.put_secret_value(SecretId="meibo/database", SecretString='{"password": "one\\ntwo"}')
    arn = fargate.run(fargate.revision())
    for _ in range(4):
        fargate.cloud.round()
        time.sleep(0.05)
    assert "secrets of one line; DB_PASSWORD has more" in fargate.task(arn)["stoppedReason"]


@pytest.mark.parametrize("key", ["environment", "secrets"])
def test_a_variables_name_that_is_none_is_refused(fargate: Fargate, key: str, refused: Any) -> None:
    entry = {"name": "LD PRELOAD=", "value": "x"} if key == "environment" else {"name": "A\nB", "valueFrom": fargate.secret_arn}
    assert refused(fargate.revision, **{key: [entry]}) == "ClientException"
