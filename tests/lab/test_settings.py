"""A lab's name decides its ports and its directory."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lab import settings
from lab.errors import LabError


def test_the_default_lab_has_the_ports_that_the_inventories_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_NAME", raising=False)
    lab = settings.load()
    assert (lab.endpoint_url, lab.proxy_url, lab.first_published_port) == (
        "http://127.0.0.1:4600",
        "http://127.0.0.1:4601",
        8080,
    )


def test_two_labs_share_nothing() -> None:
    one, other = settings.load("one"), settings.load("other")
    assert {one.api_port, one.proxy_port}.isdisjoint({other.api_port, other.proxy_port})
    assert one.directory != other.directory
    assert one.namespace("vpc-1") != other.namespace("vpc-1")


def test_a_name_that_cannot_name_a_namespace_is_refused() -> None:
    with pytest.raises(LabError, match="LAB_NAME is 'My Lab': expected 1 to 20 lower-case letters"):
        settings.load("My Lab")


def test_a_secret_is_its_owners_alone_also_in_a_file_that_was_not(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    settings.write_secret(path, "new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
