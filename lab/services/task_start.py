"""What a Fargate task needs before its container starts: the way to AWS's services, rights, image, secrets, log group.

Each is asked for as AWS asks, with the task's execution role and from the task's subnet, and what is missing is told in AWS's words
(ECS Developer Guide, "Amazon ECS stopped tasks error messages"). Secrets are in no command line, log or saved state of the lab's; podman
keeps a container's whole environment in its store, which root alone reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from .. import state
from ..aws import ecr
from ..iam import gate
from ..iam.account import Account
from ..iam.conditions import PolicyError
from ..iam.policy import Ask, Effect, decide
from ..iam.principals import Principal, of_role
from ..world import Container, Vpc
from .task_logs import Log

TASKS = "ecs-tasks.amazonaws.com"
PULLING = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref"
RESOURCES = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:"
LOGGER = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch"


class StartError(Exception):
    """Why a task cannot start, in AWS's words."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task that can start. `log` is None without awslogs."""

    source: str
    digest: str
    container: Container = field(repr=False)
    command: tuple[str, ...]
    log: Log | None


def prepare(ecs: Any, task: Any) -> Prepared:
    """Everything that the task's container is made of. Raises StartError."""
    definition = ecs.describe_task_definition(task.task_definition_arn)
    wanted = _overridden(definition.container_definitions[0], task)
    role = _Role(ecs, getattr(definition, "execution_role_arn", None), task)
    missing = _unreachable(ecs, task)
    digest = _image(ecs, role, wanted["image"], missing)
    secrets = {entry["name"]: _secret(ecs, role, entry["valueFrom"], missing) for entry in wanted.get("secrets") or []}
    if long := [name for name, value in secrets.items() if "\n" in value or "\r" in value]:
        raise StartError(f"{RESOURCES} the lab hands over secrets of one line; {', '.join(long)} has more")
    log = _log(ecs, role, task, wanted, missing)
    return Prepared(
        source=f"{wanted['image'].split('@')[0].rsplit(':', 1)[0]}@{digest}",
        digest=digest,
        container=Container(
            cpus=int(definition.cpu) / 1024,
            memory_mib=int(definition.memory),
            environment={entry["name"]: entry["value"] for entry in wanted.get("environment") or []},
            secrets=secrets,
            entrypoint=tuple(wanted["entryPoint"]) if wanted.get("entryPoint") else None,
            user=wanted.get("user"),
            working_directory=wanted.get("workingDirectory"),
            read_only=bool(wanted.get("readonlyRootFilesystem")),
            stop_seconds=int(wanted.get("stopTimeout") or 30),
        ),
        command=tuple(wanted.get("command") or ()),
        log=log,
    )


def way_out(vpc: Vpc, subnet_id: str, public: bool) -> bool:
    """Whether what is in a subnet reaches the internet, with a public address or by a NAT gateway that reaches it. Pure."""
    igw = vpc.internet_gateway_id
    working = {
        nat.id for nat in vpc.nat_gateways if igw and nat.public_address and any(r.target == igw for r in vpc.subnet(nat.subnet_id).routes)
    }
    targets = {route.target for route in vpc.subnet(subnet_id).routes if route.cidr == "0.0.0.0/0"}
    return bool(targets & working) or (public and igw in targets)


class _Role:
    """The task's execution role, asked as AWS asks it. A task without one may nothing."""

    def __init__(self, ecs: Any, arn: str | None, task: Any) -> None:
        self._account = Account()
        self._session = f"arn:aws:sts::{ecs.account_id}:assumed-role/{(arn or 'none').split('/')[-1]}/{task.id}"
        self._context = {
            "aws:securetransport": "true", "aws:requestedregion": ecs.region_name, "aws:principalaccount": ecs.account_id,
        }  # fmt: skip
        self._principal = Principal(self._session, "")
        if arn is None:
            return
        role = next((role for role in iam_backends[ecs.account_id]["aws"].roles.values() if role.arn == arn), None)
        if role is None or not self._is_taken(ecs, arn, task):
            raise StartError(
                f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role being passed has"
                " the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
            )
        self._principal = of_role(role, self._session)

    def _is_taken(self, ecs: Any, arn: str, task: Any) -> bool:
        """Whether the role's trust policy lets ECS take it for this task."""
        context = {"aws:sourceaccount": ecs.account_id, "aws:sourcearn": task.task_arn}
        try:
            return decide(self._account.trust_policy(arn), Ask("sts:AssumeRole", arn), context, (TASKS,)) is Effect.ALLOW
        except PolicyError:
            return False

    def refused(self, action: str, resource: str = "*") -> str | None:
        """AWS's refusal, or None."""
        why = gate.why_not(self._principal, Ask(action, resource), {**self._principal.context, **self._context}, self._account)
        if not why:
            return None
        return (
            f"AccessDeniedException: User: {self._session} is not authorized to perform: {action} on resource: {resource} {why}"
            " status code: 400"
        )


def _overridden(definition: Mapping[str, Any], task: Any) -> dict[str, Any]:
    """The container's definition with what RunTask was told to change."""
    result = dict(definition)
    for override in (task.overrides or {}).get("containerOverrides") or []:
        if override.get("name") == definition["name"]:
            if override.get("command"):
                result["command"] = override["command"]
            kept = {entry["name"]: entry for entry in result.get("environment") or []}
            result["environment"] = list((kept | {entry["name"]: entry for entry in override.get("environment") or []}).values())
    return result


def _unreachable(ecs: Any, task: Any) -> set[str]:
    """Those of AWS's services that the task's interface cannot reach."""
    ec2 = ec2_backends[ecs.account_id][ecs.region_name]
    eni = ec2.enis[task.lab_interface_id]
    vpc = state.vpc(ec2, eni.subnet.vpc_id)
    if way_out(vpc, eni.subnet.id, eni.public_ip is not None):
        return set()
    endpoints = {
        endpoint.service_name.removeprefix(f"com.amazonaws.{ecs.region_name}.")
        for endpoint in list(ec2.vpc_end_points.values())
        if endpoint.vpc_id == eni.subnet.vpc_id and endpoint.state == "available"
    }
    return {"ecr.api", "ecr.dkr", "s3", "secretsmanager", "ssm", "logs"} - endpoints


def _image(ecs: Any, role: _Role, image: str, missing: set[str]) -> str:
    """The digest of the image. Only images of the lab's own ECR can be had."""
    if missing & {"ecr.api", "ecr.dkr", "s3"}:
        url = f"https://{image.split('/')[0]}/v2/{image.partition('/')[2].split(':')[0]}/manifests"
        raise StartError(f'{PULLING} {image}: failed to do request: Head "{url}": dial tcp: i/o timeout')
    found = ecr.repository_of(image, ecs.account_id, ecs.region_name)
    if found is None or found[0] is None:
        raise StartError(f"{PULLING} {image}: pull access denied, repository does not exist or may require authorization")
    repository, reference = found
    if refusal := role.refused("ecr:GetAuthorizationToken"):
        raise StartError(f"{RESOURCES} unable to retrieve ecr registry auth: service call has been retried 1 time(s): {refusal}")
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        if refusal := role.refused(action, repository.arn):
            raise StartError(f"{PULLING} {image}: unexpected status from HEAD request: 403 Forbidden: {refusal}")
    known = ecr.find(repository, reference)
    if known is None:
        raise StartError(f"{PULLING} {image}: {image}: not found")
    return str(known.get_image_digest())


def _secret(ecs: Any, role: _Role, value_from: str, missing: set[str]) -> str:
    """A value of Secrets Manager (`arn:key:stage:version`, the last three optional) or of SSM's Parameter Store (name or ARN)."""
    if ":secretsmanager:" in value_from:
        return _of_secrets_manager(ecs, role, value_from, missing)
    name = value_from.partition(":parameter")[2] if ":parameter/" in value_from else value_from
    arn = f"arn:aws:ssm:{ecs.region_name}:{ecs.account_id}:parameter/{name.lstrip('/')}"
    start = f"{RESOURCES} unable to retrieve secrets from ssm: service call has been retried 1 time(s):"
    if "ssm" in missing:
        raise StartError(f"{start} RequestCanceled: request context canceled caused by: context deadline exceeded")
    if refusal := role.refused("ssm:GetParameters", arn):
        raise StartError(f"{start} {refusal}")
    found = ssm_backends[ecs.account_id][ecs.region_name].get_parameters([name])
    if name not in found:
        raise StartError(f"{start} invalid parameters: {name}")
    return str(found[name].response_object(decrypt=True)["Value"])


def _of_secrets_manager(ecs: Any, role: _Role, value_from: str, missing: set[str]) -> str:
    parts = value_from.split(":")
    arn, (key, stage, version) = ":".join(parts[:7]), (*parts[7:10], "", "", "")[:3]
    start = f"{RESOURCES} unable to retrieve secret from asm: service call has been retried 1 time(s):"
    if "secretsmanager" in missing:
        raise StartError(f"{start} RequestCanceled: request context canceled caused by: context deadline exceeded")
    if refusal := role.refused("secretsmanager:GetSecretValue", arn):
        raise StartError(f"{start} failed to fetch secret {arn} from secrets manager: {refusal}")
    secrets = secretsmanager_backends[ecs.account_id][ecs.region_name]
    try:
        found = secrets.get_secret_value(arn, version, stage)["SecretString"]
    except (JsonRESTError, ServiceException) as error:
        code = error.error_type if isinstance(error, JsonRESTError) else error.code
        raise StartError(f"{start} failed to fetch secret {arn} from secrets manager: {code}: {error.message}") from error
    if not key:
        return str(found)
    try:
        return str(json.loads(found)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(f"{RESOURCES} retrieved secret from Secrets Manager did not contain json key {key}") from error


def _log(ecs: Any, role: _Role, task: Any, wanted: Mapping[str, Any], missing: set[str]) -> Log | None:
    """The log stream, made as the driver makes it: `prefix/container/task`."""
    options = (wanted.get("logConfiguration") or {}).get("options") or {}
    if (wanted.get("logConfiguration") or {}).get("logDriver") != "awslogs":
        return None
    logs = logs_backends[ecs.account_id][options.get("awslogs-region", ecs.region_name)]
    group = options["awslogs-group"]
    stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{wanted['name']}/{task.id}"
    arn = f"arn:aws:logs:{logs.region_name}:{ecs.account_id}:log-group:{group}:log-stream:{stream}"
    if "logs" in missing:
        raise StartError(f"{LOGGER} log stream: RequestError: send request failed caused by: dial tcp: i/o timeout : exit status 1")
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if refusal := role.refused(action, arn):
            raise StartError(f"{LOGGER} log stream: {refusal} : exit status 1")
    if group not in logs.groups:
        raise StartError(f"{LOGGER} log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1")
    if stream not in logs.groups[group].streams:
        logs.create_log_stream(group, stream)
    return Log(logs.region_name, group, stream)
