"""The Node.js applications stand alone, each with its own copy of what they share; the copies stay one text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tree

APPS = sorted(path.parent for path in (tree.PROJECT / "examples/apps").glob("*/package.json"))
SHARED = ("lib/*", "testing/site.js", "testing/database.js", "test/settings.test.js", "test/health.test.js", "test/serve.test.js",
          "test/database.test.js", "test/migrations.test.js", "migrate.js", ".npmrc")  # fmt: skip


def shared(app: Path) -> dict[str, str]:
    return {str(path.relative_to(app)): path.read_text() for pattern in SHARED for path in sorted(app.glob(pattern))}


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_what_they_share_is_one_text(app: Path) -> None:
    assert shared(app) == shared(APPS[0])


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_their_packages_are_pinned(app: Path) -> None:
    package = json.loads((app / "package.json").read_text())
    lock = json.loads((app / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert [name for name, version in package["dependencies"].items() if not version[0].isdigit()] == []
    assert [name for name, entry in lock["packages"].items() if name and not entry.get("integrity")] == []
