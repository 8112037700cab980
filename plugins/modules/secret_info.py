#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module secret_info: the value of a secret in Secrets Manager."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_info
short_description: Read the value of a secret
description:
  - Reads a secret from Secrets Manager. Give the task C(no_log), because the value is in its result.
  - A lookup would run in the control process, without the play's environment, and show the value at high verbosity.
options:
  name:
    description: Name or ARN of the secret.
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
- name: Read the password
  secret_info:
    name: uda/database
  register: secret
  no_log: true
"""

RETURN = r"""
value:
  description: The secret's text.
  type: str
  returned: always
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(argument_spec={"name": {"type": "str", "required": True}}, supports_check_mode=True)
    name = module.params["name"]
    try:
        value = module.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The secret {name} could not be read")
    module.exit_json(changed=False, value=value)


if __name__ == "__main__":
    main()
