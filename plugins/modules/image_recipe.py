#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module image_recipe: the hash of what goes into an image."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_recipe
short_description: Hash what goes into an image
description:
  - Gives one hash over the files of roles and over further ingredients. An image that carries the hash needs no new bake.
options:
  roles:
    description: Folders of the roles that configure the image. Their READMEs do not count.
    type: list
    elements: path
    required: true
  ingredients:
    description: Whatever else the image is made from, such as variables, the source AMI and the release.
    type: dict
    default: {}
author:
  - hastack
"""

EXAMPLES = r"""
- name: Hash the recipe
  image_recipe:
    roles: [roles/base, roles/nginx]
    ingredients:
      source_ami: ami-0123456789abcdef0
  register: recipe
"""

RETURN = r"""
recipe:
  description: Twelve hexadecimal digits.
  type: str
  returned: always
  sample: 3f2a9c81d0b7
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.stack.recipe import recipe


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "roles": {"type": "list", "elements": "path", "required": True},
            "ingredients": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    roles = [Path(role) for role in module.params["roles"]]
    missing = [str(role) for role in roles if not role.is_dir()]
    if missing:
        module.fail_json(msg=f"no such role folder: {', '.join(missing)}. Give the folders of the roles that configure the image")
    module.exit_json(changed=False, recipe=recipe(roles, module.params["ingredients"]))


if __name__ == "__main__":
    main()
