#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module cloudwatch_dashboard: a CloudWatch dashboard, which the collections have no module for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_dashboard
short_description: Manage a CloudWatch dashboard
description:
  - Creates, changes or deletes a dashboard. Bodies are compared as data, so that the order of keys is no difference.
  - A metric widget without a region gets that of the request, which AWS wants to be named.
options:
  name:
    description: Name of the dashboard.
    type: str
    required: true
  body:
    description: The dashboard's body as data, with C(widgets). Required for C(present).
    type: dict
  state:
    description: Whether the dashboard shall be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Show the requests
  cloudwatch_dashboard:
    name: uda
    body:
      widgets:
        - type: metric
          properties:
            title: requests
            metrics: [[AWS/ApplicationELB, RequestCount, LoadBalancer, app/uda-alb/50dc6c495c0c9188]]
"""

RETURN = r"""
dashboard_arn:
  description: ARN of the dashboard, empty when it is not there.
  type: str
  returned: always
"""

import json
from typing import Any

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def located(body: dict[str, Any], region: str) -> dict[str, Any]:
    """The body with a region for each widget that has metrics or a query, as PutDashboard wants it."""
    widgets = [
        {**widget, "properties": {"region": region, **widget["properties"]}} if widget.get("type") in ("metric", "log") else widget
        for widget in body.get("widgets", [])
    ]
    return {**body, "widgets": widgets}


def get(cloudwatch: Any, name: str) -> tuple[str, dict[str, Any] | None]:
    """ARN and body of a dashboard, or nothing."""
    try:
        found = cloudwatch.get_dashboard(DashboardName=name)
    except is_boto3_error_code(["ResourceNotFound", "DashboardNotFoundError"]):
        return "", None
    return found["DashboardArn"], json.loads(found["DashboardBody"])


def bring_about(module: AnsibleAWSModule, cloudwatch: Any) -> dict[str, Any]:
    """What module.exit_json is given."""
    name, present = module.params["name"], module.params["state"] == "present"
    arn, before = get(cloudwatch, name)
    after = located(module.params["body"], cloudwatch.meta.region_name) if present else None
    result = {"changed": before != after, "dashboard_arn": arn, "diff": {"before": before or {}, "after": after or {}}}
    if result["changed"] and not module.check_mode:
        if present:
            told = cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(after))["DashboardValidationMessages"]
            for message in told:
                module.warn(f"{message.get('DataPath')}: {message.get('Message')}")
            result["dashboard_arn"] = get(cloudwatch, name)[0]
        else:
            cloudwatch.delete_dashboards(DashboardNames=[name])
            result["dashboard_arn"] = ""
    return result


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "body": {"type": "dict"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[["state", "present", ["body"]]],
        supports_check_mode=True,
    )
    try:
        result = bring_about(module, module.client("cloudwatch"))
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The dashboard {module.params['name']} could not be brought about")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
