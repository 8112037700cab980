"""Reads are not held up by what changes meanwhile; one that moto breaks off is answered once more, with nothing changing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest
from moto.ec2.models import EC2Backend

from tests.lab.served import Lab


def breaking_off(monkeypatch: pytest.MonkeyPatch, moments: Iterator[bool]) -> None:
    """Let DescribeVpcs find its dictionary changed at these moments."""
    original = EC2Backend.describe_vpcs

    def describe(backend: Any, *arguments: Any, **more: Any) -> Any:
        if next(moments):
            raise RuntimeError("dictionary changed size during iteration")
        return original(backend, *arguments, **more)

    monkeypatch.setattr(EC2Backend, "describe_vpcs", describe)


def test_a_read_that_breaks_off_is_answered_once_more(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_off(monkeypatch, chain([True], repeat(False)))
    assert lab.root("ec2").describe_vpcs()["Vpcs"]


def test_a_read_that_breaks_off_again_is_an_error(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking_off(monkeypatch, repeat(True))
    with pytest.raises(Exception, match="500 Internal Server Error"):
        lab.root("ec2").describe_vpcs()
