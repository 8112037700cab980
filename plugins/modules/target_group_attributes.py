#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module target_group_attributes: attributes of a target group, whichever AWS knows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: target_group_attributes
short_description: Set attributes of a target group
description:
  - M(community.aws.elb_target_group) knows no slow start, cannot turn stickiness off, and has no check mode.
options:
  target_group_arn:
    description: ARN of the target group.
    type: str
    required: true
  attributes:
    description: Attributes by AWS's own names, values as strings. Others are left alone.
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
- name: Let new targets start slowly
  target_group_attributes:
    target_group_arn: "{{ target_group.target_group_arn }}"
    attributes:
      slow_start.duration_seconds: "60"
"""

RETURN = r"""
changes:
  description: The attributes that were changed, with their new values.
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
        argument_spec={"target_group_arn": {"type": "str", "required": True}, "attributes": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    arn, client = module.params["target_group_arn"], module.client("elbv2")
    try:
        answer = client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        found = {attribute["Key"]: attribute["Value"] for attribute in answer}
        wanted = {key: str(value) for key, value in module.params["attributes"].items()}
        changes = {key: value for key, value in wanted.items() if found.get(key) != value}
        if changes and not module.check_mode:
            attributes = [{"Key": key, "Value": value} for key, value in changes.items()]
            client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The attributes of {arn} could not be set")
    module.exit_json(changed=bool(changes), changes=changes, diff={"before": {key: found.get(key) for key in changes}, "after": changes})


if __name__ == "__main__":
    main()
