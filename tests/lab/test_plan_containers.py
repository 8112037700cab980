"""The plan of containers: what the roles want of the reference stack, what AWS tells, and each attribute changed by hand."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible.module_utils.plan import containers
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.families import WANTS
from ansible.module_utils.plan.model import Change, Resource
from ansible.module_utils.stack import read_containers
from ansible.module_utils.stack.read import SERVICES, read
from ansible.module_utils.stack.shape import shape
from botocore.exceptions import ClientError
from moto import mock_aws

from lab import aws
from plugins.filter.ecs import ecs_definition_described
from tests.unit.called import called
from tests.unit.wanted import wanted

REGION = "ap-northeast-1"
KINDS = {kind.name: kind for kind in containers.KINDS}
ROLES = ("ecr", "container_image", "ecs")
DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/meibo/meibo"}
WANTED = wanted("meibo") | {"ecs_log_group": "/meibo/meibo"}
Clients = Mapping[str, Any]


def want(facts: Mapping[str, Any]) -> list[Resource]:
    """What the roles want."""
    return [item for role, arguments in called("meibo", facts, ROLES) for item in WANTS[role](arguments)]


class Stack:
    """The part of the reference stack that these roles make, made with the fields that they want."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self._surroundings()
        self.wanted = {item.kind: item for item in self.want()}
        self.release = self.wanted["container_image"].key
        self._repository()
        self.wanted = {item.kind: item for item in self.want()}  # with what is there now
        self._service()

    def want(self) -> list[Resource]:
        return want(shape(read(self.clients, "meibo")))

    def arguments(self) -> dict[str, Any]:
        """The arguments of the role `ecs`."""
        return next(arguments for role, arguments in called("meibo", shape(read(self.clients, "meibo")), ROLES) if role == "ecs")

    def described(self) -> dict[str, Any]:
        """The newest revision as the role sees it."""
        told = self.clients["ecs"].describe_task_definition(taskDefinition="meibo")["taskDefinition"]
        return ecs_definition_described(camel_dict_to_snake_dict(told))

    def plan(self) -> list[Change]:
        found = dict(read(self.clients, "meibo"))
        found |= {name: call() for name, call in containers.details(self.clients, found, WANTED).items()}
        told = json.loads(json.dumps(found, default=str))
        return compare(self.wanted.values(), list(containers.found_containers(told)), KINDS)

    def told(self) -> set[tuple[str, str, str]]:
        """(action, kind, field) of all that would change."""
        told = set()
        for change in self.plan():
            fields = [one.field for one in change.differences] if change.action in ("update", "replace") else [""]
            told |= {(change.action, change.resource.kind, field) for field in fields}
        return told

    def _surroundings(self) -> None:
        ec2, elbv2 = self.clients["ec2"], self.clients["elbv2"]

        def tags(kind: str, role: str, key: str) -> list[dict[str, Any]]:
            pairs = {"Stack": "meibo", "Role": role, "Key": key, "Name": key}
            return [{"ResourceType": kind, "Tags": [{"Key": name, "Value": value} for name, value in pairs.items()]}]

        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", "network", "vpc"))["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{10 + number}.0/24", AvailabilityZone=REGION + zone,
                TagSpecifications=tags("subnet", "private", f"private_{number + 1}"),
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ac")
        ]  # fmt: skip
        self.group, self.other_group = (
            ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc, TagSpecifications=specification)["GroupId"]
            for name, specification in (("task", tags("security-group", "task", "task")), ("other", []))
        )
        marks = [{"Key": "Stack", "Value": "meibo"}, {"Key": "Key", "Value": "web"}]
        group = {"Protocol": "HTTP", "Port": 8080, "VpcId": self.vpc, "TargetType": "ip"}
        self.target_group = elbv2.create_target_group(Name="meibo", Tags=marks, **group)["TargetGroups"][0]["TargetGroupArn"]
        self.other_target_group = elbv2.create_target_group(Name="other", **group)["TargetGroups"][0]["TargetGroupArn"]
        balancer = elbv2.create_load_balancer(Name="meibo-alb", Subnets=self.subnets, Scheme="internal", Tags=marks[:1])["LoadBalancers"][
            0
        ]["LoadBalancerArn"]
        for port, arn in ((80, self.target_group), (81, self.other_target_group)):
            forward = [{"Type": "forward", "TargetGroupArn": arn}]
            elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward)

    def _repository(self) -> None:
        ecr, fields = self.clients["ecr"], self.wanted["repository"].fields
        made = ecr.create_repository(
            repositoryName="meibo", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True},
            tags=[{"Key": key, "Value": value} for key, value in fields["tags"].items()],
        )  # fmt: skip
        self.repository_arn = made["repository"]["repositoryArn"]
        ecr.put_lifecycle_policy(repositoryName="meibo", lifecyclePolicyText=json.dumps(fields["lifecycle"]))
        for tag in ("earlier", self.release):
            self.push(tag)

    def push(self, tag: str) -> None:
        manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {"digest": tag}}
        self.clients["ecr"].put_image(repositoryName="meibo", imageManifest=json.dumps(manifest), imageTag=tag)

    def _service(self) -> None:
        ecs, scaling = self.clients["ecs"], self.clients["application-autoscaling"]
        self.marks = [{"key": key, "value": value} for key, value in self.wanted["cluster"].fields["tags"].items()]
        self.logs, log = self.clients["logs"], self.wanted["task_log_group"]
        self.logs.create_log_group(logGroupName=log.key, tags=log.fields["tags"])
        self.logs.put_retention_policy(logGroupName=log.key, retentionInDays=30)
        self.cluster_arn = ecs.create_cluster(clusterName="meibo", tags=self.marks)["cluster"]["clusterArn"]
        self.revision_arn = self.register()
        fields = self.wanted["ecs_service"].fields
        self.network = {"subnets": fields["subnets"], "securityGroups": fields["security_groups"], "assignPublicIp": "DISABLED"}
        self.rollout = {
            "minimumHealthyPercent": 100, "maximumPercent": 200, "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        }  # fmt: skip
        self.targets = [{"targetGroupArn": self.target_group, "containerName": "meibo", "containerPort": 8080}]
        self.service_arn = ecs.create_service(
            cluster="meibo", serviceName="meibo", taskDefinition=self.revision_arn, desiredCount=3, launchType="FARGATE",
            schedulingStrategy="REPLICA", networkConfiguration={"awsvpcConfiguration": self.network}, loadBalancers=self.targets,
            deploymentConfiguration=self.rollout, healthCheckGracePeriodSeconds=60, propagateTags="SERVICE", tags=self.marks,
        )["service"]["serviceArn"]  # fmt: skip
        scaling.register_scalable_target(**DIMENSION, MinCapacity=2, MaxCapacity=4)
        self.follow()

    def register(self, container: Mapping[str, Any] | None = None, **definition: Any) -> str:
        """A revision as the role registers it, with other settings of its container or of itself."""
        fields = self.wanted["task_definition"].fields
        log = {key: value for key, value in fields["log"].items() if key != "driver"}
        settings = {
            "name": "meibo", "image": fields["image"], "essential": True, "readonlyRootFilesystem": True,
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
            "environment": [{"name": key, "value": value} for key, value in fields["environment"].items()],
            "secrets": [{"name": key, "valueFrom": value} for key, value in fields["secrets"].items()],
            "logConfiguration": {"logDriver": "awslogs", "options": log},
        } | dict(container or {})  # fmt: skip
        given = {
            "family": "meibo", "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "executionRoleArn": fields["execution_role"], "taskRoleArn": fields["task_role"], "runtimePlatform": fields["platform"],
            "tags": [{"key": key, "value": value} for key, value in fields["tags"].items()],
        } | definition  # fmt: skip
        told = self.clients["ecs"].register_task_definition(containerDefinitions=[settings], **given)
        return str(told["taskDefinition"]["taskDefinitionArn"])

    def deregister(self) -> None:
        for item in read_containers.task_definitions(self.clients["ecs"], "meibo"):
            self.clients["ecs"].deregister_task_definition(taskDefinition=item["taskDefinitionArn"])

    def follow(self, name: str = "meibo-cpu", metric: str = "ECSServiceAverageCPUUtilization", **settings: Any) -> None:
        values = {"TargetValue": 70.0, "ScaleOutCooldown": 60, "ScaleInCooldown": 300} | settings
        self.clients["application-autoscaling"].put_scaling_policy(
            **DIMENSION, PolicyName=name, PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"PredefinedMetricSpecification": {"PredefinedMetricType": metric}, **values},
        )  # fmt: skip

    def mend(self) -> None:
        """What the roles do about it, whatever it was."""
        ecr, ecs, scaling = (self.clients[name] for name in ("ecr", "ecs", "application-autoscaling"))
        tags = self.wanted["repository"].fields["tags"]
        ecr.put_image_tag_mutability(repositoryName="meibo", imageTagMutability="IMMUTABLE")
        ecr.put_image_scanning_configuration(repositoryName="meibo", imageScanningConfiguration={"scanOnPush": True})
        ecr.put_lifecycle_policy(repositoryName="meibo", lifecyclePolicyText=json.dumps(self.wanted["repository"].fields["lifecycle"]))
        ecr.tag_resource(resourceArn=self.repository_arn, tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        if self.release not in read_containers.repositories(ecr, "meibo")[0]["imageTags"]:
            self.push(self.release)
        self.revision_arn = self.register()
        for arn in (self.cluster_arn, self.service_arn):
            ecs.untag_resource(resourceArn=arn, tagKeys=["Somebody"])
            ecs.tag_resource(resourceArn=arn, tags=self.marks)
        self.update(
            taskDefinition=self.revision_arn, deploymentConfiguration=self.rollout, loadBalancers=self.targets,
            healthCheckGracePeriodSeconds=60, networkConfiguration={"awsvpcConfiguration": self.network},
        )  # fmt: skip
        scaling.register_scalable_target(**DIMENSION, MinCapacity=2, MaxCapacity=4)
        self.follow()
        self.logs.tag_log_group(logGroupName="/meibo/meibo", tags=self.wanted["task_log_group"].fields["tags"])
        self.logs.put_retention_policy(logGroupName="/meibo/meibo", retentionInDays=30)

    def update(self, **settings: Any) -> None:
        self.clients["ecs"].update_service(cluster="meibo", service="meibo", **settings)

    def place(self, **settings: Any) -> None:
        self.update(networkConfiguration={"awsvpcConfiguration": self.network | settings})

    def tag(self, arn: str, key: str = "Somebody", value: str = "else") -> None:
        self.clients["ecs"].tag_resource(resourceArn=arn, tags=[{"key": key, "value": value}])


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    aws.install()
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
            environment.delenv(name, raising=False)
        yield {service: boto3.client(service, region_name=REGION) for service in SERVICES}


@pytest.fixture(scope="module")
def stack(clients: Clients) -> Stack:
    return Stack(clients)


Mutation = tuple[str, Callable[[Stack], Any], set[tuple[str, str, str]]]


def new_revision(name: str, register: Callable[[Stack], Any], *fields: str) -> Mutation:
    """A revision by somebody else: the role registers its own again, and rolls it out."""
    told = {("update", "task_definition", field) for field in fields} | {("update", "ecs_service", "task_definition")}
    return f"task_definition {name}", register, told


def change(kind: str, field: str, mutate: Callable[[Stack], Any], note: str = "") -> Mutation:
    return f"{kind} {field} {note}", mutate, {("update", kind, field)}


def ecr(stack: Stack) -> Any:
    return stack.clients["ecr"]


def scaling(stack: Stack) -> Any:
    return stack.clients["application-autoscaling"]


OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}
SHORT = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                    "action": {"type": "expire"}}]}  # fmt: skip
MUTATIONS: list[Mutation] = [
    change("repository", "immutable_tags", lambda s: ecr(s).put_image_tag_mutability(repositoryName="meibo", imageTagMutability="MUTABLE")),
    change("repository", "scan_on_push", lambda s: ecr(s).put_image_scanning_configuration(
        repositoryName="meibo", imageScanningConfiguration={"scanOnPush": False})),
    change("repository", "lifecycle", lambda s: ecr(s).put_lifecycle_policy(
        repositoryName="meibo", lifecyclePolicyText=json.dumps(SHORT)), "other"),
    change("repository", "lifecycle", lambda s: ecr(s).delete_lifecycle_policy(repositoryName="meibo"), "gone"),
    change("repository", "tags", lambda s: ecr(s).tag_resource(resourceArn=s.repository_arn, tags=[{"Key": "Role", "Value": "x"}])),
    change("repository", "tags", lambda s: ecr(s).untag_resource(resourceArn=s.repository_arn, tagKeys=["Stack"]), "gone"),
    ("repository_policy", lambda s: ecr(s).set_repository_policy(repositoryName="meibo", policyText=json.dumps(OPEN)),
     {("foreign", "repository_policy", "")}),
    ("container_image gone", lambda s: ecr(s).batch_delete_image(repositoryName="meibo", imageIds=[{"imageTag": s.release}]),
     {("create", "container_image", "")}),
    ("container_image of somebody else", lambda s: s.push("v9"), set()),
    change("task_log_group", "retention", lambda s: s.logs.put_retention_policy(logGroupName="/meibo/meibo", retentionInDays=1)),
    change("task_log_group", "retention", lambda s: s.logs.delete_retention_policy(logGroupName="/meibo/meibo"), "gone"),
    change("task_log_group", "tags", lambda s: s.logs.tag_log_group(logGroupName="/meibo/meibo", tags={"Role": "x"})),
    change("cluster", "tags", lambda s: s.tag(s.cluster_arn)),
    change("task_definition", "tags", lambda s: s.tag(s.revision_arn, "Role", "x")),
    new_revision("image", lambda s: s.register({"image": "x:1"}), "image"),
    new_revision("port", lambda s: s.register({"portMappings": [{"containerPort": 80, "protocol": "tcp"}]}), "port"),
    new_revision("protocol", lambda s: s.register({"portMappings": [{"containerPort": 8080, "protocol": "udp"}]}), "protocol"),
    new_revision("ports", lambda s: s.register({"portMappings": [{"containerPort": 8080}, {"containerPort": 22}]}), "further"),
    new_revision("environment", lambda s: s.register({"environment": []}), "environment"),
    new_revision("secrets", lambda s: s.register({"secrets": [{"name": "DB_PASSWORD", "valueFrom": "x"}]}), "secrets"),
    new_revision("name", lambda s: s.register({"name": "other"}), "container"),
    new_revision("writable", lambda s: s.register({"readonlyRootFilesystem": False}), "read_only"),
    new_revision("essential", lambda s: s.register({"essential": False}), "essential"),
    new_revision("log", lambda s: s.register({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/x"}}}), "log"),
    new_revision("command", lambda s: s.register({"command": ["sh"]}), "further"),
    new_revision("user", lambda s: s.register({"user": "root"}), "further"),
    new_revision("size", lambda s: s.register(cpu="512", memory="1024"), "cpu", "memory"),
    new_revision("execution role", lambda s: s.register(executionRoleArn="arn:aws:iam::123456789012:role/x"), "execution_role"),
    new_revision("task role", lambda s: s.register(taskRoleArn="arn:aws:iam::123456789012:role/x"), "task_role"),
    new_revision("for machines", lambda s: s.register(
        networkMode="bridge", requiresCompatibilities=["EC2"]), "network_mode", "compatibilities"),
    new_revision("platform", lambda s: s.register(
        runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}), "platform"),
    new_revision("volumes", lambda s: s.register(volumes=[{"name": "x"}]), "further"),
    new_revision("the same again", lambda s: s.register()),
    ("task_definition gone", lambda s: s.deregister(),
     {("create", "task_definition", ""), ("update", "ecs_service", "task_definition")}),
    change("ecs_service", "subnets", lambda s: s.place(subnets=s.subnets[:1])),
    change("ecs_service", "security_groups", lambda s: s.place(securityGroups=[s.other_group])),
    change("ecs_service", "public_addresses", lambda s: s.place(assignPublicIp="ENABLED")),
    change("ecs_service", "targets", lambda s: s.update(loadBalancers=[s.targets[0] | {"targetGroupArn": s.other_target_group}])),
    change("ecs_service", "targets", lambda s: s.update(
        loadBalancers=[*s.targets, s.targets[0] | {"targetGroupArn": s.other_target_group}]), "more"),
    change("ecs_service", "min_healthy_percent", lambda s: s.update(deploymentConfiguration=s.rollout | {"minimumHealthyPercent": 50})),
    change("ecs_service", "max_percent", lambda s: s.update(deploymentConfiguration=s.rollout | {"maximumPercent": 150})),
    change("ecs_service", "circuit_breaker", lambda s: s.update(
        deploymentConfiguration=s.rollout | {"deploymentCircuitBreaker": {"enable": True, "rollback": False}})),
    change("ecs_service", "health_check_grace_period", lambda s: s.update(healthCheckGracePeriodSeconds=5)),
    change("ecs_service", "tags", lambda s: s.tag(s.service_arn)),
    change("ecs_service", "tags", lambda s: s.tag(s.service_arn, "Stack", "other"), "other"),
    ("ecs_service desired count, which is the scaling's", lambda s: s.update(desiredCount=4), set()),
    change("ecs_scaling", "min_tasks", lambda s: scaling(s).register_scalable_target(**DIMENSION, MinCapacity=1, MaxCapacity=4)),
    change("ecs_scaling", "max_tasks", lambda s: scaling(s).register_scalable_target(**DIMENSION, MinCapacity=2, MaxCapacity=9)),
    change("ecs_scaling_policy", "target", lambda s: s.follow(TargetValue=20.0)),
    change("ecs_scaling_policy", "scale_out_cooldown", lambda s: s.follow(ScaleOutCooldown=1)),
    change("ecs_scaling_policy", "scale_in_cooldown", lambda s: s.follow(ScaleInCooldown=1)),
    change("ecs_scaling_policy", "scales_in", lambda s: s.follow(DisableScaleIn=True)),
    change("ecs_scaling_policy", "metric", lambda s: s.follow(metric="ECSServiceAverageMemoryUtilization")),
    ("ecs_scaling_policy gone", lambda s: scaling(s).delete_scaling_policy(**DIMENSION, PolicyName="meibo-cpu"),
     {("create", "ecs_scaling_policy", "")}),
    ("ecs_scaling_policy of somebody else", lambda s: s.follow("other"), {("foreign", "ecs_scaling_policy", "")}),
]  # fmt: skip


def without_the_policy(stack: Stack) -> None:
    with contextlib.suppress(ClientError):
        ecr(stack).delete_repository_policy(repositoryName="meibo")


def without_the_other_scaling(stack: Stack) -> None:
    with contextlib.suppress(ClientError):
        scaling(stack).delete_scaling_policy(**DIMENSION, PolicyName="other")


UNDONE_BY_HAND = (without_the_policy, without_the_other_scaling)  # the roles leave what is not theirs


def test_what_stands_as_it_is_wanted_is_no_change(stack: Stack) -> None:
    assert stack.plan() == []


@pytest.mark.parametrize(("mutate", "told"), [mutation[1:] for mutation in MUTATIONS], ids=[mutation[0] for mutation in MUTATIONS])
def test_what_is_changed_by_hand_is_told_by_its_field_until_it_is_mended(stack: Stack, mutate: Callable[[Stack], Any], told: Any) -> None:
    mutate(stack)
    assert stack.told() == told
    for undo in UNDONE_BY_HAND:
        undo(stack)
    stack.mend()
    assert stack.told() == set()


def test_the_role_registers_a_revision_for_exactly_what_the_plan_tells(stack: Stack) -> None:
    wanted = stack.arguments()["__ecs_definition_wanted"]
    assert stack.described() == wanted
    for name, mutate, told in MUTATIONS:
        if name.startswith("task_definition") and not name.endswith("gone"):
            mutate(stack)
            differs = any(kind == "task_definition" and field != "tags" for _, kind, field in told)
            assert (stack.described() != wanted) == differs, name
            stack.mend()
