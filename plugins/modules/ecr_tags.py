#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module ecr_tags: the tags of an ECR repository."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_tags
short_description: Tag an ECR repository
description:
  - Sets tags of a repository; the collections' module makes repositories, but cannot tag them.
  - Tags that are not among them are taken away, but for those that AWS itself sets.
options:
  arn:
    description: ARN of the repository.
    type: str
    required: true
  tags:
    description: Tags that it shall have.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Tag the repository
  ecr_tags:
    arn: arn:aws:ecr:ap-northeast-1:123456789012:repository/meibo
    tags:
      Stack: meibo
"""

RETURN = r"""
tags:
  description: The tags of the repository.
  type: dict
  returned: always
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"arn": {"type": "str", "required": True}, "tags": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    arn, ecr = module.params["arn"], module.client("ecr")
    try:
        found = {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}
        missing = {key: str(value) for key, value in module.params["tags"].items() if found.get(key) != str(value)}
        other = [key for key in found if key not in module.params["tags"] and not key.startswith("aws:")]
        if missing and not module.check_mode:
            ecr.tag_resource(resourceArn=arn, tags=[{"Key": key, "Value": value} for key, value in missing.items()])
        if other and not module.check_mode:
            ecr.untag_resource(resourceArn=arn, tagKeys=other)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The repository {arn} could not be tagged")
    kept = {key: value for key, value in found.items() if key not in other}
    module.exit_json(changed=bool(missing or other), tags=kept | missing)


if __name__ == "__main__":
    main()
