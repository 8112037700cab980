"""A reproducible archive: which files go in, the hash over them, and the bytes. Knows no runtime."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path


def inputs(source: Path, exclude: list[str]) -> Iterator[Path]:
    """The files below a folder in a fixed order, as paths relative to it."""
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


def pack(archive: Path, source: Path, files: list[Path], packages: Iterable[tuple[str, Path]], release: dict[str, object]) -> None:
    """Write the application's files, its packages as (name in the archive, file) and release.json.

    Neither times nor owners go in, so that equal inputs give equal bytes.
    """
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for file in files:
            _add(tar, str(file), (source / file).read_bytes(), _mode(source / file))
        for name, file in packages:
            _add(tar, name, file.read_bytes(), 0o644)
        _add(tar, "release.json", json.dumps(release, indent=2).encode(), 0o644)


def _mode(path: Path) -> int:
    return 0o755 if os.access(path, os.X_OK) else 0o644


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
