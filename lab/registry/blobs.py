"""Layers and configurations as files, named by their digest; an upload becomes a blob only when its digest is right."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PIECE = 1 << 20


class Blobs:
    """Files below `directory`, which is the lab's own."""

    def __init__(self, directory: Path) -> None:
        self._blobs, self._uploads = directory / "blobs", directory / "uploads"

    def find(self, digest: str) -> Path | None:
        """The file of a blob, if it is there."""
        path = self._blobs / digest.removeprefix("sha256:")
        return path if DIGEST.fullmatch(digest) and path.is_file() else None

    def begin(self) -> str:
        """Id of a new, empty upload."""
        self._uploads.mkdir(parents=True, exist_ok=True)
        identity = str(uuid.uuid4())
        (self._uploads / identity).touch()
        return identity

    def size(self, upload: str) -> int | None:
        """How much of an upload has come; None for one that is unknown."""
        path = self._upload(upload)
        return path.stat().st_size if path else None

    def append(self, upload: str, content: BinaryIO) -> int:
        """Add to an upload and tell its size. Raises KeyError for an unknown one."""
        path = self._upload(upload)
        if path is None:
            raise KeyError(upload)
        with path.open("ab") as file:
            while piece := content.read(PIECE):
                file.write(piece)
            return file.tell()

    def finish(self, upload: str, digest: str) -> bool:
        """Make the upload a blob; False, and nothing is kept, when its content has another digest. Raises KeyError for an unknown one."""
        path = self._upload(upload)
        if path is None:
            raise KeyError(upload)
        with path.open("rb") as file:
            found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if found != digest:
            path.unlink()
            return False
        self._blobs.mkdir(parents=True, exist_ok=True)
        path.replace(self._blobs / digest.removeprefix("sha256:"))
        return True

    def sweep(self, used: Collection[str]) -> None:
        """Forget unfinished uploads and every blob that no image uses. For a moment in which nobody pushes."""
        for folder, kept in ((self._uploads, set()), (self._blobs, {digest.removeprefix("sha256:") for digest in used})):
            for path in folder.iterdir() if folder.exists() else ():
                if path.name not in kept:
                    path.unlink()

    def _upload(self, identity: str) -> Path | None:
        path = self._uploads / identity
        return path if re.fullmatch(r"[0-9a-f-]{36}", identity) and path.is_file() else None
