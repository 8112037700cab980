#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module ecr_token_info: a token for ECR's registry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_token_info
short_description: Get a token for ECR's registry
description:
  - Gets the user name and the password with which docker and podman push to the account's registry, for twelve hours.
  - Give the task C(no_log), because the password is in its result.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Get a token for the registry
  ecr_token_info:
  register: token
  no_log: true
"""

RETURN = r"""
username:
  description: Always C(AWS).
  type: str
  returned: always
password:
  description: The token.
  type: str
  returned: always
"""

from base64 import b64decode

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(argument_spec={}, supports_check_mode=True)
    try:
        (data,) = module.client("ecr").get_authorization_token()["authorizationData"]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg="No token for the registry was given")
    username, _, password = b64decode(data["authorizationToken"]).decode().partition(":")
    module.exit_json(changed=False, username=username, password=password)


if __name__ == "__main__":
    main()
