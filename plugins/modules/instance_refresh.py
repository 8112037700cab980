#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module instance_refresh: replace an Auto Scaling group's instances by another launch template version, or leave everything as it was."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_refresh
short_description: Replace an Auto Scaling group's instances by another launch template version
description:
  - Starts an instance refresh to a version of a launch template and waits for its end. The group gets the version when all its instances
    run it. A refresh that fails or is not over in time is rolled back, so that the former version serves; the module then fails, and tells
    what the new instances wrote to their consoles.
  - M(amazon.aws.autoscaling_instance_refresh) knows no desired configuration, so that a refresh of its can go nowhere back to.
options:
  group:
    description: Name of the Auto Scaling group.
    type: str
    required: true
  launch_template_id:
    description: Id of the launch template.
    type: str
    required: true
  launch_template_version:
    description: Number of its version.
    type: int
    required: true
  min_healthy_percentage:
    description: Share of healthy instances that is kept; at 100 new instances come before old ones go.
    type: int
    default: 100
  max_healthy_percentage:
    description: Share of instances that may be reached for that.
    type: int
    default: 150
  instance_warmup:
    description: Seconds that a new instance gets before it counts.
    type: int
    default: 30
  timeout:
    description: Seconds after which a refresh is rolled back, and after which a rollback is not awaited any longer.
    type: int
    default: 1800
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Replace the instances
  instance_refresh:
    group: shop-web
    launch_template_id: lt-0123456789abcdef0
    launch_template_version: 4
"""

RETURN = r""" # """

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.stack.replacement import Replacement, ReplacementError, Wanted
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "group": {"type": "str", "required": True},
            "launch_template_id": {"type": "str", "required": True},
            "launch_template_version": {"type": "int", "required": True},
            "min_healthy_percentage": {"type": "int", "default": 100},
            "max_healthy_percentage": {"type": "int", "default": 150},
            "instance_warmup": {"type": "int", "default": 30},
            "timeout": {"type": "int", "default": 1800},
        },
    )
    given = module.params
    preferences = {
        "MinHealthyPercentage": given["min_healthy_percentage"],
        "MaxHealthyPercentage": given["max_healthy_percentage"],
        "InstanceWarmup": given["instance_warmup"],
    }
    wanted = Wanted(given["group"], given["launch_template_id"], str(given["launch_template_version"]), preferences, given["timeout"])
    try:
        changed = Replacement(module.client("autoscaling"), module.client("ec2"), wanted).bring()
    except ReplacementError as error:
        module.fail_json(msg=str(error))
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The instances of {given['group']} could not be replaced")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
