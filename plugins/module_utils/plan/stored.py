# SPDX-License-Identifier: GPL-3.0-or-later
"""What machines fetch at boot: the deploy bucket, the releases in it, parameters. The roles `bucket`, `release_upload`, `parameters`."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..stack.aws import pages
from .model import Kind, Resource, Secret, Unknown
from .normal import policy, tags_of

try:
    from botocore.exceptions import ClientError
except ImportError:  # the module that uses this tells it
    ClientError = Exception

REFUSED = "a run refuses it: a release is never overwritten"
KINDS = (
    Kind("bucket", "release", effects={"policy": "who may read the releases changes at once", "public_access": "it may be opened to all"}),
    Kind("release_object", "release", effects={"sha256": REFUSED, "bytes": REFUSED}),
    Kind("parameter", "release", effects={"value": "machines read it at their next boot"}, opens=True),
)
BLOCKED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
ABSENT = (  # how S3 says that a bucket has no such setting
    "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet", "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)  # fmt: skip
NOT_OURS = ("403", "404")  # somebody else's bucket, or none
RELEASES = "releases/"
OTHER = "another value"


def want_bucket(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `bucket` makes of its arguments."""
    name, document = arguments["bucket_name"], arguments["__bucket_policy"]
    fields = {
        "public_access": dict.fromkeys(BLOCKED, "blocked"),
        "ownership": "BucketOwnerEnforced",
        "encryption": "AES256",
        "versioning": "Enabled",
        "policy": document if isinstance(document, Unknown) else policy(document),
        "tags": arguments["bucket_tags"] | {"Name": name, "Role": arguments["bucket_role"], "Key": arguments["bucket_key"]},
    }
    yield Resource("bucket", name, fields)


def want_release(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `release_upload` puts into the bucket: a release that is not packed yet is known by its name alone."""
    sha256, artifact = arguments["release_upload_sha256"], arguments["release_upload_artifact"]
    packed = not isinstance(artifact, Unknown) and Path(artifact).is_file()
    fields = {
        "sha256": sha256 if packed else Unknown("the release is not packed yet"),
        "bytes": Path(artifact).stat().st_size if packed else Unknown("the release is not packed yet"),
    }
    yield Resource("release_object", f"{arguments['release_upload_bucket']}/{arguments['release_upload_key']}", fields)


def want_parameters(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `parameters` makes of its arguments. A generated value is made once and never again, so it is no field."""
    path = arguments["parameters_path"]

    def parameter(key: str, kind: str, **value: Any) -> Resource:
        tags = arguments["__parameters_tags"] | {"Name": key, "Key": key}
        return Resource("parameter", f"{path}/{key}", {"type": kind, **value, "tags": tags})

    for key, value in arguments["parameters_values"].items():
        yield parameter(key, "String", value=value if isinstance(value, Unknown) else str(value))
    for key in arguments["parameters_generated"]:
        yield parameter(key, "SecureString")
    for key, copied in arguments["parameters_secrets"].items():
        yield parameter(key, "SecureString", value=_source(copied))


def _source(copied: Mapping[str, str]) -> str:
    return f"the same as {copied['key']} of {copied['secret']}"


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Buckets' settings, by `bucket <name>`; objects of the releases; parameters with what may be known of their values.

    The wanted bucket and the wanted path are read also when nothing there carries the stack's tags: a run uses what it finds by name.
    """
    delivery = wanted.get("stack_delivery") if wanted.get("stack_compute") == "fleet" else None
    pulls = delivery == "pull"
    named = {wanted["stack_deploy_bucket"]} if delivery in ("pull", "plain") else set()
    buckets = ({bucket["Name"] for bucket in found["buckets"]} | named) - {wanted.get("log_bucket_name")}
    reads: dict[str, Callable[[], Any]] = {
        f"bucket {name}": partial(_bucket_details, clients["s3"], name, wanted.get("artifact_id")) for name in sorted(buckets)
    }
    path, copies = (wanted.get("stack_parameters_path"), wanted.get("stack_parameters_secrets") or {}) if pulls else (None, {})
    if path or found["parameters"]:
        tagged = [parameter["Name"] for parameter in found["parameters"]]
        reads["parameter_details"] = lambda: _parameters(clients, path, tagged, copies)
    return reads


def _bucket_details(s3: Any, name: str, release: str | None) -> dict[str, Any]:
    """What S3 says of a bucket, by what is asked for, None for what it has not; empty when there is no such bucket of ours."""
    if _answer(s3.head_bucket, "ResponseMetadata", NOT_OURS, Bucket=name) is None:
        return {}
    asked = {
        "public_access": (s3.get_public_access_block, "PublicAccessBlockConfiguration"),
        "ownership": (s3.get_bucket_ownership_controls, "OwnershipControls"),
        "encryption": (s3.get_bucket_encryption, "ServerSideEncryptionConfiguration"),
        "versioning": (s3.get_bucket_versioning, "Status"),
        "policy": (s3.get_bucket_policy, "Policy"),
        "tags": (s3.get_bucket_tagging, "TagSet"),
    }
    told = {what: _answer(call, word, ABSENT, Bucket=name) for what, (call, word) in asked.items()}
    return {**told, "releases": _releases(s3, name, release)}


def _answer(call: Callable[..., Mapping[str, Any]], word: str, absent: Container[str], **arguments: Any) -> Any:
    try:
        return call(**arguments).get(word)
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        raise


def _releases(s3: Any, bucket: str, wanted: str | None) -> list[dict[str, Any]]:
    """The releases in a bucket, `{Key, Size}`; only the wanted one is asked for what it says of its hash, as `Sha256`."""
    found = pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=RELEASES)
    result = [{"Key": one["Key"], "Size": one["Size"]} for one in found]
    for one in result:
        if one["Key"] == f"{RELEASES}{wanted}.tar.gz":
            one["Sha256"] = s3.head_object(Bucket=bucket, Key=one["Key"])["Metadata"].get("sha256")
    return result


def _parameters(clients: Mapping[str, Any], path: str | None, tagged: list[str], copies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Parameters below the path and those that carry the stack's tags, each `{Name, Type, Tags, Tagged, Told}`.

    `Told` is what may be known of the value: itself when it is no secret, for a copy only whether it is equal to its source, else None.
    """
    ssm = clients["ssm"]
    below = pages(ssm, "get_parameters_by_path", "Parameters", Path=path, Recursive=True, WithDecryption=True) if path else []
    values = {one["Name"]: one for one in below}
    elsewhere = [name for name in tagged if name not in values]
    for start in range(0, len(elsewhere), 10):  # as many as one request takes
        found = ssm.get_parameters(Names=elsewhere[start : start + 10], WithDecryption=False)["Parameters"]
        values |= {one["Name"]: {**one, "Value": None} if one["Type"] == "SecureString" else one for one in found}
    sources = {name: _secret(clients["secretsmanager"], name) for name in sorted({copied["secret"] for copied in copies.values()})}
    return [
        {
            "Name": name,
            "Type": one["Type"],
            "Tags": ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"],
            "Tagged": name in tagged,
            "Told": _told(one, copies.get(name.removeprefix(f"{path}/")), sources),
        }
        for name, one in sorted(values.items())
    ]


def _secret(manager: Any, name: str) -> dict[str, Any]:
    """The values of a secret by key; empty when there is none."""
    try:
        return dict(json.loads(manager.get_secret_value(SecretId=name)["SecretString"]))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise


def _told(parameter: Mapping[str, Any], copied: Mapping[str, str] | None, sources: Mapping[str, Mapping[str, Any]]) -> str | None:
    if copied:
        return _source(copied) if sources[copied["secret"]].get(copied["key"]) == parameter["Value"] else OTHER
    return None if parameter["Type"] == "SecureString" else parameter["Value"]


def found_stored(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The deploy bucket, its releases, and parameters.

    Older releases stay on purpose, for machines may still fetch them. A stranger below the path becomes a variable of the application.
    """
    ours = {bucket["Name"] for bucket in found["buckets"]}
    for place, told in found.items():
        if not place.startswith("bucket ") or not told:
            continue
        name = place.removeprefix("bucket ")
        yield Resource("bucket", name, _bucket(told), id=f"arn:aws:s3:::{name}", borrowed=name not in ours)
        for one in told["releases"]:
            key, fields = f"{name}/{one['Key']}", {"sha256": one.get("Sha256"), "bytes": one["Size"]}
            yield Resource("release_object", key, fields, id=f"s3://{key}", borrowed=True)
    for one in found.get("parameter_details", []):
        value = Secret("") if one["Told"] is None else one["Told"]
        fields = {"type": one["Type"], "value": value, "tags": tags_of(one)}
        yield Resource("parameter", one["Name"], fields, id=one["Name"], foreign=not one["Tagged"])


def _bucket(told: Mapping[str, Any]) -> dict[str, Any]:
    blocked, rules = told["public_access"] or {}, (told["encryption"] or {}).get("Rules", [])
    return {
        "public_access": {word: "blocked" if blocked.get(word) else "open" for word in BLOCKED},
        "ownership": next((rule["ObjectOwnership"] for rule in (told["ownership"] or {}).get("Rules", [])), None),
        "encryption": next((rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules), None),
        "versioning": told["versioning"],
        "policy": policy(told["policy"]) if told["policy"] else None,
        "tags": tags_of({"Tags": told["tags"] or []}),
    }
