"""Signature Version 4: whether a request was signed with the secret that belongs to its key (IAM User Guide, "Signature Version 4").

A presigned URL has its signature in the query, and a time for which it holds (S3 API Reference, "Authenticating Requests: Using Query
Parameters").
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .asked import Call

LONGEST = timedelta(days=7)  # for which a presigned URL may hold
SCOPE = r"(?P<key>[^/]+)/(?P<day>[^/]+)/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
SKEW = timedelta(minutes=15)  # by which a signer's clock may be ahead


@dataclass(frozen=True)
class _Signed:
    """What a request says of its signature. `query` is what is signed of the query; a presigned URL holds from one moment to another."""

    key: str
    region: str
    service: str
    headers: str
    at: str
    signature: str
    query: str
    holds: tuple[datetime, datetime] | None = None


def is_right(call: Call, secret: str) -> bool:
    """Whether the signature, in the Authorization header or in the query, is that of `secret`."""
    signed = _signed(call)
    if signed is None or (signed.region, signed.service) != (call.region, call.service):  # else policies are asked of another service
        return False
    of_s3 = S3SigV4QueryAuth if signed.holds else S3SigV4Auth  # a presigned URL says nothing of the body
    kind = of_s3 if signed.service == "s3" else SigV4Auth
    signer = kind(Credentials(signed.key, secret), signed.service, signed.region)
    request = AWSRequest(
        method=call.method,
        url=f"https://{call.host}{call.path}{'?' + signed.query if signed.query else ''}",
        data=call.body,
        headers={name: call.headers.get(name, "") for name in signed.headers.split(";")},
    )
    request.context["timestamp"] = signed.at
    expected: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return hmac.compare_digest(expected.encode(), signed.signature.encode())


def why_not_now(call: Call, now: datetime) -> str:
    """Empty when a rightly signed request holds now, else AWS's sentence about a presigned URL."""
    signed = _signed(call)
    if signed is None or signed.holds is None:
        return ""
    start, end = signed.holds
    if now + SKEW < start:
        return "Request is not yet valid"
    return "" if now < end else "Request has expired"


def _signed(call: Call) -> _Signed | None:
    """None when it is not signed, or not as AWS wants it."""
    authorization = call.headers.get("authorization", "")
    return _of_header(call, authorization) if authorization else _of_query(call)


def _of_header(call: Call, authorization: str) -> _Signed | None:
    rest = r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]+)"
    found = re.fullmatch(f"AWS4-HMAC-SHA256 Credential={SCOPE}, ?{rest}", authorization)
    if found is None:
        return None
    at = call.headers.get("x-amz-date", "")
    return _Signed(found["key"], found["region"], found["service"], found["headers"], at, found["signature"], call.query)


def _of_query(call: Call) -> _Signed | None:
    fields = call.fields
    scope = re.fullmatch(SCOPE, fields.get("X-Amz-Credential", ""))
    at, headers, signature = (fields.get(f"X-Amz-{name}", "") for name in ("Date", "SignedHeaders", "Signature"))
    try:
        start = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        end = start + timedelta(seconds=int(fields.get("X-Amz-Expires", "")))
    except (ValueError, OverflowError):
        return None
    if scope is None or fields.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" or not timedelta() < end - start <= LONGEST:
        return None
    query = "&".join(pair for pair in call.query.split("&") if not pair.startswith("X-Amz-Signature="))
    return _Signed(scope["key"], scope["region"], scope["service"], headers, at, signature, query, (start, end))
