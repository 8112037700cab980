# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of stack_info: hands the wanted stack to the module, so that no layer reads AWS for a wrong one.

The wanted stack is the inventory's variables over the defaults of the roles. The roles' argument specifications are
checked here; the rules that span variables are checked by the module (module_utils/stack/validate.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load  # by libyaml where that is there: a tenth of the time
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

ROLES = Path(__file__).parents[2] / "roles"
STACK = (
    "stack_name", "stack_region", "stack_target", "stack_account_id", "stack_operator_cidrs", "stack_app",
    "stack_compute", "stack_delivery", "stack_bastion",
    "stack_load_balancer_tier", "stack_fleet_tier", "stack_builder_tier", "stack_bastion_tier", "stack_database_tier",
    "stack_load_balancer_group", "stack_fleet_group", "stack_builder_group", "stack_database_group",
    "stack_os", "stack_source_image", "stack_role_name", "stack_ssh_key_file", "stack_lab_profile",
    "stack_deploy_bucket", "stack_parameters_path", "stack_parameters", "stack_parameters_secrets",
    "stack_task_tier", "stack_task_group", "stack_reachability", "stack_database_secret", "stack_app_secret",
)  # fmt: skip
PASSED = ("_id", "_ids", "_arn", "_arns", "_state", "_tags")  # what layers pass, or AWS tells: not wanted by an inventory
OF_MACHINES = ("app_release", "artifact")  # a release is packed and unpacked for machines alone: containers have their Dockerfile


class ActionModule(ActionBase):
    """Gather, check, then run the module."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        wanted, problems = self.checked(task_vars or {})
        return refused(problems) if problems else self.told(wanted, task_vars)

    def checked(self, variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The wanted stack, and what is wrong with it that can be told here."""
        specifications = {role.name: options(role) for role in sorted(ROLES.iterdir()) if (role / "meta/argument_specs.yml").exists()}
        wanted = self._wanted(variables, specifications)
        if wanted.get("stack_compute") == "containers":
            specifications = {role: known for role, known in specifications.items() if role not in OF_MACHINES}
        wanted, mistyped = typed(wanted, specifications)
        problems = [*unknown(variables, specifications), *mistyped, *without_dockerfile(wanted)]
        return wanted, problems

    def told(self, wanted: Mapping[str, Any], task_vars: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
        """What the module of the same name tells about it."""
        arguments = {**self._task.args, "wanted": wanted, **more}
        result: dict[str, Any] = self._execute_module(module_name="stack_info", module_args=arguments, task_vars=task_vars)
        return result

    def _wanted(self, variables: Mapping[str, Any], specifications: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the `stack_` variables and role options that have one; roles' defaults come in where the inventory is silent."""
        defaults: dict[str, Any] = {}
        for role, known in specifications.items():
            if f"{role}_state" in known:  # a family of AWS resources; the defaults of host roles hang on the host
                defaults |= trusted(yaml_load((ROLES / role / "defaults/main.yml").read_text())) or {}
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


def refused(problems: Iterable[str]) -> dict[str, Any]:
    """The result of a task that has sent no request."""
    told = list(problems)
    return {"failed": True, "msg": "\n".join([f"{len(told)} wrong values; no request was sent:", *told])}


def without_dockerfile(wanted: Mapping[str, Any]) -> Iterator[str]:
    """The application of a stack of containers must say how its image is built."""
    source = (wanted.get("stack_app") or {}).get("source", "")
    if wanted.get("stack_compute") == "containers" and not (ROLES.parent / source / "Dockerfile").is_file():
        yield f"stack_app.source is {source!r}: no Dockerfile is in that folder of the project. Add one, or name another folder"


def options(role: Path) -> dict[str, Any]:
    """The options of all entry points of a role."""
    entry_points = yaml_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
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
    return set(yaml_load(path.read_text())) if path.exists() else set()


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


def typed(wanted: Mapping[str, Any], specifications: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values with the types of the roles' argument specifications, and those that cannot have them, told by their variable.

    Numbers given as `-e name=2` come as text. What is inside lists and dictionaries stays as it is written.
    """
    result, problems = dict(wanted), list[str]()
    for role, known in specifications.items():
        for name in sorted(known.keys() & wanted.keys()):
            found = ArgumentSpecValidator({name: {**known[name], "required": False}}).validate({name: wanted[name]})
            problems += [f"{name} is {wanted[name]!r} (role {role}): {message}" for message in found.error_messages]
            if known[name].get("type") in ("bool", "float", "int"):
                result[name] = found.validated_parameters[name]
    return result, problems
