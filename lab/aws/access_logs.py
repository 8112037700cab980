"""Access logs of load balancers: refused, as on AWS, for a bucket that is missing, elsewhere, or closed to log delivery.

AWS's page "Enable access logs for your Application Load Balancer" names the principal, the key and the encryption. The older way of
some regions, an AWS account in the policy instead of the service, is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend
from moto.s3.models import s3_backends

from ..iam.conditions import PolicyError
from ..iam.policy import Ask, Effect, decide
from ._patch import wrap

PRINCIPAL = "logdelivery.elasticloadbalancing.amazonaws.com"
TEST_TEXT = b"Enable AccessLog for ELB: test file\n"


def install() -> None:
    wrap(ELBv2Backend, "modify_load_balancer_attributes")(_modify_load_balancer_attributes)


def folder(prefix: str, account_id: str) -> str:
    """Where the log files of an account begin."""
    return f"{prefix.strip('/')}/AWSLogs/{account_id}".lstrip("/")


def put(bucket_name: str, key: str, content: bytes) -> bool:
    """Write an object as the log delivery service does; False when the bucket is gone."""
    bucket, s3 = _bucket(bucket_name)
    if bucket is None:
        return False
    s3.put_object(bucket_name, key, content, encryption="AES256")
    return True


def may_deliver(elbv2: Any, balancer_arn: str, bucket_name: str, prefix: str) -> bool:
    """Whether the bucket stands in the load balancer's region and its policy lets log delivery write there."""
    bucket, _s3 = _bucket(bucket_name)
    if bucket is None or bucket.region_name != elbv2.region_name or not bucket.policy:
        return False
    if bucket.encryption and "aws:kms" in json.dumps(bucket.encryption):
        return False  # only keys that S3 manages are supported
    resource = f"arn:aws:s3:::{bucket_name}/{folder(prefix, elbv2.account_id)}/elasticloadbalancing/"
    known = {"aws:sourcearn": balancer_arn, "aws:sourceaccount": elbv2.account_id, "aws:securetransport": "true"}
    return permits(json.loads(bucket.policy), "s3:PutObject", resource, known)


def permits(policy: Mapping[str, Any], action: str, resource: str, known: Mapping[str, str]) -> bool:
    """Whether a bucket policy lets log delivery do this; one that says what is not evaluated here does not. Pure.

    `known` holds the condition keys of the request in lower case.
    """
    try:
        return decide([policy], Ask(action, resource), known, (PRINCIPAL,)) is Effect.ALLOW
    except PolicyError:
        return False


def _bucket(name: str) -> tuple[Any, Any]:
    partition, account_id = s3_backends.bucket_accounts.get(name, (None, None))
    if account_id is None:
        return None, None
    s3 = s3_backends[account_id][partition]
    return s3.buckets.get(name), s3


def _modify_load_balancer_attributes(original: Callable[..., Any], elbv2: Any, arn: str, attrs: dict[str, Any]) -> Any:
    balancer = elbv2.load_balancers.get(arn)
    after = (balancer.attrs if balancer else {}) | attrs
    logs = [key for key in attrs if key.startswith("access_logs.s3.")]
    if balancer and logs and after.get("access_logs.s3.enabled") == "true":
        bucket, prefix = after.get("access_logs.s3.bucket") or "", after.get("access_logs.s3.prefix") or ""
        if not may_deliver(elbv2, arn, bucket, prefix):
            raise ELBClientError("InvalidConfigurationRequest", f"Access Denied for bucket: {bucket}. Please check S3bucket permission")
        put(bucket, f"{folder(prefix, elbv2.account_id)}/ELBAccessLogTestFile", TEST_TEXT)
    return original(elbv2, arn, attrs)
