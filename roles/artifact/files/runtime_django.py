"""Packages of a Python application: a wheelhouse for the Python of its machines."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from problem import BuildError

REQUIRED = {"requirements.txt": "an application lists its packages there, pinned by =="}


def parameters(arguments: argparse.Namespace) -> dict[str, object]:
    """What decides on the packages, besides the application's own files."""
    return {"python_version": arguments.python_version, "platforms": arguments.platform}


def packages(source: Path, scratch: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Fetch every wheel for the machines, which need not be like this one. Gives (name in the archive, file)."""
    wheelhouse = scratch / "wheelhouse"
    wheelhouse.mkdir()
    requirements = source / "requirements.txt"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-deps", "--implementation=cp", f"--python-version={arguments.python_version}"]
    command += [f"--platform={platform}" for platform in arguments.platform]
    command += ["--dest", str(wheelhouse), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"pip could not get the wheels of {requirements} for Python {arguments.python_version}:\n{done.stderr}")
    yield from ((f"wheelhouse/{wheel.name}", wheel) for wheel in sorted(wheelhouse.iterdir()))
