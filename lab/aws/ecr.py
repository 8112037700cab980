"""ECR: a repository's address leads to the lab's registry (lab/registry), tokens are real, digests and sizes are the images' own.

moto makes digests up and hands out one token for everybody. The registry puts what is pushed into moto's repositories, so
DescribeImages and ListImages tell what can be pulled.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend, Image, Repository, ecr_backends
from moto.ecr.responses import ECRResponse

from ._patch import wrap

TOKEN_LIFE = timedelta(hours=12)  # ECR API Reference, "GetAuthorizationToken"
NO_SCANNER = {"status": "FAILED", "description": "UnsupportedImageError: the lab has no scanner, so nothing is known of this image."}

_tokens_lock = threading.Lock()
_served_at: list[str] = []  # host and port of the lab's registry; empty outside of a lab


def serve_at(host: str) -> None:
    """From now on repositories are found at this host and port."""
    _served_at[:] = [host]


def install() -> None:
    wrap(ECRBackend, "__init__")(_backend)
    wrap(Repository, "__init__")(_repository)
    wrap(Image, "__init__")(_image)
    wrap(ECRBackend, "put_image")(_put_image)
    wrap(ECRBackend, "start_image_scan")(_start_image_scan)
    wrap(ECRBackend, "describe_image_scan_findings")(_describe_image_scan_findings)
    ECRResponse.get_authorization_token = _get_authorization_token
    Image._create_digest = _create_digest
    Image.get_image_size_in_bytes = _size


def backend_of(token: str) -> tuple[Any, str] | None:
    """The ECR backend (account and region) that a token was given by, and the access key that asked; None for a wrong or old one."""
    for _account, _region, backend in list(ecr_backends.iter_backends()):
        access_key, until = getattr(backend, "lab_tokens", {}).get(token, ("", datetime.min.replace(tzinfo=UTC)))
        if until > datetime.now(UTC):
            return backend, access_key
    return None


def new_token(backend: Any, access_key: str) -> tuple[str, datetime]:
    """A token for this account and region, and until when it holds."""
    now = datetime.now(UTC)
    new, until = secrets.token_urlsafe(48), now + TOKEN_LIFE
    with _tokens_lock:  # a read of the API: several threads ask at once, and others may be walking over the old mapping
        known = getattr(backend, "lab_tokens", {})
        backend.lab_tokens = {token: entry for token, entry in known.items() if entry[1] > now} | {new: (access_key, until)}
    return new, until


def repository_of(image: str, account_id: str, region: str) -> tuple[Any, str] | None:
    """The repository that an image's name points to, and the tag or digest behind it; None for another registry's image."""
    host, _, rest = image.partition("/")
    found = re.fullmatch(r"(?P<name>[a-z0-9._/-]+?)(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w.-]+))?", rest)
    named = re.fullmatch(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com", host)
    if not found or not (named or host in _served_at):
        return None
    account_id, region = named.groups() if named else (account_id, region)
    repository = ecr_backends[account_id][region].repositories.get(found["name"])
    return repository, found["digest"] or found["tag"] or "latest"


def find(repository: Any, reference: str) -> Any | None:
    """The image with this tag or digest."""
    for image in repository.images:
        if reference in image.image_tags or reference == image.get_image_digest():
            return image
    return None


def blobs_in_use() -> set[str]:
    """Digests of all that the images of every repository are made of."""
    return {
        part["digest"]
        for _account, _region, backend in list(ecr_backends.iter_backends())
        for repository in list(backend.repositories.values())
        for image in list(repository.images)
        for part in _parts(image)
    }


def _parts(image: Any) -> list[dict[str, Any]]:
    manifest = json.loads(image.image_manifest)
    return [*manifest.get("layers", []), *filter(None, [manifest.get("config")])]


def _backend(original: Callable[..., None], ecr: Any, *args: Any, **kwargs: Any) -> None:
    """moto holds a lock for what the lab's own lock guards already, and a lock cannot be saved with the state."""
    original(ecr, *args, **kwargs)
    ecr.registry_scanning_configuration_update_lock = nullcontext()


def _repository(original: Callable[..., None], repository: Any, *args: Any, **kwargs: Any) -> None:
    original(repository, *args, **kwargs)
    if _served_at:
        repository.uri = f"{_served_at[0]}/{repository.name}"


def _image(original: Callable[..., None], image: Any, *args: Any, **kwargs: Any) -> None:
    original(image, *args, **kwargs)
    image.image_scan_status = None


def _get_authorization_token(self: Any) -> ActionResult:
    """Every token is of its own; `proxyEndpoint` names the registry, which in the lab speaks HTTP on loopback."""
    found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
    token, until = new_token(self.ecr_backend, found.group(1) if found else "")
    endpoint = f"http://{_served_at[0]}" if _served_at else f"https://{self.current_account}.dkr.ecr.{self.region}.amazonaws.com"
    data = {"authorizationToken": b64encode(f"AWS:{token}".encode()).decode(), "expiresAt": until, "proxyEndpoint": endpoint}
    return ActionResult({"authorizationData": [data]})


def _create_digest(image: Any) -> None:
    image._image_digest = "sha256:" + hashlib.sha256(image.image_manifest.encode()).hexdigest()


def _size(image: Any) -> int:
    return sum(int(part.get("size", 0)) for part in _parts(image))


def _put_image(original: Callable[..., Any], ecr: Any, repository_name: str, *args: Any, **kwargs: Any) -> Any:
    image = original(ecr, repository_name, *args, **kwargs)
    if ecr.repositories[repository_name].image_scanning_configuration.get("scanOnPush"):
        _scan(image)
    return image


def _scan(image: Any) -> None:
    image.last_scan, image.image_scan_status = datetime.now(), NO_SCANNER


def _start_image_scan(original: Callable[..., Any], ecr: Any, registry_id: str, repository_name: str, image_id: dict[str, str]) -> Any:
    answer = original(ecr, registry_id, repository_name, image_id)
    _scan(ecr._get_repository(repository_name, registry_id)._get_image(image_id.get("imageTag"), image_id.get("imageDigest")))
    return answer


def _describe_image_scan_findings(
    _original: Callable[..., Any], ecr: Any, registry_id: str, repository_name: str, image_id: dict[str, Any]
) -> Any:
    """moto invents vulnerabilities."""
    repository = ecr._get_repository(repository_name, registry_id)
    image = repository._get_image(image_id.get("imageTag"), image_id.get("imageDigest"))
    if image.image_scan_status is None:
        raise JsonRESTError("ScanNotFoundException", f"Image scan does not exist for the image with '{image_id}'")
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository_name,
        "imageId": {"imageDigest": image.image_digest, "imageTag": image.image_tag},
        "imageScanStatus": image.image_scan_status,
    }
