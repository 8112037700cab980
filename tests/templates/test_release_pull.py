"""The program that fetches a release at boot, and what keeps the application from starting without one."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import boto3
import pytest
from moto import mock_aws

PROGRAM = Path(__file__).parents[2] / "roles/release_pull/files/usr/local/sbin/release_pull.py"
REGION, BUCKET = "ap-northeast-1", "deploy"

Render = Callable[..., str]
Sections = Callable[[str], dict[str, dict[str, list[str]]]]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release_pull", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = load()


def packed(**files: str) -> bytes:
    """An archive with these files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o755 if text.startswith("#!") else 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue()


ARCHIVE = packed(**{"server.js": "// it serves " * 200, "bin/run": "#!/bin/sh\n", "lib/a/b.js": ""})


def release(archive: bytes = ARCHIVE, name: str = "r1") -> Any:
    return program.Release(BUCKET, f"releases/{name}.tar.gz", name, hashlib.sha256(archive).hexdigest(), REGION)


def opened(content: bytes) -> Callable[[Any], BinaryIO]:
    return lambda _release: io.BytesIO(content)


def left(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_release_is_unpacked_and_current(tmp_path: Path) -> None:
    assert program.provide(release(), tmp_path, opened(ARCHIVE)) is True
    current = tmp_path / "current"
    assert str(current.readlink()) == "releases/r1"
    assert (current / "server.js").read_text().startswith("// it serves")
    assert stat.S_IMODE((current / "bin/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((current / "server.js").stat().st_mode) == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "releases"]


def test_one_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    def never(_release: Any) -> BinaryIO:
        raise AssertionError("asked S3")

    program.provide(release(), tmp_path, opened(ARCHIVE))
    other = packed(**{"server.js": "two"})
    program.provide(release(other, "r2"), tmp_path, opened(other))
    assert program.provide(release(), tmp_path, never) is False
    assert str((tmp_path / "current").readlink()) == "releases/r1"


def test_what_an_interrupted_run_left_is_replaced(tmp_path: Path) -> None:
    half = tmp_path / "releases/r1"
    half.mkdir(parents=True)
    (half / "half.js").write_text("")
    program.provide(release(), tmp_path, opened(ARCHIVE))
    assert not (half / "half.js").exists()
    assert (half / "server.js").exists()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (ARCHIVE[:-40], f"is truncated: its archive breaks off after {len(ARCHIVE) - 40} bytes"),
        (b"", "is truncated: its archive breaks off after 0 bytes"),
        (packed(**{"server.js": "evil"}), "has the wrong checksum"),
        (b"<html>not found</html>", "has the wrong checksum"),
        (ARCHIVE[:60] + b"\0\0\0\0" + ARCHIVE[64:], "has the wrong checksum"),
    ],
)
def test_what_is_not_the_release_never_becomes_current(tmp_path: Path, found: bytes, words: str) -> None:
    with pytest.raises(program.ReleaseError, match=f"s3://deploy/releases/r1.tar.gz {words}") as raised:
        program.provide(release(), tmp_path, opened(found))
    assert f"expected {release().sha256}" in str(raised.value)
    assert left(tmp_path) == ["releases"]


@pytest.mark.parametrize("name", ["/etc/cron.d/evil", "../evil", "lib/../../evil"])
def test_an_archive_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    evil = packed(**{name: "x"})
    with pytest.raises(program.ReleaseError, match="expected only files and folders below its own"):
        program.provide(release(evil), tmp_path, opened(evil))
    assert left(tmp_path) == ["releases"]


def test_a_link_is_no_part_of_a_release(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        entry = tarfile.TarInfo("shadow")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(entry)
    with pytest.raises(program.ReleaseError, match="the archive holds 'shadow'"):
        program.provide(release(raw.getvalue()), tmp_path, opened(raw.getvalue()))


LINES = {
    "RELEASE_BUCKET": BUCKET,
    "RELEASE_KEY": "releases/r1.tar.gz",
    "RELEASE_ID": "r1",
    "RELEASE_SHA256": release().sha256,
    "AWS_REGION": REGION,
}


def environment(**changed: str) -> str:
    return "".join(f'{name}="{value}"\n' for name, value in {**LINES, **changed}.items())


def test_the_environment_names_the_release() -> None:
    assert program.read_release("# comment\nDB_HOST=it's\n" + environment()) == release()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"RELEASE_KEY": "", "AWS_REGION": ""}, "found no RELEASE_KEY, AWS_REGION"),
        ({"RELEASE_ID": "../evil"}, "RELEASE_ID is '../evil'"),
        ({"RELEASE_SHA256": "abc"}, "expected 64 hexadecimal digits"),
    ],
)
def test_an_environment_that_names_none_is_told(changed: dict[str, str], words: str) -> None:
    with pytest.raises(program.ReleaseError, match=words):
        program.read_release(environment(**changed))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves."""
    clock, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(program.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(program.time, "sleep", sleep)
    return slept


def test_what_may_pass_is_tried_again_in_growing_steps(pauses: list[float]) -> None:
    def never() -> bool:
        raise ConnectionError("no route")

    with pytest.raises(ConnectionError):
        program.patiently(never, 120)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_what_is_final_is_told_at_once(pauses: list[float]) -> None:
    def missing() -> bool:
        raise program.ReleaseError("there is no object")

    with pytest.raises(program.ReleaseError):
        program.patiently(missing, 120)
    assert pauses == []


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield client


def test_it_asks_s3(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="releases/r1.tar.gz", Body=ARCHIVE)
    assert program.provide(release(), tmp_path, program.open_in_s3) is True


def test_a_missing_object_and_a_missing_bucket_are_told_apart(s3: Any) -> None:
    with pytest.raises(program.ReleaseError, match=r"there is no object s3://deploy/releases/r1\.tar\.gz.*\(NoSuchKey\)"):
        program.open_in_s3(release())
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(program.ReleaseError, match=r"there is no bucket deploy \(NoSuchBucket\)"):
        program.open_in_s3(release())


def test_nothing_of_the_application_starts_before_it_or_without_it(render: Render, sections: Sections) -> None:
    unit = sections(render("release_pull", "etc/systemd/system/release.service", release_pull_name="shop"))
    assert unit["Unit"]["Before"] == ["shop-migrate.service shop.socket shop.service"]
    assert unit["Install"]["RequiredBy"] == ["shop-migrate.service", "shop.socket", "shop.service"]
    assert "Restart" not in unit["Service"], "no trying again makes a wrong object right"
    assert unit["Service"]["StandardError"] == ["journal+console"]
    assert unit["Service"]["ReadWritePaths"] == ["/opt/shop"]
