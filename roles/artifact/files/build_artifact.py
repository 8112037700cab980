"""Pack a Python application and a wheelhouse for its machines into one archive named by the hash of what went in.

Prints {"id", "path", "built"}. The archive holds the application's files, `wheelhouse/` and `release.json`; it is made
beside its place and moved there when whole, so a build that was killed leaves nothing that looks finished.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

FORMAT = 1  # raise it when the same files would give another archive


class BuildError(Exception):
    """What was found, what was expected, what to do."""


def inputs(source: Path, exclude: list[str]) -> Iterator[Path]:
    """The files of the application in a fixed order, as paths relative to it."""
    for folder, folders, names in os.walk(source):
        inside = Path(folder).relative_to(source)
        folders[:] = sorted(name for name in folders if not excluded(inside / name, exclude))
        yield from (inside / name for name in sorted(names) if not excluded(inside / name, exclude))


def excluded(path: Path, patterns: list[str]) -> bool:
    """Whether a pattern names this path: from the application's folder on when it begins with /, anywhere otherwise."""
    return any(fnmatch(f"/{path}" if pattern.startswith("/") else path.name, pattern) for pattern in patterns)


def digest(source: Path, files: list[Path], parameters: dict[str, object]) -> str:
    """Twelve digits that change when a file's name, content or executable bit does, or a parameter."""
    sha = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode())
    for file in files:
        content = (source / file).read_bytes()
        sha.update(f"\0{file}\0{_mode(source / file):o}\0{len(content)}\0".encode())
        sha.update(content)
    return sha.hexdigest()[:12]


def download_wheels(requirements: Path, wheelhouse: Path, python_version: str, platforms: list[str]) -> None:
    """Fetch every wheel for the machines, which need not be like this one."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-deps", "--implementation=cp", f"--python-version={python_version}"]
    command += [f"--platform={platform}" for platform in platforms]
    command += ["--dest", str(wheelhouse), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"pip could not get the wheels of {requirements} for Python {python_version}:\n{done.stderr}")


def pack(archive: Path, root: Path, files: list[Path], wheelhouse: Path, release: dict[str, object]) -> None:
    """Write the archive with neither times nor owners, so that equal inputs give equal bytes."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for file in files:
            _add(tar, str(file), (root / file).read_bytes(), _mode(root / file))
        for wheel in sorted(wheelhouse.iterdir()):
            _add(tar, f"wheelhouse/{wheel.name}", wheel.read_bytes(), 0o644)
        _add(tar, "release.json", json.dumps(release, indent=2).encode(), 0o644)


def build(arguments: argparse.Namespace) -> dict[str, object]:
    """Build unless it is there already."""
    source, cache = arguments.source.resolve(), arguments.cache.resolve()
    if not (source / "requirements.txt").is_file():
        raise BuildError(f"found no requirements.txt in {source}; an application lists its packages there, pinned by ==")
    files = list(inputs(source, arguments.exclude))
    parameters = {
        "format": FORMAT,
        "name": arguments.name,
        "python_version": arguments.python_version,
        "platforms": arguments.platform,
    }
    identity = digest(source, files, parameters)
    path = cache / f"{arguments.name}-{identity}.tar.gz"
    result = {"id": identity, "path": str(path), "built": False}
    if path.exists():
        return result
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".build-") as scratch:
        wheelhouse = Path(scratch, "wheelhouse")
        wheelhouse.mkdir()
        download_wheels(source / "requirements.txt", wheelhouse, arguments.python_version, arguments.platform)
        archive = Path(scratch, path.name)
        pack(archive, source, files, wheelhouse, {**parameters, "id": identity})
        archive.replace(path)
    return {**result, "built": True}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--python-version", default="3.11")
    parser.add_argument("--platform", action="append", default=[])
    parser.add_argument("--exclude", action="append", default=[])
    try:
        print(json.dumps(build(parser.parse_args())))
    except (BuildError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _mode(path: Path) -> int:
    return 0o755 if os.access(path, os.X_OK) else 0o644


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
