"""What a request to S3 asks for: S3 has no action names on the wire, only methods, paths and subresources.

Names follow the Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote
from xml.parsers.expat import ExpatError

import xmltodict

from .policy import Ask

BUCKET = {  # subresource in the query -> what its actions are called after Get or Put; DELETE is Put but for those of DELETES
    "accelerate": "AccelerateConfiguration", "acl": "BucketAcl", "cors": "BucketCORS", "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration", "location": "BucketLocation", "logging": "BucketLogging",
    "notification": "BucketNotification", "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls", "policy": "BucketPolicy", "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock", "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment", "tagging": "BucketTagging", "versioning": "BucketVersioning", "website": "BucketWebsite",
    "inventory": "InventoryConfiguration", "metrics": "MetricsConfiguration", "analytics": "AnalyticsConfiguration",
}  # fmt: skip
DELETES = {"policy": "DeleteBucketPolicy", "website": "DeleteBucketWebsite"}
LISTS = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads"}
VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "POST": "Put", "DELETE": "Delete"}
OBJECT = {"acl": "Acl", "tagging": "Tagging", "retention": "Retention", "legal-hold": "LegalHold", "attributes": "Attributes"}


def place(host: str, path: str) -> tuple[str, str]:
    """(bucket, key) of a request, by path (`/bucket/key`) or by host (`bucket.s3.<region>.amazonaws.com`); empty where there is none."""
    path = unquote(path).lstrip("/")
    found = re.fullmatch(r"(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com", host.partition(":")[0])
    if found:
        return found[1], path
    bucket, _, key = path.partition("/")
    return bucket, key


def asks(method: str, host: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes = b"") -> Iterator[Ask]:
    """The permissions that a request needs; none for a list of objects that is empty or cannot be read. `headers` by lower-case names."""
    bucket, key = place(host, path)
    if not bucket:
        yield Ask("s3:ListAllMyBuckets")
    elif key:
        yield from _object(method, f"arn:aws:s3:::{bucket}/{key}", query, headers)
    elif "delete" in query and method == "POST":
        for named in _listed(body):
            yield Ask(f"s3:DeleteObject{'Version' if named.get('VersionId') else ''}", f"arn:aws:s3:::{bucket}/{named['Key']}")
    else:
        context = {f"s3:{name}": query[name] for name in ("prefix", "delimiter") if name in query}
        yield Ask(_bucket(method, query), f"arn:aws:s3:::{bucket}", context)


def _listed(body: bytes) -> list[dict[str, Any]]:
    """The objects of DeleteObjects, read as moto reads them: what is deleted is what was asked for."""
    try:
        found = xmltodict.parse(body, strip_whitespace=False)["Delete"]["Object"]
    except (ExpatError, ValueError, LookupError, TypeError):
        return []
    objects = found if isinstance(found, list) else [found]
    readable = all(isinstance(named, dict) and named.get("Key") and isinstance(named["Key"], str) for named in objects)
    return objects if readable else []


def _bucket(method: str, query: Mapping[str, str]) -> str:
    for name, action in LISTS.items():
        if name in query:
            return f"s3:{action}"
    for name, what in BUCKET.items():
        if name in query:
            if method == "DELETE":
                return f"s3:{DELETES.get(name, f'Put{what}')}"
            return f"s3:{VERBS.get(method, method)}{what}"
    return {"GET": "s3:ListBucket", "HEAD": "s3:ListBucket", "PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}.get(
        method, "s3:Unknown"
    )


def _object(method: str, arn: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Iterator[Ask]:
    version = "Version" if "versionId" in query else ""
    if "uploadId" in query and method in ("GET", "DELETE"):
        yield Ask("s3:ListMultipartUploadParts" if method == "GET" else "s3:AbortMultipartUpload", arn)
        return
    for name, what in OBJECT.items():
        if name in query:
            yield Ask(f"s3:{VERBS.get(method, method)}Object{version}{what}", arn)
            return
    source = headers.get("x-amz-copy-source", "")
    if source:
        yield Ask("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/').partition('?')[0]}")
    yield Ask(f"s3:{VERBS.get(method, method)}Object{version if method != 'PUT' else ''}", arn)
    if headers.get("x-amz-tagging"):
        yield Ask("s3:PutObjectTagging", arn)
