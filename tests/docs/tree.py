"""What stands in the tree, for the tests beside this file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]


def files(*patterns: str) -> list[Path]:
    """Files that are, or could be, committed: tracked ones and new ones that .gitignore does not exclude."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted({PROJECT / name for name in listed if (PROJECT / name).is_file()})


def names(folder: str, pattern: str) -> list[str]:
    return sorted(path.name for path in (PROJECT / folder).glob(pattern))


def read(path: str) -> str:
    return (PROJECT / path).read_text()


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None
