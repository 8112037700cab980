"""A lab of its own for each stack's tests, which name the stack as STACK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import lifecycle, settings
from tests.stacks.stack import Stack


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    name: str = request.module.STACK
    lab = settings.load(f"test-{name.replace('_', '-')}")
    lifecycle.down(lab, forget=True, say=print)
    lifecycle.up(lab, print)
    yield Stack(lab, name)
    lifecycle.down(lab, forget=True, say=print)
