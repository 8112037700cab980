"""ECS on moto with the lab's services and an engine that keeps containers in a dictionary."""

from __future__ import annotations

import json
import time
from typing import Any

from lab.services.ecs import Services
from lab.services.tasks import Tasks

from .conftest import REGION, SESSION, Cloud

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
