#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module secret_description: the description of a secret that stands, its value untouched."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_description
short_description: Set the description of a secret
description:
  - M(community.aws.secretsmanager_secret) changes a description only together with the value, which makes a new version of it.
  - This module changes the description alone. It neither reads nor writes the value.
options:
  name:
    description: Name or ARN of the secret.
    type: str
    required: true
  description:
    description: What the secret is for.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Say what the secret is for
  secret_description:
    name: uda/database
    description: Master user of the database
"""

RETURN = r"""
former:
  description: The description that it had.
  type: str
  returned: always
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"name": {"type": "str", "required": True}, "description": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    name, description = module.params["name"], module.params["description"]
    try:
        client = module.client("secretsmanager")
        former = client.describe_secret(SecretId=name).get("Description", "")
        if former != description and not module.check_mode:
            client.update_secret(SecretId=name, Description=description)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The description of the secret {name} could not be set")
    module.exit_json(changed=former != description, former=former)


if __name__ == "__main__":
    main()
