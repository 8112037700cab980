"""The lab's API asked with keys that its own IAM has issued: what is allowed goes through, what is not is refused in AWS's words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore import UNSIGNED
from moto.s3.models import FakeBucket

from lab import requests
from lab.iam import gate
from tests.lab.served import ACCOUNT, REGION, TRUST_EC2, Lab, document, refusal, statement


def test_the_root_key_may_do_everything(lab: Lab) -> None:
    lab.root("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST_EC2))
    assert lab.root("sts").get_caller_identity()["Arn"]


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("ec2", "describe_vpcs", 401, "AuthFailure"),
        ("iam", "list_roles", 403, "InvalidClientTokenId"),
        ("secretsmanager", "list_secrets", 400, "UnrecognizedClientException"),
        ("cloudwatch", "describe_alarms", 400, "UnrecognizedClientException"),
        ("s3", "list_buckets", 403, "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key_is_refused_in_the_services_words(lab: Lab, service: str, operation: str, status: int, code: str) -> None:
    stranger = lab.client(service, {"AccessKeyId": "AKIA0000000000EXAMPLE", "SecretAccessKey": "x" * 40})
    assert refusal(getattr(stranger, operation))[:2] == (status, code)


def test_a_key_with_another_secret_is_refused(lab: Lab) -> None:
    key = lab.user(statement("*"))
    wrong = {**key, "SecretAccessKey": "x" * 40}
    assert refusal(lab.client("iam", wrong).list_roles)[1] == "SignatureDoesNotMatch"
    assert refusal(lab.client("s3", wrong).list_buckets)[1] == "SignatureDoesNotMatch"
    assert refusal(lab.client("ssm", wrong).describe_parameters)[1] == "InvalidSignatureException"


def test_a_switched_off_or_deleted_key_is_refused(lab: Lab) -> None:
    key = lab.user(statement("*"))
    student = lab.client("iam", key)
    student.list_roles()
    lab.root("iam").update_access_key(UserName="student", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refusal(student.list_roles)[1] == "InvalidClientTokenId"


def test_who_one_is_may_always_be_asked(lab: Lab) -> None:
    key = lab.user(statement("*", effect="Deny"))
    assert lab.client("sts", key).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/student"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "status", "code"),
    [
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, 403, "UnauthorizedOperation"),
        ("iam", "create_user", {"UserName": "other"}, 403, "AccessDenied"),
        ("secretsmanager", "create_secret", {"Name": "a", "SecretString": "b"}, 400, "AccessDeniedException"),
        ("cloudwatch", "describe_alarms", {}, 400, "AccessDeniedException"),
        ("s3", "create_bucket", {"Bucket": "a", "CreateBucketConfiguration": {"LocationConstraint": REGION}}, 403, "AccessDenied"),
        ("rds", "describe_db_instances", {}, 403, "AccessDenied"),
        ("elbv2", "describe_load_balancers", {}, 403, "AccessDenied"),
        ("autoscaling", "describe_auto_scaling_groups", {}, 403, "AccessDenied"),
    ],
)
def test_what_is_not_allowed_is_denied_in_the_services_words(
    lab: Lab, service: str, operation: str, arguments: dict[str, Any], status: int, code: str
) -> None:
    student = lab.client(service, lab.user(statement("tag:GetResources")))
    assert refusal(getattr(student, operation), **arguments)[:2] == (status, code)


def test_a_denial_names_principal_action_resource_and_reason(lab: Lab) -> None:
    key = lab.user(statement("*"), statement("iam:CreateRole", effect="Deny"))
    arguments = {"RoleName": "uda-web", "Path": "/uda/", "AssumeRolePolicyDocument": json.dumps(TRUST_EC2)}
    assert refusal(lab.client("iam", key).create_role, **arguments)[2] == (
        f"User: arn:aws:iam::{ACCOUNT}:user/student is not authorized to perform: iam:CreateRole on resource: "
        f"arn:aws:iam::{ACCOUNT}:role/uda/uda-web with an explicit deny in an identity-based policy"
    )
    assert refusal(lab.client("ec2", lab.user(name="other")).describe_vpcs)[2] == (
        f"You are not authorized to perform this operation. User: arn:aws:iam::{ACCOUNT}:user/other is not authorized to perform: "
        "ec2:DescribeVpcs on resource: * because no identity-based policy allows the ec2:DescribeVpcs action"
    )


def test_a_denied_request_changes_nothing_and_is_noted_with_who_asked(lab: Lab) -> None:
    refusal(lab.client("iam", lab.user()).create_user, UserName="other")
    assert [user["UserName"] for user in lab.root("iam").list_users()["Users"]] == ["student"]
    (noted,) = [found for found in requests.read(lab.log) if found.principal.endswith("user/student") and found.action == "CreateUser"][-1:]
    assert noted.status == 403
    assert noted.permissions == [f"iam:CreateUser arn:aws:iam::{ACCOUNT}:user/other"]


def test_managed_policies_and_those_of_groups_count(lab: Lab) -> None:
    iam, key = lab.root("iam"), lab.user()
    student = lab.client("iam", key)
    policy = iam.create_policy(PolicyName="roles", PolicyDocument=document(statement("iam:ListRoles")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="student", PolicyArn=policy)
    student.list_roles()
    iam.create_group(GroupName="students")
    iam.add_user_to_group(UserName="student", GroupName="students")
    assert refusal(student.list_users)[1] == "AccessDenied"
    iam.put_group_policy(GroupName="students", PolicyName="users", PolicyDocument=document(statement("iam:ListUsers")))
    student.list_users()


def test_a_new_version_of_a_policy_counts_from_when_it_is_the_default(lab: Lab) -> None:
    iam, key = lab.root("iam"), lab.user()
    policy = iam.create_policy(PolicyName="p", PolicyDocument=document(statement("iam:ListRoles")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="student", PolicyArn=policy)
    lab.client("iam", key).list_roles()
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document(statement("iam:ListUsers")), SetAsDefault=True)
    assert refusal(lab.client("iam", key).list_roles)[1] == "AccessDenied"


def test_a_machine_reads_its_own_secret_and_no_other(lab: Lab) -> None:
    """The very statement that roles/iam writes."""
    root = lab.root("secretsmanager")
    for name in ("uda/database", "uda/app", "students/database"):
        root.create_secret(Name=name, SecretString=name)
    prefix = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:uda"
    machine = lab.client("secretsmanager", lab.session(statement("secretsmanager:GetSecretValue", resource=[f"{prefix}/database-??????"])))
    assert machine.get_secret_value(SecretId="uda/database")["SecretString"] == "uda/database"
    assert machine.get_secret_value(SecretId=root.describe_secret(SecretId="uda/database")["ARN"])["SecretString"] == "uda/database"
    for other in ("uda/app", "students/database", "nothing"):
        assert refusal(machine.get_secret_value, SecretId=other)[1] == "AccessDeniedException"
    assert refusal(machine.put_secret_value, SecretId="uda/database", SecretString="x")[1] == "AccessDeniedException"
    assert refusal(machine.list_secrets)[1] == "AccessDeniedException"


def test_a_secret_is_the_same_by_name_by_arn_and_by_arn_without_its_last_characters(lab: Lab) -> None:
    arn = lab.root("secretsmanager").create_secret(Name="uda/app", SecretString="s")["ARN"]
    machine = lab.client("secretsmanager", lab.session(statement("secretsmanager:GetSecretValue", resource=arn)))
    for name in ("uda/app", arn, arn[:-7]):
        assert machine.get_secret_value(SecretId=name)["SecretString"] == "s"


def test_instance_profiles_below_a_path_are_listed_alone(lab: Lab) -> None:
    iam = lab.root("iam")
    for name, path in (("uda-web", "/uda/"), ("LabInstanceProfile", "/")):
        iam.create_instance_profile(InstanceProfileName=name, Path=path)
    assert [found["InstanceProfileName"] for found in iam.list_instance_profiles(PathPrefix="/uda/")["InstanceProfiles"]] == ["uda-web"]
    assert len(iam.list_instance_profiles()["InstanceProfiles"]) == 2


def test_a_session_is_refused_without_its_token_and_without_its_role(lab: Lab) -> None:
    key = lab.session(statement("*"))
    bare = {name: value for name, value in key.items() if name != "SessionToken"}
    assert refusal(lab.client("iam", bare).list_roles)[1] == "InvalidClientTokenId"
    lab.root("iam").delete_role_policy(RoleName="web", PolicyName="own")
    lab.root("iam").delete_role(RoleName="web")
    assert refusal(lab.client("iam", key).list_roles)[1] == "InvalidClientTokenId"


def test_a_permissions_boundary_and_a_session_policy_each_must_allow_too(lab: Lab) -> None:
    boundary = lab.root("iam").create_policy(PolicyName="edge", PolicyDocument=document(statement("iam:List*")))["Policy"]["Arn"]
    machine = lab.client("iam", lab.session(statement("iam:*"), PermissionsBoundary=boundary))
    machine.list_roles()
    assert refusal(machine.create_user, UserName="other")[2].endswith("because no permissions boundary allows the iam:CreateUser action")
    arn = f"arn:aws:iam::{ACCOUNT}:role/web"
    narrow = lab.root("sts").assume_role(RoleArn=arn, RoleSessionName="here", Policy=document(statement("iam:ListRoles")))["Credentials"]
    lab.client("iam", narrow).list_roles()
    assert refusal(lab.client("iam", narrow).list_users)[2].endswith("because no session policy allows the iam:ListUsers action")


def test_a_role_is_taken_by_whom_its_trust_policy_names(lab: Lab) -> None:
    key = lab.user(statement("sts:AssumeRole"))
    student = f"arn:aws:iam::{ACCOUNT}:user/student"
    trusts = {"own": student, "account": f"arn:aws:iam::{ACCOUNT}:root", "other": f"arn:aws:iam::{ACCOUNT}:user/other"}
    for name, principal in trusts.items():
        trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}]}
        lab.root("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    sts = lab.client("sts", key)
    for name in ("own", "account"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="here")
    refused = refusal(sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/other", RoleSessionName="here")
    assert refused[2].endswith("because no trust policy of the role allows the sts:AssumeRole action")


def test_a_role_is_passed_by_who_may_pass_it(lab: Lab) -> None:
    iam, ec2 = lab.root("iam"), lab.root("ec2")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(TRUST_EC2))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    image = ec2.register_image(Name="image")["ImageId"]
    key = lab.user(statement("ec2:*"))
    student = lab.client("ec2", key)
    wanted = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
    student.run_instances(**wanted)
    refused = refusal(student.run_instances, IamInstanceProfile={"Name": "web"}, **wanted)
    assert f"iam:PassRole on resource: arn:aws:iam::{ACCOUNT}:role/web" in refused[2]
    passing = statement("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
    iam.put_user_policy(UserName="student", PolicyName="pass", PolicyDocument=document(passing))
    student.run_instances(IamInstanceProfile={"Name": "web"}, **wanted)


def test_a_buckets_policy_lets_in_and_shuts_out(lab: Lab) -> None:
    root, machine = lab.root("s3"), lab.client("s3", lab.session(statement("ssm:GetParameter")))
    root.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    root.put_object(Bucket="releases", Key="1.0/app", Body=b"app")
    assert refusal(machine.get_object, Bucket="releases", Key="1.0/app")[1] == "AccessDenied"
    lets = statement("s3:GetObject", resource="arn:aws:s3:::releases/*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/web"})
    root.put_bucket_policy(Bucket="releases", Policy=document(lets))
    assert machine.get_object(Bucket="releases", Key="1.0/app")["Body"].read() == b"app"
    assert refusal(machine.list_objects_v2, Bucket="releases")[0] == 403
    assert refusal(machine.put_object, Bucket="releases", Key="1.0/app", Body=b"other")[0] == 403
    shuts = statement("s3:*", resource="arn:aws:s3:::releases/1.0/*", effect="Deny", Principal="*")
    root.put_bucket_policy(Bucket="releases", Policy=document(lets, shuts))
    assert refusal(machine.get_object, Bucket="releases", Key="1.0/app")[2].endswith("with an explicit deny in a resource-based policy")


def test_a_secure_string_follows_the_rights_on_its_parameter(lab: Lab) -> None:
    root = lab.root("ssm")
    for name in ("/uda/password", "/students/password"):
        root.put_parameter(Name=name, Value=name, Type="SecureString")
    own = [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/uda", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/uda/*"]
    machine = lab.client("ssm", lab.session(statement("ssm:GetParametersByPath", "ssm:GetParameter", resource=own)))
    assert machine.get_parameter(Name="/uda/password", WithDecryption=True)["Parameter"]["Value"] == "/uda/password"
    assert len(machine.get_parameters_by_path(Path="/uda", WithDecryption=True)["Parameters"]) == 1
    assert refusal(machine.get_parameter, Name="/students/password")[1] == "AccessDeniedException"
    assert refusal(machine.get_parameters_by_path, Path="/")[1] == "AccessDeniedException"


def test_a_request_without_a_signature_is_refused(lab: Lab) -> None:
    anonymous = lab.client("iam", {"AccessKeyId": "x", "SecretAccessKey": "x"}, signature_version=UNSIGNED)
    assert refusal(anonymous.list_roles)[:2] == (403, "MissingAuthenticationToken")


def fetched(url: str, **options: Any) -> tuple[int, str]:
    """(status, text) of what a URL answers."""
    try:
        with urlopen(Request(url, **options)) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Clock:
    """A clock that is fast or slow, in place of `datetime`."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self, zone: Any) -> datetime:
        return datetime.now(zone) + self._ahead


@pytest.fixture
def release(lab: Lab) -> Lab:
    root = lab.root("s3")
    root.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    root.put_object(Bucket="releases", Key="1.0/an app", Body=b"app")
    return lab


def presigned(lab: Lab, key: dict[str, str], operation: str = "get_object", **options: Any) -> str:
    client = lab.client("s3", key, signature_version="s3v4")
    return str(client.generate_presigned_url(operation, Params={"Bucket": "releases", "Key": "1.0/an app"}, **options))


def test_a_presigned_url_may_what_its_signer_may(release: Lab) -> None:
    key = release.user(statement("s3:GetObject", resource="arn:aws:s3:::releases/*"))
    assert fetched(presigned(release, key)) == (200, "app")
    status, text = fetched(presigned(release, key, "put_object"), data=b"other", method="PUT", headers={"Content-Type": ""})
    assert (status, "is not authorized to perform: s3:PutObject" in text) == (403, True)
    assert fetched(presigned(release, release.session(statement("s3:GetObject")))) == (200, "app")
    assert fetched(release.client("sts", key).generate_presigned_url("get_caller_identity", HttpMethod="GET"))[0] == 200


def test_a_presigned_url_with_another_signature_or_changed_is_refused(release: Lab) -> None:
    key = release.user(statement("*"))
    url = presigned(release, key)
    for wrong in (
        presigned(release, {**key, "SecretAccessKey": "x" * 40}),
        url.replace("an%20app", "another"),
        url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000"),
        presigned(release, key, ExpiresIn=8 * 24 * 3600),
        url[: url.index("&X-Amz-Signature")],
        f"{release.url}/releases?X-Amz-Credential={key['AccessKeyId']}/20260101/{REGION}/s3/aws4_request",
        f"{release.url}/releases/1.0/an%20app?x=Credential=a/1/{REGION}/ec2/&{url.partition('?')[2]}",
    ):
        status, text = fetched(wrong)
        assert (status, "<Code>SignatureDoesNotMatch</Code>" in text) == (403, True), wrong
    identity = release.client("sts", {**key, "SecretAccessKey": "x" * 40}).generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert "SignatureDoesNotMatch" in fetched(identity)[1]


@pytest.mark.parametrize(
    ("ahead", "words"), [(timedelta(seconds=3590), ""), (timedelta(seconds=3601), "has expired"), (-timedelta(hours=1), "is not yet valid")]
)
def test_a_presigned_url_has_its_time(release: Lab, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, words: str) -> None:
    url = presigned(release, release.user(statement("s3:GetObject")))
    monkeypatch.setattr(gate, "datetime", Clock(ahead))
    expected = f"<Code>AccessDenied</Code><Message>Request {words}</Message>" if words else "app"
    status, text = fetched(url)
    assert (status, expected in text) == (403 if words else 200, True)


def test_objects_are_deleted_together_by_who_may_delete_each(release: Lab) -> None:
    student = release.client("s3", release.user(statement("s3:DeleteObject")))
    delete: Any = {"Objects": [{"Key": "1.0/an app", "VersionId": "1"}]}
    assert "s3:DeleteObjectVersion" in refusal(student.delete_objects, Bucket="releases", Delete=delete)[2]
    assert refusal(student.delete_objects, Bucket="releases", Delete={"Objects": []})[:2] == (400, "MalformedXML")
    student.delete_objects(Bucket="releases", Delete={"Objects": [{"Key": "1.0/an app"}]})
    assert "Contents" not in release.root("s3").list_objects_v2(Bucket="releases")


def test_a_bucket_has_its_whole_policy_while_it_is_asked(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    del lab  # moto with what the lab changes of it
    whole = document(statement("s3:*", effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})).encode()
    bucket = FakeBucket("releases", ACCOUNT, REGION)
    bucket.policy = whole
    seen = []

    class Policy:
        def __init__(self, text: str) -> None:
            seen.append((json.loads(text)["Statement"], bucket.policy))

        def is_action_permitted(self, *_: str) -> bool:
            return True

    monkeypatch.setattr("moto.iam.access_control.IAMPolicy", Policy)
    assert bucket.get_permission("s3:GetObject", "arn:aws:s3:::releases/*")
    assert seen == [([], whole)]
