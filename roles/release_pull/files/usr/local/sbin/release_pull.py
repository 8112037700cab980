#!/usr/bin/python3
"""Fetch the release that an EnvironmentFile names from S3, check it, unpack it, and make it `current` in one step.

The input holds RELEASE_BUCKET, RELEASE_KEY, RELEASE_ID, RELEASE_SHA256 and AWS_REGION; credentials are the machine's own role.
What may pass (no answer, throttling, credentials that are not there yet) is tried again in growing steps until the deadline; an
object that is missing, truncated, of the wrong checksum or not allowed is told at once, since no trying makes it right.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
CHUNK = 1 << 20
MARK = ".built"  # written last: what stands without it is from a run that was cut off

# Codes of S3's errors (S3 User Guide, "Error responses") that no second try mends. A role that may not list a bucket is
# told AccessDenied for an object that is not there, too (API reference, GetObject, "Permissions").
FINAL = {
    "NoSuchBucket": "there is no bucket {bucket}",
    "NoSuchKey": "there is no object s3://{bucket}/{key}: the release was never uploaded, or has been deleted",
    "AccessDenied": "access to s3://{bucket}/{key} was denied: no policy lets this machine's role read it, or it is not there",
    "PermanentRedirect": "the bucket {bucket} is not in {region}",
}


class ReleaseError(Exception):
    """What was found, what was expected, what to do. No second try makes it right."""


class Release(NamedTuple):
    """What to fetch, and how to know that it is the right thing."""

    bucket: str
    key: str
    id: str
    sha256: str
    region: str


Open = Callable[[Release], BinaryIO]


def read_release(text: str) -> Release:
    """The release that an EnvironmentFile names."""
    names = ("RELEASE_BUCKET", "RELEASE_KEY", "RELEASE_ID", "RELEASE_SHA256", "AWS_REGION")
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and name in names:
            found[name] = value.strip().strip("\"'")
    missing = [name for name in names if not found.get(name)]
    if missing:
        raise ReleaseError(f"found no {', '.join(missing)} in the machine's environment; user data writes them there")
    release = Release(*(found[name] for name in names))
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", release.id):
        raise ReleaseError(f"RELEASE_ID is {release.id!r}, expected letters, digits, dots and hyphens")
    if not re.fullmatch(r"[0-9a-f]{64}", release.sha256):
        raise ReleaseError(f"RELEASE_SHA256 is {release.sha256!r}, expected 64 hexadecimal digits")
    return release


def provide(release: Release, root: Path, open_object: Open) -> bool:
    """Bring the release about below `root`; False when it stood there already."""
    place = root / "releases" / release.id
    new = not (place / MARK).exists()
    if new:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".pull-") as scratch:
            archive, beside = Path(scratch, "archive"), Path(scratch, "release")
            download(release, open_object, archive)
            unpack(archive, beside)
            (beside / MARK).touch()
            shutil.rmtree(place, ignore_errors=True)
            beside.chmod(0o755)
            beside.replace(place)
    switch(root, release.id)
    return new


def download(release: Release, open_object: Open, archive: Path) -> None:
    """Fetch the object and compare its checksum with the one that the launch template names."""
    sha, size = hashlib.sha256(), 0
    with open_object(release) as source, archive.open("wb") as target:
        while chunk := source.read(CHUNK):
            sha.update(chunk)
            size += len(chunk)
            target.write(chunk)
    if sha.hexdigest() != release.sha256:
        wrong = "has the wrong checksum" if _whole(archive) else f"is truncated: its archive breaks off after {size} bytes"
        raise ReleaseError(
            f"s3://{release.bucket}/{release.key} {wrong}. Found sha256 {sha.hexdigest()}, expected {release.sha256}; "
            "delete the object and upload the release again"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack files and folders; nothing else, and nothing outside of the folder."""
    folder.mkdir()
    with tarfile.open(archive) as tar:
        for entry in tar:
            if not (entry.isreg() or entry.isdir()) or entry.name.startswith("/") or ".." in Path(entry.name).parts:
                raise ReleaseError(f"the archive holds {entry.name!r}, expected only files and folders below its own")
            target = folder / entry.name
            if entry.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(entry)
            assert source is not None  # noqa: S101 - a regular file has one
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
            target.chmod(0o755 if entry.mode & 0o100 else 0o644)


def switch(root: Path, release_id: str) -> None:
    """Let `current` lead to the release, by renaming a new link over the old one: there is no moment without it."""
    link = root / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases", release_id))
    link.replace(root / "current")


def patiently(action: Callable[[], bool], deadline: float) -> bool:
    """Do it; after an error that may pass wait and do it again, until the deadline."""
    end, pause = time.monotonic() + deadline, FIRST_PAUSE
    while True:
        try:
            return action()
        except ReleaseError:
            raise
        except Exception as error:
            if time.monotonic() + pause > end:
                raise
            print(f"release_pull: {_told(error)}; trying again in {pause:.0f} s", file=sys.stderr, flush=True)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def open_in_s3(release: Release) -> BinaryIO:
    """The object's bytes, read with the machine's role."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2})
    # A new client each time: one that found no credentials would not look again.
    client = boto3.session.Session(region_name=release.region).client("s3", config=config)
    try:
        body: BinaryIO = client.get_object(Bucket=release.bucket, Key=release.key)["Body"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in FINAL:
            raise ReleaseError(f"{FINAL[code].format(**release._asdict())} ({code})") from error
        raise
    return body


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--deadline", type=float, default=300)
    arguments = parser.parse_args()
    os.umask(0o022)
    try:
        release = read_release(arguments.input.read_text(encoding="utf-8"))
        new = patiently(lambda: provide(release, arguments.root, open_in_s3), arguments.deadline)
    except Exception as error:
        print(f"release_pull: FAILED: {_told(error)}. The application is not started", file=sys.stderr)
        return 1
    print(f"release_pull: {'fetched' if new else 'found'} release {release.id}; it is current")
    return 0


def _whole(archive: Path) -> bool:
    """Whether a packed file ends where it should."""
    try:
        with gzip.open(archive) as file:
            while file.read(CHUNK):
                pass
    except EOFError:
        return False
    except (OSError, zlib.error):  # not packed at all, or spoilt: that is no matter of length
        return True
    return archive.stat().st_size > 0


def _told(error: Exception) -> str:
    """The error in one line: ours as it is, others with their kind, since those of boto3 say it only there."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ReleaseError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    sys.exit(main())
