"""The registry as docker and podman meet it, without either."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.ecr.models import ecr_backends
from werkzeug.test import Client

from lab.aws import ecr as corrected
from lab.registry import Blobs, Layout, Registry
from lab.registry.api import is_for_registry
from lab.settings import ACCOUNT_ID
from tests.lab.conftest import REGION, SESSION

TYPE = "application/vnd.oci.image.manifest.v1+json"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Pusher:
    """A client with a token of the account's ECR."""

    def __init__(self, home: Path) -> None:
        self.ecr = SESSION.create_client("ecr", region_name=REGION)
        self.ecr.create_repository(repositoryName="meibo", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True})
        self.changes = 0
        self.denied: set[str] = set()
        self.blobs = Blobs(home / "registry")
        layout = Layout(home / "public", self._export)
        registry = Registry(
            self.blobs,
            {"docker/library/debian": layout},
            threading.RLock(),
            self._changed,
            lambda _b, _k, action, _a: action not in self.denied,
        )
        self.client = Client(registry)
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        self.headers = {"Authorization": f"Basic {token}"}

    def _changed(self) -> None:
        self.changes += 1

    def _export(self, folder: Path) -> None:
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        (blobs / digest(b"debian").removeprefix("sha256:")).write_bytes(b"debian")
        entry = {"mediaType": TYPE, "digest": digest(b"debian")}
        (folder / "index.json").write_text(json.dumps({"manifests": [entry]}))

    def call(self, method: str, path: str, **options: Any) -> Any:
        return self.client.open(f"/v2/{path}", method=method, headers=self.headers | options.pop("headers", {}), **options)

    def upload(self, content: bytes, said: str | None = None, name: str = "meibo") -> Any:
        """In two pieces, as clients do."""
        begun = self.call("POST", f"{name}/blobs/uploads/")
        if begun.status_code != 202:
            return begun
        place = begun.headers["Location"].removeprefix("/v2/")
        assert self.call("PATCH", place, data=content[:3]).headers["Range"] == "0-2"
        return self.call("PUT", place, data=content[3:], query_string={"digest": said or digest(content)})

    def push(self, content: bytes, tag: str = "1") -> Any:
        self.upload(content)
        manifest = json.dumps({"mediaType": TYPE, "config": {"digest": digest(content), "size": len(content)}, "layers": []})
        return self.call("PUT", f"meibo/manifests/{tag}", data=manifest, headers={"Content-Type": TYPE})


@pytest.fixture
def pusher(cloud: Any, tmp_path: Path) -> Pusher:
    return Pusher(tmp_path)


def test_without_a_token_nothing_is_told(pusher: Pusher) -> None:
    for headers in ({}, {"Authorization": f"Basic {b64encode(b'AWS:guessed').decode()}"}):
        answer = pusher.client.get("/v2/", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"].split(" ")[0]) == (401, "Basic")
        assert pusher.client.get("/v2/meibo/tags/list", headers=headers).status_code == 401
    assert pusher.call("GET", "").status_code == 200


def test_what_is_pushed_can_be_pulled_and_is_told_by_ecr(pusher: Pusher) -> None:
    pushed = pusher.push(b"an image")
    assert (pushed.status_code, pusher.changes) == (201, 1)
    (image,) = pusher.ecr.describe_images(repositoryName="meibo")["imageDetails"]
    assert image["imageDigest"] == pushed.headers["Docker-Content-Digest"]
    assert (image["imageTags"], image["imageSizeInBytes"]) == (["1"], 8)
    assert image["imageScanStatus"]["status"] == "FAILED"
    pulled = pusher.call("GET", "meibo/manifests/1")
    assert digest(pulled.data) == image["imageDigest"]
    assert pusher.call("GET", f"meibo/manifests/{image['imageDigest']}").data == pulled.data
    assert pusher.call("GET", f"meibo/blobs/{digest(b'an image')}").data == b"an image"
    head = pusher.call("HEAD", f"meibo/blobs/{digest(b'an image')}")
    assert (head.status_code, head.headers["Content-Length"], head.data) == (200, "8", b"")
    assert pusher.call("GET", "meibo/tags/list").json == {"name": "meibo", "tags": ["1"]}


def test_a_tag_that_stands_is_not_changed(pusher: Pusher) -> None:
    pusher.push(b"an image")
    assert pusher.push(b"an image").status_code == 201  # the same once more changes nothing
    refused = pusher.push(b"another image")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (400, "TAG_INVALID")
    assert pusher.push(b"another image", "2").status_code == 201


def test_an_upload_must_be_what_it_says(pusher: Pusher) -> None:
    refused = pusher.upload(b"an image", digest(b"another"))
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert pusher.call("HEAD", f"meibo/blobs/{digest(b'another')}").status_code == 404
    manifest = json.dumps({"mediaType": TYPE, "config": {"digest": digest(b"missing"), "size": 1}})
    refused = pusher.call("PUT", "meibo/manifests/1", data=manifest, headers={"Content-Type": TYPE})
    assert refused.json["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"
    assert pusher.call("PATCH", "meibo/blobs/uploads/00000000-0000-0000-0000-000000000000", data=b"x").status_code == 404


def test_a_repository_must_be_there_and_open_to_who_pushes(pusher: Pusher) -> None:
    refused = pusher.upload(b"an image", name="nowhere")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    pusher.denied.add("ecr:PutImage")
    refused = pusher.push(b"an image")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (403, "DENIED")
    assert "ecr:PutImage on resource: arn:aws:ecr:" in refused.json["errors"][0]["message"]


def test_public_images_need_no_token(pusher: Pusher) -> None:
    answer = pusher.client.get("/v2/docker/library/debian/manifests/bookworm")
    assert (answer.status_code, answer.content_type, answer.data) == (200, TYPE, b"debian")
    assert pusher.client.get(f"/v2/docker/library/debian/blobs/{digest(b'other')}").status_code == 404


def test_what_no_image_uses_is_swept_away(pusher: Pusher) -> None:
    pusher.push(b"an image")
    pusher.upload(b"a stray layer")
    pusher.blobs.sweep(corrected.blobs_in_use())
    assert pusher.blobs.find(digest(b"an image"))
    assert pusher.blobs.find(digest(b"a stray layer")) is None


def test_api_gateways_own_paths_are_not_the_registrys() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/apigateway/aws4_request"
    assert not is_for_registry({"PATH_INFO": "/v2/apis", "HTTP_AUTHORIZATION": signed})
    assert is_for_registry({"PATH_INFO": "/v2/", "HTTP_AUTHORIZATION": ""})
    assert not is_for_registry({"PATH_INFO": "/", "HTTP_AUTHORIZATION": ""})


def test_a_token_belongs_to_its_account_and_region(pusher: Pusher) -> None:
    first, second = (
        b64decode(pusher.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]).decode() for _ in range(2)
    )
    assert first != second
    backend, _key = corrected.backend_of(first.partition(":")[2]) or (None, "")
    assert backend is ecr_backends[ACCOUNT_ID][REGION]
    assert corrected.backend_of("wrong") is None


def test_tokens_that_are_asked_for_at_once_all_hold() -> None:
    backend = SimpleNamespace()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            asked = [token for token, _until in pool.map(lambda _: corrected.new_token(backend, "AKIA"), range(400))]
    finally:
        sys.setswitchinterval(before)
    assert set(asked) == set(backend.lab_tokens)
