"""Public images, for everybody to pull: on AWS they are in ECR Public, in the lab the machine image stands for Debian's.

An image is exported from podman's store the first time that somebody asks for it, and kept for all labs of this computer.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

Export = Callable[[Path], None]


class Layout:
    """One image as a folder in the OCI image layout; `export` makes that folder."""

    def __init__(self, directory: Path, export: Export) -> None:
        self._directory = directory
        self._export = export
        self._lock = threading.Lock()

    def manifest(self) -> tuple[str, str]:
        """(media type, digest) of the image's manifest."""
        self._provide()
        entry = json.loads((self._directory / "index.json").read_text())["manifests"][0]
        return entry["mediaType"], entry["digest"]

    def find(self, digest: str) -> Path | None:
        self._provide()
        path = self._directory / "blobs" / "sha256" / digest.removeprefix("sha256:")
        return path if path.is_file() else None

    def _provide(self) -> None:
        with self._lock:
            if not self._directory.exists():
                new = self._directory.with_name(self._directory.name + ".new")
                shutil.rmtree(new, ignore_errors=True)
                new.parent.mkdir(parents=True, exist_ok=True)
                self._export(new)
                new.replace(self._directory)
