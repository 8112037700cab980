"""ECR and ECS with real containers: an image is pushed, two tasks serve it, what breaks is replaced or rolled back."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab import lifecycle, settings
from lab.engine.podman import Podman, configuration

pytestmark = pytest.mark.machines

REGION = "ap-northeast-1"
PASSWORD = "one-two-three-four"  # noqa: S105 of this test
SERVER = """
import http.server, os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("started with a password of", len(os.environ["PASSWORD"]), "letters", flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Served-By", socket.gethostname())
        self.end_headers()
        self.wfile.write(os.environ["GREETING"].encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


class Site:
    """A VPC with a load balancer, a repository and what a task needs; made by the same calls as on AWS."""

    def __init__(self, lab: settings.Settings) -> None:
        self.lab = lab
        self.session = boto3.session.Session(settings.ACCESS_KEY_ID, settings.SECRET_ACCESS_KEY, region_name=REGION)
        self.ecs, self.ec2, self.elbv2, self.ecr, self.logs = (self.client(name) for name in ("ecs", "ec2", "elbv2", "ecr", "logs"))
        self._network()
        self._load_balancer()
        self.repository = self.ecr.create_repository(repositoryName="site")["repository"]["repositoryUri"]
        arguments = {"Name": "site/database", "SecretString": json.dumps({"password": PASSWORD})}
        self.secret_arn = self.client("secretsmanager").create_secret(**arguments)["ARN"]
        self.logs.create_log_group(logGroupName="/site")
        self.role_arn = self._role()
        self.ecs.create_cluster(clusterName="site")

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.lab.endpoint_url)

    def _network(self) -> None:
        ec2 = self.ec2
        vpc_id = self.vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        gateway_id = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(VpcId=vpc_id, InternetGatewayId=gateway_id)
        table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"][0]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)
        self.subnet_ids = [
            ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
            for n, zone in enumerate("ac")
        ]
        self.groups = {
            name: ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"] for name in ("alb", "task")
        }
        everybody = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=self.groups["alb"], IpPermissions=[everybody])
        from_alb = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [{"GroupId": self.groups["alb"]}]}
        ec2.authorize_security_group_ingress(GroupId=self.groups["task"], IpPermissions=[from_alb])

    def _load_balancer(self) -> None:
        made = self.elbv2.create_load_balancer(Name="site", Subnets=self.subnet_ids, SecurityGroups=[self.groups["alb"]])
        self.dns_name = made["LoadBalancers"][0]["DNSName"]
        group = self.elbv2.create_target_group(
            Name="site", Protocol="HTTP", Port=8080, VpcId=self.vpc_id, TargetType="ip", HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2,
        )  # fmt: skip
        self.target_group = group["TargetGroups"][0]["TargetGroupArn"]
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=self.target_group, Attributes=[attribute])
        action = {"Type": "forward", "TargetGroupArn": self.target_group}
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[action])

    def _role(self) -> str:
        iam = self.client("iam")
        trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}
        role = iam.create_role(RoleName="site-execution", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
        iam.attach_role_policy(RoleName="site-execution", PolicyArn=managed)
        reading = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": f"{self.secret_arn.rsplit('-', 1)[0]}-??????"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
        iam.put_role_policy(RoleName="site-execution", PolicyName="secrets", PolicyDocument=document)
        return str(role["Arn"])

    def push(self, folder: Path, tag: str) -> subprocess.CompletedProcess[str]:
        """Build from the public Debian image of the lab's registry and push, as a user of podman does."""
        token = self.ecr.get_authorization_token()["authorizationData"][0]
        password = b64decode(token["authorizationToken"]).decode().partition(":")[2]
        host = self.repository.split("/")[0]
        assert token["proxyEndpoint"] == f"http://{host}"
        containerfile = f'FROM {host}/docker/library/debian:bookworm\nCOPY server.py /\nENTRYPOINT ["python3", "/server.py"]\n'
        (folder / "server.py").write_text(SERVER)
        (folder / "Containerfile").write_text(containerfile)
        login = ("login", "--tls-verify=false", "--authfile", str(folder / "auth.json"), "--username", "AWS", "--password-stdin", host)
        podman(*login, stdin=password).check_returncode()
        podman("build", "--tls-verify=false", "--tag", f"{self.repository}:{tag}", str(folder)).check_returncode()
        return podman("push", "--tls-verify=false", "--authfile", str(folder / "auth.json"), f"{self.repository}:{tag}")

    def revision(self, tag: str, greeting: str) -> str:
        container = {
            "name": "site", "image": f"{self.repository}:{tag}", "essential": True, "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": "GREETING", "value": greeting}],
            "secrets": [{"name": "PASSWORD", "valueFrom": f"{self.secret_arn}:password::"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/site", "awslogs-region": REGION, "awslogs-stream-prefix": "site"},
            },
        }  # fmt: skip
        made = self.ecs.register_task_definition(
            family="site", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            executionRoleArn=self.role_arn, containerDefinitions=[container],
        )  # fmt: skip
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def create_service(self, definition: str) -> None:
        self.ecs.create_service(
            cluster="site", serviceName="site", taskDefinition=definition, desiredCount=2, launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {
                "subnets": self.subnet_ids, "securityGroups": [self.groups["task"]], "assignPublicIp": "ENABLED",
            }},
            loadBalancers=[{"targetGroupArn": self.target_group, "containerName": "site", "containerPort": 8080}],
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            healthCheckGracePeriodSeconds=30,
        )  # fmt: skip

    def service(self) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster="site", services=["site"])["services"][0])

    def rolled_out(self) -> bool:
        (*_earlier, deployment) = self.service()["deployments"]
        return len(_earlier) == 0 and deployment["rolloutState"] == "COMPLETED"

    def tasks(self, desired: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="site", serviceName="site", desiredStatus=desired)["taskArns"]
        return list(self.ecs.describe_tasks(cluster="site", tasks=arns)["tasks"]) if arns else []

    def get(self) -> tuple[int, str, str]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": self.lab.proxy_url}))
        try:
            with opener.open(f"http://{self.dns_name}/", timeout=10) as answer:
                return answer.status, answer.headers["X-Served-By"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, "", ""

    def events(self) -> str:
        return "\n".join(event["message"] for event in self.service()["events"])


def podman(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | configuration(settings.load("test-containers").home)
    return subprocess.run(["podman", *arguments], input=stdin, capture_output=True, text=True, check=False, env=environment)


def until(condition: Callable[[], bool], seconds: float, tell: Callable[[], str] = lambda: "") -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {tell()}"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def lab() -> Iterator[settings.Settings]:
    found = settings.load("test-containers")
    lifecycle.down(found, forget=True, say=print)
    lifecycle.up(found, print)
    yield found
    lifecycle.down(found, forget=True, say=print)
    assert not list(Path("/run/netns").glob("lab-test-containers.*"))
    assert Podman(found).machines() == {}


@pytest.fixture(scope="module")
def site(lab: settings.Settings, tmp_path_factory: pytest.TempPathFactory) -> Site:
    found = Site(lab)
    pushed = found.push(tmp_path_factory.mktemp("image"), "1")
    assert pushed.returncode == 0, pushed.stderr
    found.create_service(found.revision("1", "hello"))
    until(found.rolled_out, 120, found.events)
    return found


def test_what_is_pushed_is_told_by_ecr(site: Site) -> None:
    (image,) = site.ecr.describe_images(repositoryName="site")["imageDetails"]
    assert image["imageTags"] == ["1"]
    assert {task["containers"][0]["imageDigest"] for task in site.tasks()} == {image["imageDigest"]}


def test_two_tasks_in_two_zones_share_the_load(site: Site) -> None:
    answers = {site.get() for _ in range(20)}
    assert {(status, body) for status, _name, body in answers} == {(200, "hello")}
    assert len({name for _status, name, _body in answers}) == 2
    assert len({task["availabilityZone"] for task in site.tasks()}) == 2


def test_the_secret_reaches_the_container_and_nothing_that_is_told(site: Site, lab: settings.Settings) -> None:
    events = site.logs.filter_log_events(logGroupName="/site")["events"]
    started = [event["message"] for event in events if event["message"].startswith("started")]
    assert started == [f"started with a password of {len(PASSWORD)} letters"] * 2
    assert PASSWORD not in str(events)
    definition = site.ecs.describe_task_definition(taskDefinition="site")["taskDefinition"]
    assert PASSWORD not in str(definition) + str(site.tasks()) + str(site.service())
    assert PASSWORD not in lab.log_file.read_text()


def test_a_task_is_limited_as_its_definition_says_and_its_group_is_in_force(site: Site, lab: settings.Settings) -> None:
    task = site.tasks()[0]
    identity = task["taskArn"].rsplit("/", 1)[1]
    limits = podman("inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", f"lab-{lab.name}-{identity}").stdout.split()
    assert limits == [str(512 * 2**20), str(250_000_000)]
    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    direct = ["nsenter", f"--net=/run/netns/{lab.namespace('internet')}", "curl", "-s", "-m", "3"]
    interface = site.ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])["NetworkInterfaces"][0]
    assert interface["PrivateIpAddress"] == details["privateIPv4Address"]
    assert subprocess.run([*direct, f"http://{interface['Association']['PublicIp']}:8080/"], check=False).returncode == 28  # a time-out


def test_a_stopped_task_is_replaced_and_costs_no_request(site: Site) -> None:
    victim = site.tasks()[0]["taskArn"]
    site.ecs.stop_task(cluster="site", task=victim, reason="a test")
    statuses: set[int] = set()

    def replaced() -> bool:
        statuses.add(site.get()[0])
        running = [task for task in site.tasks() if task["lastStatus"] == "RUNNING"]
        health = site.elbv2.describe_target_health(TargetGroupArn=site.target_group)["TargetHealthDescriptions"]
        return len(running) == 2 and [found["TargetHealth"]["State"] for found in health] == ["healthy"] * 2

    until(replaced, 90, site.events)
    stopped: dict[str, Any] = {}

    def ended() -> bool:
        stopped.update(next(task for task in site.tasks("STOPPED") if task["taskArn"] == victim))
        return stopped["lastStatus"] == "STOPPED"

    until(ended, 30, site.events)  # its end holds up nobody, so it may come after its successor
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "a test")
    assert stopped["containers"][0]["exitCode"] == 0
    assert statuses == {200}


def test_a_broken_image_is_rolled_back(site: Site) -> None:
    broken = site.revision("missing", "never seen")
    site.ecs.update_service(cluster="site", service="site", taskDefinition=broken)
    until(lambda: "rolling back" in site.events(), 120, site.events)
    until(site.rolled_out, 120, site.events)
    assert site.service()["taskDefinition"] != broken
    assert "deployment failed: tasks failed to start" in site.events()
    reasons = {task["stoppedReason"] for task in site.tasks("STOPPED") if task["taskDefinitionArn"] == broken}
    assert reasons
    assert all(reason.startswith("CannotPullContainerError") and "not found" in reason for reason in reasons)
    assert site.get()[2] == "hello"


def test_a_new_revision_takes_over_without_a_failed_request(site: Site) -> None:
    site.ecs.update_service(cluster="site", service="site", taskDefinition=site.revision("1", "good day"))
    statuses: set[int] = set()

    def done() -> bool:
        statuses.add(site.get()[0])
        return site.rolled_out()

    until(done, 120, site.events)
    assert statuses == {200}
    assert {site.get()[2] for _ in range(10)} == {"good day"}


def test_tasks_stand_again_after_the_labs_stop_and_start(site: Site, lab: settings.Settings) -> None:
    before = {task["taskArn"] for task in site.tasks()}
    lifecycle.down(lab, forget=False, say=print)
    lifecycle.up(lab, print)
    until(lambda: site.get()[0] == 200, 90, site.events)
    assert {task["taskArn"] for task in site.tasks()} == before


def test_a_deleted_service_leaves_no_task_and_no_interface(site: Site) -> None:
    site.ecs.delete_service(cluster="site", service="site", force=True)
    until(lambda: site.service()["status"] == "INACTIVE", 90)
    filters = [{"Name": "group-id", "Values": [site.groups["task"]]}]
    assert site.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"] == []
    site.ecs.delete_cluster(cluster="site")
    assert site.ecs.list_clusters()["clusterArns"] == []
