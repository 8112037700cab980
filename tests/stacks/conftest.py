"""A lab of its own for the whole-stack tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import lifecycle, settings
from tests.stacks.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    lab = settings.load("test-uda")
    lifecycle.down(lab, forget=True, say=print)
    lifecycle.up(lab, print)
    yield Stack(lab)
    lifecycle.down(lab, forget=True, say=print)
