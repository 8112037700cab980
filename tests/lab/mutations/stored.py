"""What somebody could change of what machines fetch: buckets and parameters."""

from __future__ import annotations

from ..account import Account
from .words import ELSEWHERE, Fields, Mutations


def bucket_access(account: Account, resource_id: str, fields: Fields) -> None:
    account.s3.delete_public_access_block(Bucket=bucket(resource_id))


def bucket_ownership(account: Account, resource_id: str, fields: Fields) -> None:
    rules = [{"ObjectOwnership": "ObjectWriter"}]
    account.s3.put_bucket_ownership_controls(Bucket=bucket(resource_id), OwnershipControls={"Rules": rules})


def bucket_encryption(account: Account, resource_id: str, fields: Fields) -> None:
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    account.s3.put_bucket_encryption(Bucket=bucket(resource_id), ServerSideEncryptionConfiguration={"Rules": rules})


def bucket_versions(account: Account, resource_id: str, fields: Fields) -> None:
    account.s3.put_bucket_versioning(Bucket=bucket(resource_id), VersioningConfiguration={"Status": "Suspended"})


def bucket_policy(account: Account, resource_id: str, fields: Fields) -> None:
    account.s3.delete_bucket_policy(Bucket=bucket(resource_id))


def bucket_tag(account: Account, resource_id: str, fields: Fields) -> None:
    tags = [{"Key": key, "Value": value} for key, value in fields["tags"].items() if key != "Key"]
    account.s3.put_bucket_tagging(Bucket=bucket(resource_id), Tagging={"TagSet": tags})


def bucket(arn: str) -> str:
    return arn.rpartition(":")[2]


def parameter_type(account: Account, resource_id: str, fields: Fields) -> None:
    ssm = account.client("ssm", account.region)
    value = ssm.get_parameter(Name=resource_id, WithDecryption=True)["Parameter"]["Value"]
    other = "String" if fields["type"] == "SecureString" else "StringList"
    ssm.put_parameter(Name=resource_id, Value=value, Type=other, Overwrite=True)


def parameter_value(account: Account, resource_id: str, fields: Fields) -> None:
    ssm = account.client("ssm", account.region)
    kind = ssm.get_parameter(Name=resource_id)["Parameter"]["Type"]
    ssm.put_parameter(Name=resource_id, Value="something-else", Type=kind, Overwrite=True)


def parameter_tag(account: Account, resource_id: str, fields: Fields) -> None:
    account.client("ssm", account.region).add_tags_to_resource(ResourceType="Parameter", ResourceId=resource_id, Tags=ELSEWHERE)


MUTATIONS: Mutations = {
    ("bucket", "public_access"): bucket_access,
    ("bucket", "ownership"): bucket_ownership,
    ("bucket", "encryption"): bucket_encryption,
    ("bucket", "versioning"): bucket_versions,
    ("bucket", "policy"): bucket_policy,
    ("bucket", "tags"): bucket_tag,
    ("parameter", "type"): parameter_type,
    ("parameter", "value"): parameter_value,
    ("parameter", "tags"): parameter_tag,
}
