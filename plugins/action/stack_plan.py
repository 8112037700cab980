# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin stack_plan: what site.yml would change, field by field, without changing anything.

There is no second description of the stack. The plan reads the playbooks that site.yml runs, and asks each role's arguments what they
want: the same expressions, evaluated with the facts of what stands and, for what does not, with where they will come from.

Arguments: those of stack_info; `state`, absent for a preview of destroy; `show`, in which form the plan is printed: text, markdown, json,
summary or none; `reach`, whether text has all that reaches something, not only what should not; `cost`, whether there is an estimate of it;
`saved`, a file with a saved plan: the task fails when a run would do anything else now (then `moved` is true and nothing is printed);
`file`, where the plan is saved, for its owner alone to read.
Result: see module_utils/plan/render.py; its `reachability` is that of reach.py, its `cost` that of cost.py, its `resources` those of
stack_info.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import ansible.module_utils
from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import action_loader
from ansible.template import trust_as_template

# The project's own module_utils, which modules find by themselves and plugins do not.
ansible.module_utils.__path__ = [*ansible.module_utils.__path__, *constants.DEFAULT_MODULE_UTILS_PATH]
from ansible.module_utils.plan import cost, image, launch_template, prices, reach, reach_world, render, saved, sources
from ansible.module_utils.plan.compare import DuplicateError, MissingError, compare
from ansible.module_utils.plan.facts import coming
from ansible.module_utils.plan.families import KINDS, LEAVES, WANTS, find, want
from ansible.module_utils.plan.model import Change, Resource, Unknown, later
from ansible.module_utils.plan.underway import underway
from ansible.module_utils.stack import check_reach

PROJECT = Path(__file__).parents[2]
ROLES = PROJECT / "roles"
OWN = ("state", "show", "reach", "cost", "saved", "file")  # arguments that are not for stack_info
StackInfo = action_loader.get("stack_info", class_only=True)
Variables = Mapping[str, Any]
Call = tuple[str, Mapping[str, Any]]  # a role, or module, with its arguments
Layer = str  # a playbook that site.yml imports, without its ending
Known = dict[str, Any]  # variables by name; what a task leaves to the ones after it comes in

# What playbooks/bake.yml and image_test.yml tell the role `ami`, all their steps taken together.
IMAGE = {
    "ami_recipe": "{{ bake.recipe }}",
    "ami_version": "{{ stack_image_version }}",
    "ami_images": "{{ stack.images }}",
    "ami_tags": "{{ stack_tags }}",
}


@dataclass(frozen=True)
class Seen:
    """What is wanted, what stands, and what differs; `told` is what stack_info tells, `facts` the same with what will be (plan.facts)."""

    wanted: list[Resource]
    found: list[Resource]
    changes: list[Change]
    told: Variables
    facts: Variables


class ActionModule(StackInfo):  # type: ignore[misc, valid-type] # a class that a loader has found
    """Gather, check, read, then compare."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        given = {name: self._task.args.pop(name, None) for name in OWN}
        variables = {**(task_vars or {}), "stack_settled_layers": []}  # which an earlier plan of the same run has told
        try:
            told: dict[str, Any] = super().run(tmp, variables)
            if told.get("failed"):
                return told
            removing = given["state"] == "absent"
            known = {**variables, "stack": coming(told, self.wanted), **sources.source_images(told["found"], self.wanted)}
            calls = [] if removing else self.calls(known, told["found"], WANTS)
            wanted = [replace(one, layer=layer) for layer, call in calls for one in want([call])]
            found = find(told["found"])
            changes = compare(wanted, found, KINDS, removing=removing)
        except sources.SourceError as error:
            return {"failed": True, "msg": f"The release cannot be packed: {error}"}
        except DuplicateError as error:
            return {"failed": True, "msg": f"{error}. Remove the tag Stack from the one that is not the stack's, or delete it"}
        except MissingError as error:
            return {"failed": True, "msg": f"{error}. Correct its name, or let the stack make one of its own"}
        except sources.NoSourceImageError as error:
            return {"failed": True, "msg": str(error)}
        return self.result(Seen(wanted, found, changes, told, known["stack"]), given)

    def result(self, seen: Seen, given: Variables) -> dict[str, Any]:
        """What the task returns of what it has seen; `given` are its own arguments."""
        removing = given["state"] == "absent"
        plan = render.as_json(seen.changes, seen.wanted, KINDS, underway(seen.told["found"]))
        if given["saved"] and (refusal := refused(given["saved"], plan)):
            return {"failed": True, "moved": True, "msg": refusal}
        if boolean(given["cost"] or False):
            pruned = {name for name, kind in KINDS.items() if kind.pruned or removing}
            plan["cost"] = cost.estimate(seen.wanted, seen.found, pruned, self.wanted["stack_region"], prices.table(), date.today())
        plan["reachability"] = self.reachability(seen, removing=removing)
        if given["file"] and (problem := unsaved(given["file"], plan)):
            return {"failed": True, "msg": problem}
        reaches = boolean(given["reach"] or False)
        self._display.display(render.printed(plan, given["show"] or "text", self._task.args["name"], reach=reaches))
        return {"changed": False, "resources": seen.told["resources"], **plan}

    def reachability(self, seen: Seen, *, removing: bool) -> dict[str, Any]:
        """Who reaches whom, as it is wanted and as it is found; of a stack that goes nothing is expected."""
        lent, groups = reach_world.lent(seen.told["found"], seen.told), self.wanted.get("security_groups_map") or {}
        sides = {"found": reach_world.world([*seen.found, *lent], reach_world.dead_routes(seen.told["found"]))}
        if not removing:
            after = reach_world.completed(seen.wanted, seen.found, lent, groups, seen.facts["security_group_ids"])
            sides = {"wanted": reach_world.world(after), **sides}
        expected = [] if removing else check_reach.expectations(self.wanted)
        result: dict[str, Any] = reach.reachability(sides, expected, check_reach.services(self.wanted))
        return result

    def told(self, wanted: Variables, task_vars: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
        """What stack_info tells, every resource field by field, and of all releases the one that the sources come to."""
        self.wanted = wanted
        known = dict(task_vars or {})
        list(self.calls(known, {}, ()))
        told: dict[str, Any] = super().told({**wanted, "artifact_id": known.get("artifact_id")}, task_vars, details=True, **more)
        return told

    def calls(self, known: Known, found: Variables, wants: Collection[str]) -> Iterator[tuple[Layer, Call]]:
        """Those of `wants` that site.yml would call, in their order, each with arguments; what the sources come to is added to `known`."""
        for layer, play in layers(PROJECT / "site.yml"):
            if play["hosts"] == "localhost":
                for role, arguments in self._called(play.get("tasks", []), known, {}, wants):
                    yield layer, (role, arguments)
                    if role == "launch_template" and launch_template.renewed(arguments, found):
                        template = later(role, arguments["launch_template_name"], "version")
                        known["stack"] = {**known["stack"], role: {**known["stack"][role], "latest_version": template}}

    def _called(self, tasks: list[Variables], known: Known, block: Variables, wants: Collection[str]) -> Iterator[Call]:
        for task in tasks:
            given = {**block, **trusted(task.get("vars", {}))}
            role, included = called_role(task), task.get("ansible.builtin.include_tasks")
            if "block" in task:
                yield from self._called(task["block"], known, given, wants)
            elif task.get("ansible.builtin.meta") == "end_play":
                if self._holds(task, {**known, **given}):
                    return
            elif not (role or included or "image_recipe" in task) or not self._holds(task, {**known, **given}):
                continue
            elif included:
                yield from self._called(yaml_load((PROJECT / "playbooks" / included).read_text()), known, given, wants)
            elif role in wants:
                arguments = self._arguments(role, known, given)
                yield role, arguments
                known |= LEAVES[role](arguments, known["stack"]) if role in LEAVES else {}
            elif role in ("artifact", "machine_bundle"):
                names = sources.release if role == "artifact" else sources.machine_bundle
                known |= names(self._arguments(role, known, given), ROLES)
            elif "image_recipe" in task and "image_recipe" in wants:
                yield from self._image(task["image_recipe"], known)

    def _image(self, task: Variables, known: Known) -> Iterator[Call]:
        """What the image layer makes of its recipe; afterwards the image of the recipe stands."""
        known |= sources.bake(self._templar.copy_with_new_env(available_variables=known).template(trusted(task)))
        arguments = self._arguments("ami", known, trusted(IMAGE))
        yield "image_recipe", arguments
        images = image.chosen(arguments["ami_images"], arguments["ami_name"], arguments["ami_recipe"])
        known["stack"] = {**known["stack"], "images": images}

    def _holds(self, task: Variables, variables: Variables) -> bool:
        """A condition that cannot be known yet hangs on what an earlier step makes, and is taken to hold."""
        conditions = task.get("when", [])
        templar = self._templar.copy_with_new_env(available_variables=variables)
        try:
            listed = conditions if isinstance(conditions, list) else [conditions]
            return all(
                condition if isinstance(condition, bool) else templar.evaluate_conditional(trusted(condition)) for condition in listed
            )
        except AnsibleError:
            return True

    def _arguments(self, role: str, variables: Variables, given: Variables) -> Arguments:
        """A role's options and variables, by Ansible's precedence."""
        everything = {**role_variables(role, "defaults"), **variables, **role_variables(role, "vars"), **given}
        return Arguments(role, everything, self._templar)


class Arguments(Mapping[str, Any]):
    """A role's options and variables, each evaluated when it is asked for, as most of a role's own are for its tasks alone.

    What hangs on what only a run can tell is Unknown.
    """

    def __init__(self, role: str, everything: Variables, templar: Any) -> None:
        self._names = sorted(name for name in everything if name.startswith((f"{role}_", f"__{role}_")))
        self._everything = everything
        self._templar = templar.copy_with_new_env(available_variables=everything)
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known and name in self._names:
            try:
                self._known[name] = self._templar.template(self._everything[name])
            except AnsibleError:
                self._known[name] = Unknown(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def layers(site: Path) -> Iterator[tuple[Layer, Variables]]:
    """The plays of a playbook that imports others, each with the one that it comes from."""
    for entry in yaml_load(site.read_text()):
        path = site.parent / entry["ansible.builtin.import_playbook"]
        yield from ((path.stem, play) for play in plays(path))


def refused(path: str, plan: Variables) -> str:
    """Why a run must not follow the plan saved in a file; empty when it may."""
    try:
        text = Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        return f"The saved plan {path} cannot be read: {error}. Save one with plan.yml -e plan_file={path}"
    told: str = saved.refusal(path, text, plan)
    return told


def unsaved(path: str, plan: Variables) -> str:
    """Save a plan as JSON; why that could not be done, or nothing."""
    try:
        with open(Path(path).expanduser(), "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            os.fchmod(file.fileno(), 0o600)  # of one that was there, too
            file.write(json.dumps(plan, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        return f"The plan cannot be saved: {error}. Give plan_file another path"
    return ""


def plays(path: Path) -> Iterator[Variables]:
    """The plays of a playbook and of those that it imports, in their order."""
    for play in yaml_load(path.read_text()):
        if "ansible.builtin.import_playbook" in play:
            yield from plays(path.parent / play["ansible.builtin.import_playbook"])
        else:
            yield play


def called_role(task: Variables) -> str:
    """The role that a task calls by its main entry, or nothing."""
    words = ("ansible.builtin.import_role", "ansible.builtin.include_role")
    call: Variables = next((task[word] for word in words if word in task), {})
    return "" if "tasks_from" in call else str(call.get("name", ""))


def role_variables(role: str, folder: str) -> dict[str, Any]:
    path = ROLES / role / folder / "main.yml"
    return dict(trusted(yaml_load(path.read_text()) or {})) if path.exists() else {}


def trusted(value: Any) -> Any:
    """The same value with its strings marked as templates: the project's own files may hold expressions."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value
