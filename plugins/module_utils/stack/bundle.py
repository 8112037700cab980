# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine bundle: one archive by which a plain machine configures itself. What goes in, its hash, and the archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .recipe import files

FORMAT = 1  # raise it when the same content would give another archive
Content = dict[str, bytes]  # name inside the bundle -> content


def content(playbook: Iterable[Path], roles: Iterable[Path], variables: Mapping[str, Any], extra: Mapping[str, Path]) -> Content:
    """Everything but the wheels.

    `playbook` are the files at the bundle's top, `roles` the folders of the roles, `variables` goes in as JSON, and `extra` names
    the files that the roles copy to the machine: Ansible looks for them in `files/` beside the playbook.
    """
    found = {path.name: path.read_bytes() for path in playbook}
    for role in roles:
        found |= {f"roles/{role.name}/{name}": path.read_bytes() for name, path in files(role)}
    found["variables.json"] = json.dumps(variables, indent=1, sort_keys=True).encode()
    return found | {f"files/{name}": path.read_bytes() for name, path in extra.items()}


def identity(found: Content, parameters: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that change when a file's name or content does, or a parameter. Wheels follow from both."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    whole = json.dumps({"format": FORMAT, "content": digests, "parameters": parameters}, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def file_name(name: str, found: Content, parameters: Mapping[str, Any]) -> str:
    """The archive's name, which says what is in it."""
    return f"{name}-{identity(found, parameters)}.tar.gz"


def archive(found: Content) -> bytes:
    """The bundle as tar.gz, in a fixed order and with neither times nor owners: equal content gives equal bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, data in sorted(found.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
