"""A checkout as a new user has it: the project's files and nothing that earlier runs left."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STEP = re.compile(r"^==> (?P<title>.*)\n(?:(?!==> ).*\n)*?    done in (?P<seconds>[\d.]+) s$", re.MULTILINE)


@dataclass(frozen=True)
class Checkout:
    """A copy of the project with its own `.venv`, caches, lab and machine images."""

    folder: Path
    lab_home: Path
    lab_name: str

    @property
    def environment(self) -> dict[str, str]:
        caches = {"XDG_CACHE_HOME": str(self.lab_home / "cache"), "UV_CACHE_DIR": str(self.lab_home / "cache" / "uv")}
        return os.environ | caches | {"LAB_NAME": self.lab_name, "LAB_HOME": str(self.lab_home)}

    def run(self, *command: str) -> tuple[float, str]:
        """(seconds, output) of a command in the checkout. RuntimeError shows the last lines of one that fails."""
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - started
        if done.returncode:
            last = "\n".join(done.stdout.splitlines()[-25:])
            raise RuntimeError(f"`{' '.join(command)}` ended with status {done.returncode}:\n{last}")
        return seconds, done.stdout


def make(folder: Path, lab_name: str) -> Checkout:
    """Copy every file that is, or could be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    checkout = Checkout(folder / "hastack", folder / "lab", lab_name)
    for name in listed.split("\0"):
        source, target = PROJECT / name, checkout.folder / name
        if name and (source.is_file() or source.is_symlink()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return checkout


def steps(output: str) -> dict[str, float]:
    """The steps that `make up` printed, with their seconds."""
    return {found["title"]: float(found["seconds"]) for found in STEP.finditer(output)}
