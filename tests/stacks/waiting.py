"""Waiting for what a stack does by itself: its load balancer takes up a change a moment after the API has answered."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 180.0  # seconds; other work may run on the same processors


def wait_until[T](holds: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first true value of `holds`; fails with `what` when there is none within `seconds`."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)
    return found
