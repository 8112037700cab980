"""The OCI distribution API (OCI Distribution Specification 1.1) as a WSGI application, in front of the lab's ECR.

Layers are files (blobs.py); manifests and tags are moto's, so that what is pushed is told by DescribeImages and kept with the rest of the
state. A token of GetAuthorizationToken says which account and region a request means, as the host's name does on AWS. Public images,
which on AWS are in ECR Public, are pulled without one.

Not offered: deleting by this API (ECR does not either; BatchDeleteImage does) and range requests.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moto.core.exceptions import ServiceException
from werkzeug.wrappers import Request, Response

from ..aws import ecr
from .blobs import DIGEST, PIECE, Blobs
from .public import Layout

ROUTE = re.compile(r"/v2/(?P<name>[a-z0-9]+(?:[._/-][a-z0-9]+)*)/(?P<kind>manifests|blobs/uploads|blobs|tags)(?:/(?P<reference>[^/]*))?")
OCTETS = "application/octet-stream"
Allowed = Callable[[Any, str, str, str], bool]  # (ECR backend, access key, action, ARN of the repository)


class Registry:
    """`allowed` decides whether who asked for the token may do something; by default everybody may."""

    def __init__(
        self, blobs: Blobs, public: Mapping[str, Layout], lock: threading.RLock, changed: Callable[[], None], allowed: Allowed | None = None
    ) -> None:
        self._blobs, self._public, self._lock, self._changed = blobs, public, lock, changed
        self._allowed = allowed or (lambda *_: True)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        response = self._answer(request)
        response.headers["Docker-Distribution-API-Version"] = "registry/2.0"
        while request.stream.read(PIECE):  # what is left of a body would be taken for the next request
            continue
        content: Iterable[bytes] = response(environ, start)
        return content

    def _answer(self, request: Request) -> Response:
        found = ROUTE.fullmatch(request.path)
        name, kind, reference = found.group("name", "kind", "reference") if found else ("", "", "")
        if name in self._public and request.method in ("GET", "HEAD"):
            return self._answer_public(request, self._public[name], kind, reference or "")
        who = ecr.backend_of(_token(request))
        if who is None:
            return _unauthorized()
        if request.path in ("/v2", "/v2/"):
            return Response("{}", content_type="application/json")
        backend, access_key = who
        repository = backend.repositories.get(name)
        if repository is None:
            text = f"The repository with name '{name}' does not exist in the registry with id '{backend.account_id}'"
            return _error(404, "NAME_UNKNOWN", text)
        action = _action(request.method, kind)
        if not self._allowed(backend, access_key, action, repository.arn):
            return _error(403, "DENIED", f"User is not authorized to perform: {action} on resource: {repository.arn}")
        return self._answer_repository(request, backend, repository, kind, reference or "")

    def _answer_repository(self, request: Request, backend: Any, repository: Any, kind: str, reference: str) -> Response:
        reading = request.method in ("GET", "HEAD")
        if kind == "tags" and reading:
            tags = sorted(tag for image in repository.images for tag in image.image_tags)
            return Response(json.dumps({"name": repository.name, "tags": tags}), content_type="application/json")
        if kind == "manifests":
            return self._read_manifest(repository, reference) if reading else self._push(request, backend, repository, reference)
        if kind == "blobs" and reading:
            return _blob(request, self._blobs.find(reference), reference)
        if kind == "blobs/uploads":
            return self._upload(request, repository.name, reference)
        return _error(405, "UNSUPPORTED", f"{request.method} {request.path} is not offered here")

    def _answer_public(self, request: Request, layout: Layout, kind: str, reference: str) -> Response:
        media_type, digest = layout.manifest()
        if kind == "manifests":
            wanted = reference if DIGEST.fullmatch(reference) else digest
            return _blob(request, layout.find(wanted), wanted, media_type, "MANIFEST_UNKNOWN")
        return _blob(request, layout.find(reference), reference)

    def _read_manifest(self, repository: Any, reference: str) -> Response:
        image = ecr.find(repository, reference)
        if image is None:
            return _error(404, "MANIFEST_UNKNOWN", f"Requested image not found: {repository.name}:{reference}")
        response = Response(image.image_manifest, content_type=image.image_manifest_media_type)
        response.headers["Docker-Content-Digest"] = image.get_image_digest()
        return response

    def _push(self, request: Request, backend: Any, repository: Any, reference: str) -> Response:
        text = request.get_data(as_text=True)
        try:
            manifest = json.loads(text)
            parts = [part["digest"] for part in [*manifest.get("layers", []), *filter(None, [manifest.get("config")])]]
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "MANIFEST_INVALID", "the manifest is no JSON object of an image")
        if not parts:
            return _error(400, "MANIFEST_INVALID", "the lab takes manifests of images, not lists of them")
        missing = [digest for digest in parts if self._blobs.find(digest) is None]
        if missing:
            return _error(400, "MANIFEST_BLOB_UNKNOWN", f"Layers with digests {missing} have not been uploaded")
        tag = None if DIGEST.fullmatch(reference) else reference
        with self._lock:
            image = next((known for known in repository.images if known.image_manifest == text), None)
            if image is None or (tag and tag not in image.image_tags):
                try:
                    image = backend.put_image(repository.name, text, tag, request.content_type)
                except ServiceException as error:  # the tag is taken, and may not change
                    return _error(400, "TAG_INVALID", f"The image tag '{tag}' already exists in the '{repository.name}' repository and"
                                  f" cannot be overwritten because the repository is immutable. ({error.code})")  # fmt: skip
        self._changed()
        digest = image.get_image_digest()
        return _made(f"/v2/{repository.name}/manifests/{digest}", digest)

    def _upload(self, request: Request, name: str, identity: str) -> Response:
        """POST begins, PATCH adds, PUT ends; a POST may mount a blob that is there already, and a PUT may bring the last piece."""
        mounted = request.args.get("mount", "")
        if request.method == "POST" and self._blobs.find(mounted):
            return _made(f"/v2/{name}/blobs/{mounted}", mounted)
        if request.method == "POST":
            identity = self._blobs.begin()
            if not request.args.get("digest"):
                return _accepted(name, identity, 0)
        size = self._blobs.size(identity)
        if size is None:
            return _error(404, "BLOB_UPLOAD_UNKNOWN", f"there is no upload {identity}")
        if request.method == "GET":
            return _accepted(name, identity, size, status=204)
        size = self._blobs.append(identity, request.stream)
        if request.method == "PATCH":
            return _accepted(name, identity, size)
        digest = request.args.get("digest", "")
        if not self._blobs.finish(identity, digest):
            return _error(400, "DIGEST_INVALID", f"what was uploaded has another digest than {digest}")
        return _made(f"/v2/{name}/blobs/{digest}", digest)


def is_for_registry(environ: Mapping[str, Any]) -> bool:
    """Whether a request is a registry client's: API Gateway has paths under /v2/ too, but signs them as all of AWS's API does."""
    path, authorization = environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")
    return (path == "/v2" or path.startswith("/v2/")) and not authorization.startswith("AWS4-")


def _action(method: str, kind: str) -> str:
    """The IAM action that stands for a request (ECR User Guide, "IAM permissions for pushing an image")."""
    if method in ("GET", "HEAD"):
        return {"blobs": "ecr:GetDownloadUrlForLayer", "tags": "ecr:ListImages"}.get(kind, "ecr:BatchGetImage")
    return {"manifests": "ecr:PutImage", "blobs/uploads": "ecr:UploadLayerPart"}.get(kind, "ecr:PutImage")


def _token(request: Request) -> str:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = b64decode(encoded).decode().partition(":")
    except ValueError:
        return ""
    return password if scheme == "Basic" and user == "AWS" else ""


def _blob(request: Request, path: Path | None, digest: str, content_type: str = OCTETS, unknown: str = "BLOB_UNKNOWN") -> Response:
    if path is None:
        return _error(404, unknown, f"{digest} is not here")
    headers = {"Content-Length": str(path.stat().st_size), "Docker-Content-Digest": digest}
    content = None if request.method == "HEAD" else _pieces(path)
    return Response(content, headers=headers, content_type=content_type, direct_passthrough=True)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _made(location: str, digest: str) -> Response:
    return Response(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _accepted(name: str, identity: str, size: int, status: int = 202) -> Response:
    headers = {
        "Location": f"/v2/{name}/blobs/uploads/{identity}", "Range": f"0-{max(size - 1, 0)}", "Docker-Upload-UUID": identity,
    }  # fmt: skip
    return Response(status=status, headers=headers)


def _unauthorized() -> Response:
    response = _error(401, "UNAUTHORIZED", "Log in with a token of GetAuthorizationToken: user AWS")
    response.headers["WWW-Authenticate"] = 'Basic realm="ecr",service="ecr.amazonaws.com"'
    return response


def _error(status: int, code: str, message: str) -> Response:
    return Response(json.dumps({"errors": [{"code": code, "message": message}]}), status, content_type="application/json")
