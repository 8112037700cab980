"""Steady requests to a site while something happens to it."""

from __future__ import annotations

import threading
import time

from tests.stacks.stack import Stack


class Visitors:
    """Asks for a page again and again from the operator's computer; keeps when each request failed."""

    def __init__(self, stack: Stack, path: str) -> None:
        self._stack, self._path = stack, path
        self._host = stack.dns_name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self.failures: list[tuple[float, int | str]] = []  # (seconds since the epoch, status or what went wrong)
        self.count = 0

    def __enter__(self) -> Visitors:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._stop.wait(0.1):
            began = time.time()
            try:
                outcome: int | str = self._stack.get(self._path, self._host)[0]
            except OSError as error:
                outcome = f"{error} after {time.time() - began:.1f} s"
            self.count += 1
            if outcome != 200:
                self.failures.append((began, outcome))
