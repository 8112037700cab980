"""Which permissions a request needs, by the names of AWS's Service Authorization Reference."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from lab.iam import s3
from lab.iam.asked import Call, asks

HERE = "ap-northeast-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/uda/uda-web"
MIXED = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification"
CALL = Call("ec2", "ap-northeast-1", "DescribeVpcs", "POST", "127.0.0.1:4600", "/", "", {}, b"")


class Account:
    """One secret, one role with its instance profile, and a launch template that names it."""

    account_id = "123456789012"

    def secret(self, region: str, name: str) -> str:
        return f"arn:aws:secretsmanager:{region}:123456789012:secret:{name}-AbCdEf"

    def iam(self, kind: str, name: str) -> str | None:
        return ROLE if (kind, name) == ("role", "uda-web") else None

    def role_of_profile(self, name_or_arn: str) -> str | None:
        return ROLE if name_or_arn.endswith("uda-web") else None

    def profile_of_template(self, region: str, id_or_name: str) -> str | None:
        return "uda-web" if id_or_name == "lt-1" else None


def asked(service: str, action: str, parameters: dict[str, Any]) -> list[str]:
    """`action resource` of a call in its service's protocol."""
    call = replace(CALL, service=service, action=action)
    if service in ("secretsmanager", "ssm", "logs", "ecr", "ecs"):
        call = replace(call, headers={"x-amz-target": f"x.{action}"}, body=json.dumps(parameters).encode())
    else:
        call = replace(call, body=urlencode({"Action": action, **parameters}).encode())
    return [f"{ask.action} {ask.resource}" for ask in asks(call, Account())]


@pytest.mark.parametrize(
    ("service", "action", "parameters", "expected"),
    [
        ("ec2", "DescribeVpcs", {}, ["ec2:DescribeVpcs *"]),
        ("monitoring", "PutMetricAlarm", {}, ["cloudwatch:PutMetricAlarm *"]),
        ("secretsmanager", "GetSecretValue", {"SecretId": "uda/app"},
         [f"secretsmanager:GetSecretValue arn:aws:secretsmanager:{HERE}:secret:uda/app-AbCdEf"]),
        ("secretsmanager", "ListSecrets", {}, ["secretsmanager:ListSecrets *"]),
        ("ssm", "GetParameter", {"Name": "/uda/url"}, [f"ssm:GetParameter arn:aws:ssm:{HERE}:parameter/uda/url"]),
        ("ssm", "GetParameter", {"Name": "url"}, [f"ssm:GetParameter arn:aws:ssm:{HERE}:parameter/url"]),
        ("ssm", "GetParameter", {"Name": "/aws/service/ami"}, ["ssm:GetParameter arn:aws:ssm:ap-northeast-1::parameter/aws/service/ami"]),
        ("ssm", "GetParameters", {"Names": ["/a", "/b"]},
         [f"ssm:GetParameters arn:aws:ssm:{HERE}:parameter/a", f"ssm:GetParameters arn:aws:ssm:{HERE}:parameter/b"]),
        ("ssm", "GetParametersByPath", {"Path": "/uda/"}, [f"ssm:GetParametersByPath arn:aws:ssm:{HERE}:parameter/uda/"]),
        ("logs", "PutLogEvents", {"logGroupName": "/uda", "logStreamName": "web"},
         [f"logs:PutLogEvents arn:aws:logs:{HERE}:log-group:/uda:log-stream:web"]),
        ("logs", "PutRetentionPolicy", {"logGroupName": "/uda/web"},
         [f"logs:PutRetentionPolicy arn:aws:logs:{HERE}:log-group:/uda/web:log-stream:"]),
        ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/uda/"},
         [f"logs:DescribeLogGroups arn:aws:logs:{HERE}:log-group::log-stream:"]),
        ("logs", "DescribeLogGroups", {}, [f"logs:DescribeLogGroups arn:aws:logs:{HERE}:log-group::log-stream:"]),
        ("logs", "TagResource", {"resourceArn": f"arn:aws:logs:{HERE}:log-group:/uda/web", "tags": {"Stack": "uda"}},
         [f"logs:TagResource arn:aws:logs:{HERE}:log-group:/uda/web"]),
        ("logs", "DescribeDestinations", {}, ["logs:DescribeDestinations *"]),
        ("ecr", "ListTagsForResource", {"resourceArn": f"arn:aws:ecr:{HERE}:repository/meibo"},
         [f"ecr:ListTagsForResource arn:aws:ecr:{HERE}:repository/meibo"]),
        ("ecr", "GetAuthorizationToken", {}, ["ecr:GetAuthorizationToken *"]),
        ("ecr", "BatchGetImage", {"repositoryName": "meibo"}, [f"ecr:BatchGetImage arn:aws:ecr:{HERE}:repository/meibo"]),
        ("iam", "CreateRole", {"RoleName": "new", "Path": "/uda/"}, ["iam:CreateRole arn:aws:iam::123456789012:role/uda/new"]),
        ("iam", "PutRolePolicy", {"RoleName": "uda-web", "PolicyName": "p"}, [f"iam:PutRolePolicy {ROLE}"]),
        ("iam", "ListRoles", {"PathPrefix": "/uda/"}, ["iam:ListRoles arn:aws:iam::123456789012:role/uda/"]),
        ("sts", "AssumeRole", {"RoleArn": ROLE}, [f"sts:AssumeRole {ROLE}"]),
        ("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": "p", "RoleName": "uda-web"},
         ["iam:AddRoleToInstanceProfile arn:aws:iam::123456789012:instance-profile/p", f"iam:PassRole {ROLE}"]),
        ("ec2", "RunInstances", {"IamInstanceProfile.Name": "uda-web"}, ["ec2:RunInstances *", f"iam:PassRole {ROLE}"]),
        ("ec2", "RunInstances", {"LaunchTemplate.LaunchTemplateId": "lt-1"}, ["ec2:RunInstances *", f"iam:PassRole {ROLE}"]),
        ("autoscaling", "CreateAutoScalingGroup", {f"{MIXED}.LaunchTemplateId": "lt-1"},
         ["autoscaling:CreateAutoScalingGroup *", "ec2:RunInstances *", f"iam:PassRole {ROLE}"]),
        ("ecs", "RegisterTaskDefinition", {"executionRoleArn": ROLE, "taskRoleArn": ROLE},
         ["ecs:RegisterTaskDefinition *", f"iam:PassRole {ROLE}"]),
        ("ec2", "CreateVpc", {"TagSpecification.1.Tag.1.Key": "Stack"}, ["ec2:CreateVpc *", "ec2:CreateTags *"]),
        ("iam", "CreateRole", {"RoleName": "new", "Tags.member.1.Key": "Stack"},
         ["iam:CreateRole arn:aws:iam::123456789012:role/new", "iam:TagRole arn:aws:iam::123456789012:role/new"]),
    ],
)  # fmt: skip
def test_a_call_asks_for_its_action_and_what_hangs_on_it(
    service: str, action: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    assert asked(service, action, parameters) == expected


PATH = "/uda-releases/1.0/app.tar.gz"


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "expected"),
    [
        ("GET", "/", {}, {}, ["s3:ListAllMyBuckets *"]),
        ("GET", "/uda-releases", {"list-type": "2", "prefix": "1.0/"}, {}, ["s3:ListBucket arn:aws:s3:::uda-releases"]),
        ("HEAD", "/uda-releases", {}, {}, ["s3:ListBucket arn:aws:s3:::uda-releases"]),
        ("PUT", "/uda-releases", {}, {}, ["s3:CreateBucket arn:aws:s3:::uda-releases"]),
        ("GET", "/uda-releases", {"encryption": ""}, {}, ["s3:GetEncryptionConfiguration arn:aws:s3:::uda-releases"]),
        ("DELETE", "/uda-releases", {"encryption": ""}, {}, ["s3:PutEncryptionConfiguration arn:aws:s3:::uda-releases"]),
        ("DELETE", "/uda-releases", {"policy": ""}, {}, ["s3:DeleteBucketPolicy arn:aws:s3:::uda-releases"]),
        ("GET", PATH, {}, {}, [f"s3:GetObject arn:aws:s3:::{PATH[1:]}"]),
        ("HEAD", PATH, {}, {}, [f"s3:GetObject arn:aws:s3:::{PATH[1:]}"]),
        ("GET", PATH, {"versionId": "1"}, {}, [f"s3:GetObjectVersion arn:aws:s3:::{PATH[1:]}"]),
        ("PUT", PATH, {"partNumber": "1", "uploadId": "u"}, {}, [f"s3:PutObject arn:aws:s3:::{PATH[1:]}"]),
        ("DELETE", PATH, {"uploadId": "u"}, {}, [f"s3:AbortMultipartUpload arn:aws:s3:::{PATH[1:]}"]),
        ("PUT", PATH, {}, {"x-amz-copy-source": "/other/key"},
         ["s3:GetObject arn:aws:s3:::other/key", f"s3:PutObject arn:aws:s3:::{PATH[1:]}"]),
        ("PUT", PATH, {"tagging": ""}, {}, [f"s3:PutObjectTagging arn:aws:s3:::{PATH[1:]}"]),
    ],
)  # fmt: skip
def test_a_request_to_s3_is_named_by_method_path_and_subresource(
    method: str, path: str, query: dict[str, str], headers: dict[str, str], expected: list[str]
) -> None:
    assert [f"{ask.action} {ask.resource}" for ask in s3.asks(method, "127.0.0.1", path, query, headers)] == expected


def test_a_bucket_is_in_the_path_or_in_the_host() -> None:
    assert s3.place("s3.ap-northeast-1.amazonaws.com", "/b/a%20key") == ("b", "a key")
    assert s3.place("b.s3.ap-northeast-1.amazonaws.com", "/a/key") == ("b", "a/key")


def test_objects_that_are_deleted_together_are_asked_for_one_by_one() -> None:
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b/c</Key></Object></Delete>"
    found = s3.asks("POST", "127.0.0.1", "/bucket", {"delete": ""}, {}, body)
    assert [f"{ask.action} {ask.resource}" for ask in found] == [
        "s3:DeleteObject arn:aws:s3:::bucket/a",
        "s3:DeleteObject arn:aws:s3:::bucket/b/c",
    ]


def test_a_version_is_asked_for_as_one_and_a_key_is_what_xml_says() -> None:
    body = b"""<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <Object><Key >a&amp;b</Key><VersionId>1</VersionId></Object> <Object><VersionId/><Key><![CDATA[c]]></Key></Object></Delete>"""
    found = s3.asks("POST", "127.0.0.1", "/bucket", {"delete": ""}, {}, body)
    assert [f"{ask.action} {ask.resource}" for ask in found] == [
        "s3:DeleteObjectVersion arn:aws:s3:::bucket/a&b",
        "s3:DeleteObject arn:aws:s3:::bucket/c",
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"<Delete/>", b"<Delete>a</Delete>", b"<Delete><Object/></Delete>", b"<Delete><Object><Key/></Object></Delete>",
     b"<Delete><Object>", b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><Key>c</Key></Object></Delete>"],
)  # fmt: skip
def test_a_list_of_objects_that_cannot_be_read_asks_for_nothing(body: bytes) -> None:
    assert list(s3.asks("POST", "127.0.0.1", "/bucket", {"delete": ""}, {}, body)) == []
