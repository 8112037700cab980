"""The roles that site.yml calls for a stack, with the arguments that its inventory's own expressions give them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from ansible.module_utils.plan.facts import coming
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig

from plugins.action import stack_plan

from .wanted import ROOT, trusted, wanted


def called(stack: str, facts: Mapping[str, Any], roles: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """Those of the roles that are called, in their order; `facts` are what stack_info tells of what stands."""
    variables: dict[str, Any] = {}
    for folder in ("group_vars/all", f"inventories/{stack}/group_vars/stack"):
        for path in sorted((ROOT / folder).glob("*.yml")):
            variables |= yaml.safe_load(path.read_text())
    action = stack_plan.ActionModule.__new__(stack_plan.ActionModule)
    action._templar = Templar(DataLoader(), variables={})
    given = trusted(variables) | {"playbook_dir": str(ROOT / "playbooks"), "stack": coming(facts, wanted(stack))}
    with collections_found():
        return [call for _layer, call in action.calls(given, {"launch_templates": [], "launch_template_versions": {}}, roles)]


@contextmanager
def collections_found() -> Iterator[None]:
    """Ansible's finder of collections, by which plugins are known by their whole names; other tests look into collections without it."""
    init_plugin_loader()
    yield
    AnsibleCollectionConfig.collection_finder._remove()
    for name in [name for name in sys.modules if name.startswith("ansible_collections")]:
        del sys.modules[name]
