#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module cloudwatch_alarm_actions: turn the actions of alarms on again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_alarm_actions
short_description: Turn the actions of CloudWatch alarms on
description:
  - An alarm whose actions are off goes off and tells nobody. M(amazon.aws.cloudwatch_metric_alarm) does not look at that, so that such an
    alarm would stay as it is; this module turns the actions on and changes nothing else.
options:
  names:
    description: Names of the alarms. One that is not there is passed over.
    type: list
    elements: str
    required: true
  prefix:
    description: What all of these names begin with, so that one request finds them.
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
- name: Let the alarm tell somebody
  cloudwatch_alarm_actions:
    prefix: uda-
    names: [uda-cpu]
"""

RETURN = r"""
enabled:
  description: Names of the alarms whose actions were off.
  type: list
  elements: str
  returned: always
"""

from typing import Any

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

AT_ONCE = 100  # alarms that EnableAlarmActions takes in one request


def bring_about(module: AnsibleAWSModule, cloudwatch: Any) -> dict[str, Any]:
    """What module.exit_json is given."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=module.params["prefix"], AlarmTypes=["MetricAlarm"])
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    silent = sorted(alarm["AlarmName"] for alarm in alarms if alarm["AlarmName"] in module.params["names"] and not alarm["ActionsEnabled"])
    for start in range(0, 0 if module.check_mode else len(silent), AT_ONCE):
        cloudwatch.enable_alarm_actions(AlarmNames=silent[start : start + AT_ONCE])
    return {"changed": bool(silent), "enabled": silent}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "prefix": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        result = bring_about(module, module.client("cloudwatch"))
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg="The actions of the alarms could not be turned on")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
