"""Which permissions a request needs: its action on its resource, and what AWS asks for beside it (passing a role, tagging).

Resources are told for the services whose policies name them: S3, Secrets Manager, SSM, IAM, STS, CloudWatch Logs and ECR. An action of
any other service is asked for on `*`. Names follow the Service Authorization Reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from . import s3
from .policy import Ask

PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}  # name in the signature -> name in policies, where they differ
TAGGING = {  # what AWS asks for too when something is made with tags
    "ec2": "CreateTags", "elasticloadbalancing": "AddTags", "rds": "AddTagsToResource", "ssm": "AddTagsToResource",
    "secretsmanager": "TagResource", "logs": "TagResource", "ecr": "TagResource", "ecs": "TagResource", "sns": "TagResource",
}  # fmt: skip
IAM_KINDS = {"InstanceProfileName": "instance-profile", "RoleName": "role", "UserName": "user", "GroupName": "group"}
IAM_LISTS = {
    "ListRoles": "role", "ListUsers": "user", "ListGroups": "group", "ListInstanceProfiles": "instance-profile", "ListPolicies": "policy",
}  # fmt: skip
IAM_TAGGED = {"CreateRole": "TagRole", "CreateUser": "TagUser", "CreatePolicy": "TagPolicy", "CreateInstanceProfile": "TagInstanceProfile"}


@dataclass(frozen=True)
class Call:
    """One API request as it was signed; `parameters` are those of query and JSON protocols, `headers` go by lower-case names."""

    service: str
    region: str
    action: str
    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """The query string; S3's subresources have no value."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def parameters(self) -> dict[str, Any]:
        """What the action is given, as the protocol words it."""
        if self.headers.get("x-amz-target"):
            try:
                found = json.loads(self.body or b"{}")
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}
        if self.service == "s3" or self.path.startswith("/service/"):
            return {}
        return {**self.fields, **dict(parse_qsl(self.body.decode("utf-8", "replace")))}


class Directory(Protocol):
    """What stands in the account, where a request names a thing in short and its ARN is wanted."""

    account_id: str

    def secret(self, region: str, name: str) -> str:
        """The ARN of a secret by name or ARN."""

    def iam(self, kind: str, name: str) -> str | None:
        """The ARN of a role, user, group, instance profile or policy that exists."""

    def role_of_profile(self, name_or_arn: str) -> str | None:
        """The ARN of an instance profile's role."""

    def profile_of_template(self, region: str, id_or_name: str) -> str | None:
        """The name or ARN of the instance profile in a launch template's newest version."""


def asks(call: Call, directory: Directory) -> list[Ask]:
    """The permissions that a call needs, its own action first."""
    prefix = PREFIXES.get(call.service, call.service)
    if prefix == "s3":
        return list(s3.asks(call.method, call.host, call.path, call.fields, call.headers, call.body))
    parameters = call.parameters
    resources = list(_resources(prefix, call, parameters, directory)) or ["*"]
    return [
        *(Ask(f"{prefix}:{call.action}", resource) for resource in resources),
        *_passed(prefix, call, parameters, directory),
        *_tagging(prefix, call, parameters, resources),
    ]


def _resources(prefix: str, call: Call, parameters: Mapping[str, Any], directory: Directory) -> Iterator[str]:
    here = f"arn:aws:{prefix}:{call.region}:{directory.account_id}"
    if prefix == "secretsmanager":
        named = parameters.get("SecretId") or (parameters.get("Name") if call.action == "CreateSecret" else None)
        if named:
            yield directory.secret(call.region, str(named))
    elif prefix == "ssm":
        yield from (_parameter(here, name) for name in _ssm_names(parameters))
    elif prefix in ("logs", "ecr") and parameters.get("resourceArn"):
        yield str(parameters["resourceArn"])
    elif prefix == "logs":
        if call.action == "DescribeLogGroups":  # for which AWS asks on a group without a name, whatever prefix is given
            yield f"{here}:log-group::log-stream:"
        elif (group := parameters.get("logGroupName")) is not None:
            yield f"{here}:log-group:{group}:log-stream:{parameters.get('logStreamName', '')}"
    elif prefix == "ecr":
        if call.action != "GetAuthorizationToken":
            named_repositories = parameters.get("repositoryNames") or [parameters.get("repositoryName", "*")]
            yield from (f"{here}:repository/{name}" for name in named_repositories)
    elif prefix == "sts" and "RoleArn" in parameters:
        yield str(parameters["RoleArn"])
    elif prefix == "iam":
        yield from _iam_resources(call.action, parameters, directory)


def _ssm_names(parameters: Mapping[str, Any]) -> list[str]:
    if parameters.get("ResourceType") == "Parameter":
        return [str(parameters.get("ResourceId", ""))]
    single = [parameters[key] for key in ("Name", "Path") if isinstance(parameters.get(key), str)]
    return [str(name) for name in single or parameters.get("Names", [])]


def _parameter(here: str, name: str) -> str:
    """AWS's own public parameters belong to no account."""
    if name.startswith("arn:"):
        return name
    if name.startswith("/aws/service/"):
        here = f"{here.rsplit(':', 1)[0]}:"
    return f"{here}:parameter/{name.lstrip('/').partition(':')[0]}"


def _iam_resources(action: str, parameters: Mapping[str, Any], directory: Directory) -> Iterator[str]:
    here = f"arn:aws:iam::{directory.account_id}"
    if action in IAM_LISTS:
        yield f"{here}:{IAM_LISTS[action]}{parameters.get('PathPrefix', '/')}"
        return
    if action == "CreateServiceLinkedRole":
        yield f"{here}:role/aws-service-role/{parameters.get('AWSServiceName', '')}/"
        return
    for parameter, kind in IAM_KINDS.items():
        if parameter in parameters:
            name = str(parameters[parameter])
            yield directory.iam(kind, name) or f"{here}:{kind}{parameters.get('Path', '/')}{name}"
            return
    if "PolicyArn" in parameters:
        yield str(parameters["PolicyArn"])
    elif action == "CreatePolicy":
        yield f"{here}:policy{parameters.get('Path', '/')}{parameters.get('PolicyName', '')}"


def _passed(prefix: str, call: Call, parameters: Mapping[str, Any], directory: Directory) -> Iterator[Ask]:
    """iam:PassRole for each role that the request hands to a service (IAM User Guide, "Granting permissions to pass a role")."""
    roles: list[str | None] = []
    service = "ec2.amazonaws.com"
    template = _first(parameters, r"(.*\.)?LaunchTemplate(Specification)?\.LaunchTemplate(Id|Name)")
    profile = _first(parameters, r"IamInstanceProfile\.(Arn|Name)")
    if prefix == "ec2" and call.action in ("RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"):
        profile = profile or (template and directory.profile_of_template(call.region, template))
        roles = [directory.role_of_profile(profile)] if profile else []
    elif prefix == "autoscaling" and call.action in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup") and template:
        profile = directory.profile_of_template(call.region, template)
        roles = [directory.role_of_profile(profile)] if profile else []
        yield Ask("ec2:RunInstances")  # the group launches in the caller's name
    elif prefix == "iam" and call.action == "AddRoleToInstanceProfile":
        roles = [directory.iam("role", str(parameters.get("RoleName", "")))]
    elif prefix == "ecs" and call.action == "RegisterTaskDefinition":
        service = "ecs-tasks.amazonaws.com"
        roles = [parameters.get("executionRoleArn"), parameters.get("taskRoleArn")]
    yield from (Ask("iam:PassRole", role, {"iam:passedtoservice": service}) for role in dict.fromkeys(roles) if role)


def _first(parameters: Mapping[str, Any], pattern: str) -> str | None:
    return next((str(value) for key, value in parameters.items() if re.fullmatch(pattern, key)), None)


def _tagging(prefix: str, call: Call, parameters: Mapping[str, Any], resources: list[str]) -> Iterator[Ask]:
    tagged = any(re.match(r"tags?(\.|specification\.|$)", key, re.IGNORECASE) and parameters[key] for key in parameters)
    if prefix == "iam":
        action = IAM_TAGGED.get(call.action)
    else:
        action = TAGGING.get(prefix) if call.action.startswith(("Create", "Run", "Put", "Register", "Copy", "Import", "Allocate")) else None
    if tagged and action and action != call.action:
        yield from (Ask(f"{prefix}:{action}", resource) for resource in resources)
