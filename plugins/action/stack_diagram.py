# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin stack_diagram: draws the stack, as it is wanted or as it is found, from what stack_plan sees. Changes nothing in AWS.

Arguments: those of stack_info; `side`, wanted or found; `folder`, where `<name>.dot`, `<name>.svg` and `<name>.png` are written.
Result: `files`, their paths; `changed`, whether the DOT source is another than before.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import graphviz
from ansible.plugins.loader import action_loader

StackPlan = action_loader.get("stack_plan", class_only=True)  # it lets the project's module_utils be found

from ansible.module_utils.diagram.dot import source
from ansible.module_utils.diagram.place import placed
from ansible.module_utils.diagram.view import NothingError, look

SIDES = ("wanted", "found")
FORMATS = {"svg": 72, "png": 144}  # dots per inch
MISSING = "There is no program `{}` to draw with. Install Graphviz: scripts/setup does it, or: sudo apt-get install graphviz"


class ActionModule(StackPlan):  # type: ignore[misc, valid-type] # a class that a loader has found
    """Compare, then draw."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self.side = self._task.args.pop("side", None) or "wanted"
        self.folder = Path(self._task.args.pop("folder"))
        if self.side not in SIDES:
            return {"failed": True, "msg": f"diagram is {self.side!r}. Choose one of {', '.join(SIDES)}"}
        try:
            result: dict[str, Any] = super().run(tmp, task_vars)
        except NothingError as error:
            hint = (
                "Is the stack built? Without `-e diagram=found` it is drawn as it is wanted" if self.side == "found" else "Set vpc_subnets"
            )
            return {"failed": True, "msg": f"{error}. {hint}"}
        except graphviz.ExecutableNotFound:
            return {"failed": True, "msg": MISSING.format("neato")}
        return result

    def told(self, wanted: Any, task_vars: Any, **more: Any) -> dict[str, Any]:
        told: dict[str, Any] = super().told(wanted, task_vars, live=self.side == "found", **more)
        return told

    def result(self, seen: Any, given: Any) -> dict[str, Any]:
        """Draw one side of what was seen."""
        standing = any(not item.borrowed and not item.foreign for item in seen.found)
        if self.side == "wanted":
            picture = look("wanted", seen.wanted, seen.facts, self.wanted, seen.changes, standing=standing)
        else:
            raw, live = seen.told["found"], seen.told["live"]
            picture = look("found", seen.found, seen.told, self.wanted, seen.changes, standing=standing, raw=raw, live=live)
        return self.drawn(source(placed(picture)))

    def drawn(self, text: str) -> dict[str, Any]:
        """Write the DOT source, and what Graphviz makes of it."""
        stem = self.folder / self._task.args["name"]
        pictures = {
            f"{stem}.{form}": graphviz.Source(text.replace("dpi=72", f"dpi={dpi}"), engine="neato").pipe(format=form, neato_no_op=2)
            for form, dpi in FORMATS.items()
        }
        digest = hashlib.sha256(text.encode()).hexdigest()
        pictures[f"{stem}.svg"] += f"<!-- drawn from DOT source with SHA-256 {digest} -->\n".encode()
        dot = Path(f"{stem}.dot")
        changed = not dot.exists() or dot.read_text() != text
        self.folder.mkdir(parents=True, exist_ok=True)
        dot.write_text(text)
        for path, content in pictures.items():
            Path(path).write_bytes(content)
        return {"changed": False, "files": [str(dot), *pictures], "new": changed}
