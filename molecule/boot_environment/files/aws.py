#!/usr/bin/python3
"""Secrets Manager and SSM on 443 and the metadata service (IMDSv2 only) on 8254.

The first request for a secret is refused, as it is on a machine whose role is not known everywhere yet.
"""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
SECRETS = {
    "uda/database": {"username": "postgres", "password": "a'b\"c\\d$e `f` #g %h \u00e9\nsecond line"},
    "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/app-a1b2c3": {"secret_key": "only-for-tests"},
}
PARAMETERS = {"/uda/dev/DB_HOST": "db.example", "/uda/dev/DB_USER": "from the path", "/uda/colour": "green tea"}
asked: list[str] = []


class Metadata(BaseHTTPRequestHandler):
    """IMDSv2."""

    def do_PUT(self) -> None:
        answer(self, 200, "the-token")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "the-token":
            return answer(self, 401, "")
        pages = {ROLES: "probe-role", f"{ROLES}probe-role": json.dumps(CREDENTIALS)}
        return answer(self, 200 if self.path in pages else 404, pages.get(self.path, ""))


class Services(BaseHTTPRequestHandler):
    """GetSecretValue of Secrets Manager, GetParameters and GetParametersByPath of SSM."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signed_by_the_role = CREDENTIALS["AccessKeyId"] in self.headers.get("Authorization", "")
        asked.append(self.headers["X-Amz-Target"])
        if len(asked) == 1 or not signed_by_the_role or self.headers.get("X-Amz-Security-Token") != "session-token":
            return answer(self, 400, json.dumps({"__type": "AccessDeniedException", "Message": "not authorized"}))
        if "SecretId" not in body:
            wanted = body["Names"] if "Names" in body else [name for name in PARAMETERS if name.rpartition("/")[0] == body["Path"]]
            found = [{"Name": name, "Value": PARAMETERS[name]} for name in wanted if name in PARAMETERS]
            return answer(self, 200, json.dumps({"Parameters": found if body["WithDecryption"] else []}))
        if body["SecretId"] not in SECRETS:
            return answer(self, 400, json.dumps({"__type": "ResourceNotFoundException", "Message": "no such secret"}))
        return answer(self, 200, json.dumps({"SecretString": json.dumps(SECRETS[body["SecretId"]])}))


def answer(request: BaseHTTPRequestHandler, status: int, body: str) -> None:
    """Send it."""
    request.send_response(status)
    request.send_header("Content-Length", str(len(body.encode())))
    request.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
    request.end_headers()
    request.wfile.write(body.encode())


if __name__ == "__main__":
    metadata = ThreadingHTTPServer(("127.0.0.1", 8254), Metadata)
    threading.Thread(target=metadata.serve_forever, daemon=True).start()
    services = ThreadingHTTPServer(("127.0.0.1", 443), Services)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/usr/local/share/ca-certificates/aws.crt", "/etc/ssl/private/aws.key")
    services.socket = context.wrap_socket(services.socket, server_side=True)
    services.serve_forever()
