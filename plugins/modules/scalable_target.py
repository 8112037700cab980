#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module scalable_target: take an ECS service away from Application Auto Scaling."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scalable_target
short_description: Take an ECS service away from Application Auto Scaling
description:
  - Deregisters a service's desired count, with its scaling policies and their alarms. The collections' module
    (C(community.aws.application_autoscaling_policy)) registers it, but never deregisters it.
options:
  resource_id:
    description: C(service/<cluster>/<service>).
    type: str
    required: true
  state:
    description: What shall be.
    type: str
    choices: [absent]
    default: absent
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Take the service away from its scaling
  scalable_target:
    resource_id: service/meibo/meibo
    state: absent
"""

RETURN = r"""#"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "resource_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["absent"], "default": "absent"},
        },
        supports_check_mode=True,
    )
    resource_id, scaling = module.params["resource_id"], module.client("application-autoscaling")
    try:
        found = scaling.describe_scalable_targets(ResourceIds=[resource_id], **DIMENSION)["ScalableTargets"]
        if found and not module.check_mode:
            scaling.deregister_scalable_target(ResourceId=resource_id, **DIMENSION)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The scalable target {resource_id} could not be deregistered")
    module.exit_json(changed=bool(found))


if __name__ == "__main__":
    main()
