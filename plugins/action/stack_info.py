# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of stack_info: hands the wanted stack to the module, so that no layer reads AWS for a wrong one.

The wanted stack is the inventory's variables over the defaults of the roles. The roles' argument specifications are
checked here; the rules that span variables are checked by the module (module_utils/stack/validate.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

ROLES = Path(__file__).parents[2] / "roles"
STACK = (
    "stack_name", "stack_region", "stack_target", "stack_account_id", "stack_operator_cidrs", "stack_app",
    "stack_compute", "stack_delivery", "stack_load_balancer_tier", "stack_fleet_tier", "stack_builder_tier", "stack_database_tier",
    "stack_load_balancer_group", "stack_fleet_group", "stack_builder_group", "stack_database_group",
)  # fmt: skip
PASSED = ("_id", "_ids", "_arn", "_arns", "_state", "_tags")  # what layers pass, or AWS tells: not wanted by an inventory


class ActionModule(ActionBase):
    """Gather, check, then run the module."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        specifications = {role.name: options(role) for role in sorted(ROLES.iterdir()) if (role / "meta/argument_specs.yml").exists()}
        wanted = self._wanted(variables, specifications)
        problems = [*unknown(variables, specifications), *mistyped(wanted, specifications)]
        if problems:
            return {"failed": True, "msg": "\n".join([f"{len(problems)} wrong values; no request was sent:", *problems])}
        arguments = {**self._task.args, "wanted": wanted}
        result: dict[str, Any] = self._execute_module(module_name="stack_info", module_args=arguments, task_vars=task_vars)
        return result

    def _wanted(self, variables: Mapping[str, Any], specifications: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the `stack_` variables and role options that have one; roles' defaults come in where the inventory is silent."""
        defaults: dict[str, Any] = {}
        for role, known in specifications.items():
            if f"{role}_state" in known:  # a family of AWS resources; the defaults of host roles hang on the host
                defaults |= trusted(yaml.safe_load((ROLES / role / "defaults/main.yml").read_text())) or {}
        everything = {**defaults, **variables}
        templar = self._templar.copy_with_new_env(available_variables=everything)
        names = {name for known in specifications.values() for name in known if not name.endswith(PASSED)} | set(STACK)
        result = {}
        for name in sorted(names & set(everything)):
            try:
                result[name] = templar.template(everything[name])
            except AnsibleUndefinedVariable:  # it hangs on something that a later step tells
                continue
        return result


def options(role: Path) -> dict[str, Any]:
    """The options of all entry points of a role."""
    entry_points = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    return {name: option for entry in entry_points.values() for name, option in entry.get("options", {}).items()}


def trusted(value: Any) -> Any:
    """The same value with its strings marked as templates: the project's own files may hold expressions."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def outputs(role: Path) -> set[str]:
    """The variables that a role leaves to its play: the public ones of its vars."""
    path = role / "vars/main.yml"
    return set(yaml.safe_load(path.read_text())) if path.exists() else set()


def unknown(variables: Mapping[str, Any], specifications: Mapping[str, Any]) -> Iterator[str]:
    """Variables that look like a role's option but are none."""
    known = {name for options_of in specifications.values() for name in options_of} | {
        name for role in specifications for name in outputs(ROLES / role)
    }
    for name in sorted(set(variables) - known):
        for role in specifications:
            if name.startswith(f"{role}_"):
                near = get_close_matches(name, specifications[role], n=1)
                yield f"{name} is no option of the role {role}. " + (f"Did you mean {near[0]}?" if near else "Take it away")


def mistyped(wanted: Mapping[str, Any], specifications: Mapping[str, Any]) -> Iterator[str]:
    """Values that a role's argument specification refuses, told by their variable."""
    for role, known in specifications.items():
        for name in known:
            if name in wanted:
                result = ArgumentSpecValidator({name: {**known[name], "required": False}}).validate({name: wanted[name]})
                yield from (f"{name} is {wanted[name]!r} (role {role}): {message}" for message in result.error_messages)
