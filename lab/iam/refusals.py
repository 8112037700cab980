"""How AWS says no, in the protocol that was asked in: EC2's, the query protocol's, S3's, JSON or CBOR."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .asked import Call


@dataclass(frozen=True)
class Refusal:
    """An answer in place of the service's own."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Reason:
    """What went wrong, by the words that each family of services has for it (each service's page "Common Errors")."""

    ec2: tuple[str, str]
    query: tuple[str, str]
    json: tuple[str, str]
    s3: tuple[str, str]


INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 AWS's words
OTHER_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
)
UNKNOWN_KEY = Reason(
    ec2=("401 Unauthorized", "AuthFailure"),
    query=("403 Forbidden", "InvalidClientTokenId"),
    json=("400 Bad Request", "UnrecognizedClientException"),
    s3=("403 Forbidden", "InvalidAccessKeyId"),
)
UNSIGNED = Reason(
    ec2=("400 Bad Request", "MissingParameter"),
    query=("403 Forbidden", "MissingAuthenticationToken"),
    json=("400 Bad Request", "MissingAuthenticationTokenException"),
    s3=("403 Forbidden", "AccessDenied"),
)
WRONG_SIGNATURE = Reason(
    ec2=("401 Unauthorized", "AuthFailure"),
    query=("403 Forbidden", "SignatureDoesNotMatch"),
    json=("400 Bad Request", "InvalidSignatureException"),
    s3=("403 Forbidden", "SignatureDoesNotMatch"),
)
DENIED = Reason(
    ec2=("403 Forbidden", "UnauthorizedOperation"),
    query=("403 Forbidden", "AccessDenied"),
    json=("400 Bad Request", "AccessDeniedException"),
    s3=("403 Forbidden", "AccessDenied"),
)
OUT_OF_TIME = Reason(
    ec2=("400 Bad Request", "RequestExpired"),
    query=("400 Bad Request", "RequestExpired"),
    json=("400 Bad Request", "RequestExpired"),
    s3=("403 Forbidden", "AccessDenied"),
)
MALFORMED = Reason(*[("400 Bad Request", "MalformedXML")] * 4)  # only S3's requests name what they are about in a document
MESSAGES = {  # code -> text, where AWS has another than the general one
    ("ec2", "AuthFailure"): "AWS was not able to validate the provided access credentials",
    ("s3", "InvalidAccessKeyId"): "The AWS Access Key Id you provided does not exist in our records.",
}


def unknown_key(call: Call) -> Refusal:
    return refusal(call, UNKNOWN_KEY, INVALID_TOKEN)


def unsigned(call: Call) -> Refusal:
    return refusal(call, UNSIGNED, "Request is missing Authentication Token")


def wrong_signature(call: Call) -> Refusal:
    return refusal(call, WRONG_SIGNATURE, OTHER_SIGNATURE)


def out_of_time(call: Call, sentence: str) -> Refusal:
    return refusal(call, OUT_OF_TIME, sentence)


def malformed(call: Call) -> Refusal:
    return refusal(call, MALFORMED, "The XML you provided was not well-formed or did not validate against our published schema")


def denied(call: Call, message: str) -> Refusal:
    """`message` names principal, action and resource, as AWS's do (IAM User Guide, "Troubleshoot access denied error messages")."""
    text = f"You are not authorized to perform this operation. {message}" if family(call) == "ec2" else message
    return refusal(call, DENIED, text)


def family(call: Call) -> str:
    """Which protocol the call came in: `ec2`, `s3`, `json`, `cbor` or `query`."""
    if call.service in ("ec2", "s3"):
        return call.service
    if call.path.startswith("/service/"):
        return "cbor"
    return "json" if call.headers.get("x-amz-target") else "query"


def refusal(call: Call, reason: Reason, message: str) -> Refusal:
    """The error document."""
    kind = family(call)
    status, code = {"ec2": reason.ec2, "s3": reason.s3, "query": reason.query}.get(kind, reason.json)
    text, request_id = MESSAGES.get((kind, code), message), str(uuid.uuid4())
    if kind in ("json", "cbor"):
        content = {"__type": code, "message": text}
        headers = [("x-amzn-RequestId", request_id), ("x-amzn-errortype", code)]
        if kind == "json":
            return Refusal(status, [*headers, ("Content-Type", "application/x-amz-json-1.1")], json.dumps(content).encode())
        return Refusal(status, [*headers, ("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], _cbor(content))
    error = f"<Code>{code}</Code><Message>{escape(text)}</Message>"
    document = {
        "ec2": f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>",
        "s3": f"<Error>{error}<RequestId>{request_id}</RequestId><HostId>lab</HostId></Error>",
        "query": f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>",
    }[kind]
    return Refusal(status, [("Content-Type", "text/xml")], f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode())


def _cbor(content: dict[str, str]) -> bytes:
    """A map of texts in CBOR (RFC 8949): a head of major type and length before the map and each text."""

    def head(major: int, length: int) -> bytes:
        if length < 24:
            return bytes([major << 5 | length])
        return bytes([major << 5 | 25]) + length.to_bytes(2, "big")

    texts = [text.encode() for pair in content.items() for text in pair]
    return head(5, len(content)) + b"".join(head(3, len(text)) + text for text in texts)
