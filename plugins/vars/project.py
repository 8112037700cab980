# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives every playbook and ad-hoc command the variables of the project's own group_vars/."""

from __future__ import annotations

DOCUMENTATION = """
name: project
short_description: The project's own group_vars, for every playbook
version_added: "0.1"
description:
  - Reads C(group_vars/) beside C(ansible.cfg) wherever the playbook stands. Ansible itself looks beside the inventory and beside the
    playbook only, so the playbooks below C(playbooks/), imported by C(site.yml) or run alone, would not see it.
  - They rank as variables beside the playbook do, above those of the inventory's group C(all).
author: hastack
options:
  stage:
    description: When it is asked.
    type: str
    choices: [all, task, inventory]
    ini:
      - section: vars_project
        key: stage
    env:
      - name: ANSIBLE_VARS_PROJECT_STAGE
"""

from pathlib import Path
from typing import Any

from ansible.plugins.vars.host_group_vars import VarsModule as HostGroupVars

PROJECT = Path(__file__).resolve().parents[2]


class VarsModule(HostGroupVars):
    """The files of a folder as V(host_group_vars) finds them, in one folder for all."""

    def get_vars(self, loader: Any, path: str, entities: Any, cache: bool = True) -> dict[str, Any]:
        """The variables of the groups or hosts `entities`; `path`, where Ansible is looking at this moment, decides nothing."""
        found: dict[str, Any] = super().get_vars(loader, str(PROJECT), entities, cache)
        return found
