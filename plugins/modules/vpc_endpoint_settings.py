#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module vpc_endpoint_settings: what amazon.aws.ec2_vpc_endpoint does not set on an endpoint that stands."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_endpoint_settings
short_description: Set subnets, groups, route tables, private DNS and tags of a VPC endpoint
description:
  - M(amazon.aws.ec2_vpc_endpoint) creates endpoints, but changes none that stands, knows no private DNS and does not wait.
  - This module does that, and nothing when all is as wanted.
options:
  vpc_endpoint_id:
    description: The endpoint.
    type: str
    required: true
  subnet_ids:
    description: Subnets of an interface endpoint, at most one in each availability zone.
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Security groups of an interface endpoint.
    type: list
    elements: str
    default: []
  route_table_ids:
    description: Route tables of a gateway endpoint.
    type: list
    elements: str
    default: []
  service:
    description: The service that it must be for, by its whole name. AWS cannot change that, so another one is an error.
    type: str
    required: true
  tags:
    description: Its tags; others go.
    type: dict
    required: true
  private_dns:
    description: Whether the service's own name leads to an interface endpoint inside the VPC.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait until the endpoint is available.
    type: int
    default: 600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Let the service's own name lead to the endpoint
  vpc_endpoint_settings:
    vpc_endpoint_id: vpce-0123456789abcdef0
    service: com.amazonaws.ap-northeast-1.secretsmanager
    tags: {Name: shop-secrets}
    subnet_ids: [subnet-0123456789abcdef0]
    security_group_ids: [sg-0123456789abcdef0]
    private_dns: true
"""

RETURN = r"""
changes:
  description: What was changed, in the words of ModifyVpcEndpoint.
  type: dict
  returned: always
tags:
  description: Tags that were set, by key, and None for each that was taken away.
  type: dict
  returned: always
"""

import time
from typing import Any

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.stack.endpoint_changes import changes, tag_changes
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

LISTS = ("subnet_ids", "security_group_ids", "route_table_ids")


def available(module: AnsibleAWSModule, ec2: Any) -> dict[str, Any]:
    """The endpoint, once it has left its passing state."""
    until = time.monotonic() + module.params["wait_timeout"]
    while True:
        found: dict[str, Any] = ec2.describe_vpc_endpoints(VpcEndpointIds=[module.params["vpc_endpoint_id"]])["VpcEndpoints"][0]
        state = found["State"].lower()
        if state == "available" or module.check_mode:
            return found
        if state != "pending" or time.monotonic() > until:
            reason = found.get("LastError", {}).get("Message", "AWS tells no reason")
            module.fail_json(msg=f"{found['VpcEndpointId']} is {state}, not available: {reason}")
        time.sleep(2)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "vpc_endpoint_id": {"type": "str", "required": True},
            **{name: {"type": "list", "elements": "str", "default": []} for name in LISTS},
            "service": {"type": "str", "required": True},
            "tags": {"type": "dict", "required": True},
            "private_dns": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    try:
        ec2 = module.client("ec2")
        endpoint = available(module, ec2)
        if endpoint["ServiceName"] != module.params["service"]:
            module.fail_json(
                msg=f"{endpoint['VpcEndpointId']} is for {endpoint['ServiceName']}, expected {module.params['service']}, and AWS cannot "
                "change that. Give the new endpoint another key in vpc_endpoints_map: then this one goes"
            )
        different = changes(endpoint, *(module.params[name] for name in LISTS), private_dns=module.params["private_dns"])
        if different and not module.check_mode:
            ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], **different)
            available(module, ec2)
        added, gone = tag_changes(endpoint, module.params["tags"])
        if added and not module.check_mode:
            ec2.create_tags(Resources=[endpoint["VpcEndpointId"]], Tags=[{"Key": key, "Value": value} for key, value in added.items()])
        if gone and not module.check_mode:
            ec2.delete_tags(Resources=[endpoint["VpcEndpointId"]], Tags=[{"Key": key} for key in gone])
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The endpoint {module.params['vpc_endpoint_id']} could not be set")
    module.exit_json(changed=bool(different or added or gone), changes=different, tags=added | dict.fromkeys(gone))


if __name__ == "__main__":
    main()
