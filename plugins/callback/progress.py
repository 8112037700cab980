# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run is, and what it waits for."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: progress
type: notification
short_description: How far a run is, and what it waits for
description:
  - Says at the beginning of each play which one of how many it is, and at the end what each has taken; not for a playbook of one play.
  - Tells a task that takes long, again and again.
options:
  every:
    description: Seconds after which a task that still runs is told, and told again.
    type: float
    default: 15
    ini:
      - {section: callback_progress, key: every}
    env:
      - {name: PROGRESS_EVERY}
"""


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def summary(plays: list[tuple[str, float]]) -> str:
    """What each play has taken, (name, seconds) in their order; those below a second are left out, plays of one name are put together."""
    spent: dict[str, float] = {}
    for name, seconds in plays:
        spent[name] = spent.get(name, 0.0) + seconds
    told = [f"{name} {clock(seconds)}" for name, seconds in spent.items() if seconds >= 1]
    return ", ".join([*told, f"in all {clock(sum(spent.values()))}"])


class CallbackModule(CallbackBase):
    """Writes to the standard output by itself, without Ansible's display: a thread must hold no lock while Ansible forks."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._every = 15.0
        self._plays: list[tuple[str, float]] = []  # name and the moment of its beginning
        self._count = 0
        self._task: tuple[str, float] | None = None
        self._ended = threading.Event()

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        super().set_options(*args, **kwargs)
        self._every = self.get_option("every")

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._count = len(playbook.get_plays())
        threading.Thread(target=self._watch, name="progress", daemon=True).start()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        now = time.monotonic()
        self._plays.append((play.get_name(), now))
        if self._count > 1:
            _say(f"{len(self._plays)} of {self._count}, {clock(now - self._plays[0][1])} since the beginning")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._task = (task.get_name(), time.monotonic())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._task = (task.get_name(), time.monotonic())

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._ended.set()
        moments = [*(moment for _name, moment in self._plays), time.monotonic()]
        if self._count > 1 and self._plays:
            spent = [(name, end - begin) for (name, begin), end in zip(self._plays, moments[1:], strict=True)]
            _say(summary(spent))

    def _watch(self) -> None:
        """Tell the task of this moment when it has run for another `every` seconds."""
        told: tuple[tuple[str, float] | None, int] = (None, 0)
        while not self._ended.wait(min(1.0, self._every)):
            if self._task is None:
                continue
            times = int((time.monotonic() - self._task[1]) / self._every)
            if times and (self._task, times) != told:
                told = (self._task, times)
                _say(f"still at: {self._task[0]}, {clock(time.monotonic() - self._task[1])} so far")


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads any more
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), f"  ({text})\n".encode())
