#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module secret_rotation: the two ends of a rotation of a secret."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rotation
short_description: Prepare and finish the rotation of a secret
description:
  - C(prepared) makes a new version with new generated values, which waits with the label AWSPENDING. One that an interrupted rotation has
    left is taken up, so that it is never made twice. Give the task C(no_log), because the value is in its result.
  - C(finished) makes the version that waits the current one. M(community.aws.secretsmanager_secret) knows no labels.
options:
  name:
    description: Name or ARN of the secret.
    type: str
    required: true
  state:
    description: Which end.
    type: str
    choices: [prepared, finished]
    required: true
  generated:
    description: Keys whose values are generated anew, and how many letters and digits each has. For C(prepared).
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Prepare a new password
  secret_rotation:
    name: uda/database
    state: prepared
    generated:
      password: 32
  register: secret
  no_log: true

- name: Make it the current one
  secret_rotation:
    name: uda/database
    state: finished
"""

RETURN = r"""
value:
  description: The text of the version that waits.
  type: str
  returned: when O(state=prepared)
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.stack.rotation import RotationError, pending_value, prepare, promote
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["prepared", "finished"], "required": True},
            "generated": {"type": "dict", "default": {}},
        },
    )
    name = module.params["name"]
    try:
        client = module.client("secretsmanager")
        if module.params["state"] == "finished":
            module.exit_json(changed=promote(client, name))
        changed = prepare(client, name, {key: int(length) for key, length in module.params["generated"].items()})
        value = pending_value(client, name)
    except RotationError as error:
        module.fail_json(msg=f"The secret {name} cannot be rotated: {error}")
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The secret {name} could not be rotated")
    module.exit_json(changed=changed, value=value)


if __name__ == "__main__":
    main()
