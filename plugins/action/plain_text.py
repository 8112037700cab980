# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin plain_text: prints its argument `text` as it is, to be read or pasted; debug would print it as one quoted line of JSON."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Print, change nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec({"text": {"type": "str", "required": True}})
        self._display.display(arguments["text"])
        return {"changed": False}
