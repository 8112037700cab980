#!/usr/bin/python3
"""S3 on 443 and the metadata service (IMDSv2 only) on 8254. What S3 answers to GetObject is told by the key.

releases/busy-* is answered by 503 the first time, releases/denied* by AccessDenied, anything else by the file of that name in /srv/s3.
"""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CREDENTIALS = {
    "Code": "Success",
    "Type": "AWS-HMAC",
    "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "Token": "session-token",
    "LastUpdated": "2026-01-01T00:00:00Z",
    "Expiration": "2099-01-01T00:00:00Z",
}
ROLES = "/latest/meta-data/iam/security-credentials/"
asked: list[str] = []


class Metadata(BaseHTTPRequestHandler):
    """IMDSv2."""

    def do_PUT(self) -> None:
        answer(self, 200, b"the-token")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "the-token":
            return answer(self, 401, b"")
        pages = {ROLES: "probe-role", f"{ROLES}probe-role": json.dumps(CREDENTIALS)}
        return answer(self, 200 if self.path in pages else 404, pages.get(self.path, "").encode())


class S3(BaseHTTPRequestHandler):
    """GetObject of the bucket `deploy`."""

    def do_GET(self) -> None:
        key = self.path.lstrip("/").partition("?")[0]
        asked.append(key)
        name = key.removeprefix("releases/")
        signed_by_the_role = CREDENTIALS["AccessKeyId"] in self.headers.get("Authorization", "")
        if name.startswith("denied") or not signed_by_the_role or self.headers.get("X-Amz-Security-Token") != "session-token":
            return refuse(self, 403, "AccessDenied")
        if name.startswith("busy") and asked.count(key) <= 2:  # boto3 itself tries twice
            return refuse(self, 503, "SlowDown")
        file = Path("/srv/s3", name)
        return answer(self, 200, file.read_bytes()) if file.exists() else refuse(self, 404, "NoSuchKey")


def refuse(request: BaseHTTPRequestHandler, status: int, code: str) -> None:
    """An error as S3 words it."""
    answer(request, status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>refused</Message></Error>".encode())


def answer(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    """Send it."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    request.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
    request.end_headers()
    request.wfile.write(body)


if __name__ == "__main__":
    metadata = ThreadingHTTPServer(("127.0.0.1", 8254), Metadata)
    threading.Thread(target=metadata.serve_forever, daemon=True).start()
    s3 = ThreadingHTTPServer(("127.0.0.1", 443), S3)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/usr/local/share/ca-certificates/aws.crt", "/etc/ssl/private/aws.key")
    s3.socket = context.wrap_socket(s3.socket, server_side=True)
    s3.serve_forever()
