"""The instance metadata service, version 2, at 169.254.169.254 in every VPC (EC2 User Guide, "Instance metadata categories")."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

Find = Callable[[str], Any | None]  # private address -> moto's instance
CREDENTIALS_SECONDS = 6 * 3600


def tree(instance: Any) -> dict[str, str]:
    """Everything that an instance may read, path -> content, except its role's credentials. Pure over moto's instance."""
    zone = instance.placement.zone
    region = instance.ec2_backend.region_name
    found = {
        "meta-data/ami-id": instance.image_id,
        "meta-data/instance-id": instance.id,
        "meta-data/instance-type": instance.instance_type,
        "meta-data/local-hostname": instance.private_dns_name,
        "meta-data/hostname": instance.private_dns_name,
        "meta-data/local-ipv4": instance.private_ip,
        "meta-data/mac": instance.nics[0].mac_address,
        "meta-data/placement/availability-zone": zone,
        "meta-data/placement/region": region,
        "meta-data/security-groups": "\n".join(sorted(group.name for group in instance.security_groups)),
        "dynamic/instance-identity/document": json.dumps(
            {"accountId": instance.owner_id, "region": region, "availabilityZone": zone, "instanceId": instance.id,
             "imageId": instance.image_id, "instanceType": instance.instance_type, "privateIp": instance.private_ip}
        ),
    }  # fmt: skip
    if instance.public_ip:
        found["meta-data/public-ipv4"] = instance.public_ip
    pair = instance.ec2_backend.key_pairs.get(instance.key_name)
    if pair is not None:
        public = pair.material_public
        found["meta-data/public-keys/0/openssh-key"] = public.decode() if isinstance(public, bytes) else public
    if instance.user_data:
        found["user-data"] = decoded(instance.user_data)
    if instance.metadata_options.instance_metadata_tags == "enabled":
        found |= {f"meta-data/tags/instance/{tag['key']}": tag["value"] for tag in instance.get_tags()}
    return found


def decoded(user_data: Any) -> str:
    """User data as the instance sees it: what was sent in base64 is decoded."""
    raw = user_data if isinstance(user_data, bytes) else str(user_data).encode()
    try:
        return base64.b64decode(raw, validate=True).decode()
    except ValueError:
        return raw.decode()


def answer(found: dict[str, str], path: str) -> str | None:
    """A leaf's content, or a directory's listing, or None."""
    wanted = path.strip("/")
    if wanted in found:
        return found[wanted]
    prefix = f"{wanted}/" if wanted else ""
    below = {key[len(prefix) :] for key in found if key.startswith(prefix)}
    return "\n".join(sorted({f"{head}/" if rest else head for head, _, rest in (key.partition("/") for key in below)})) or None


class Credentials:
    """The role credentials of instances, made by the API's own STS and renewed an hour before they end."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], tuple[float, str]] = {}

    def tree(self, instance: Any) -> dict[str, str]:
        """`iam/...` paths of an instance with an instance profile; empty without."""
        role = _role_of(instance)
        if role is None:
            return {}
        key = (instance.id, role.arn)
        if self._made.get(key, (0.0, ""))[0] < time.time() + 3600:
            self._made[key] = (time.time() + CREDENTIALS_SECONDS, _assume(instance, role))
        return {
            "meta-data/iam/info": json.dumps({"Code": "Success", "InstanceProfileArn": role.arn}),
            f"meta-data/iam/security-credentials/{role.name}": self._made[key][1],
        }


def _role_of(instance: Any) -> Any | None:
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    if association is None:
        return None
    name = association.iam_instance_profile.name
    profile = iam_backends[instance.owner_id]["aws"].get_instance_profile(name)
    return profile.roles[0] if profile.roles else None


def _assume(instance: Any, role: Any) -> str:
    made = sts_backends[instance.owner_id]["aws"].assume_role(
        region_name=instance.ec2_backend.region_name,
        role_session_name=instance.id,
        role_arn=role.arn,
        policy=None,
        duration=CREDENTIALS_SECONDS,
        external_id=None,
    )
    until = datetime.fromtimestamp(time.time() + CREDENTIALS_SECONDS, UTC)
    return json.dumps(
        {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
         "AccessKeyId": made.access_key_id, "SecretAccessKey": made.secret_access_key, "Token": made.session_token,
         "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    )  # fmt: skip


def handler(find: Find, credentials: Credentials) -> type[BaseHTTPRequestHandler]:
    """A request handler that answers the instance which owns the client's address."""
    tokens: dict[str, tuple[str, float]] = {}

    class Handler(BaseHTTPRequestHandler):
        server_version = "EC2ws"

        def do_PUT(self) -> None:
            seconds = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            if self.path != "/latest/api/token" or not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
                self._say(400, "")
                return
            token = secrets.token_urlsafe(32)
            tokens[token] = (self.client_address[0], time.time() + int(seconds))
            self._say(200, token)

        def do_GET(self) -> None:
            address = self.client_address[0]
            instance = find(address)
            if instance is None:
                self._say(404, "")
                return
            token = self.headers.get("X-aws-ec2-metadata-token")
            if token is None and instance.metadata_options.http_tokens == "required":
                self._say(401, "")
                return
            if token is not None and not (tokens.get(token, ("", 0.0))[0] == address and tokens[token][1] > time.time()):
                self._say(401, "")
                return
            path = self.path.removeprefix("/latest")
            content = answer(tree(instance) | credentials.tree(instance), path)
            self._say(404 if content is None else 200, content or "")

        def _say(self, status: int, content: str) -> None:
            body = content.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Metadata requests are not logged: they are many, and say nothing that the machine's journal does not."""

    return Handler


def finder(vpc_id: str) -> Find:
    """Looks an instance up by its private address in one VPC; two VPCs may use the same addresses."""

    def find(address: str) -> Any | None:
        for _account, _region, backend in list(ec2_backends.iter_backends()):
            if vpc_id in backend.vpcs:
                for instance in backend.all_instances():
                    if instance.state != "terminated" and instance.vpc_id == vpc_id and instance.private_ip == address:
                        return instance
        return None

    return find
