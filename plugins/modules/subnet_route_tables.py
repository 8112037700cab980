#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module subnet_route_tables: which route table each subnet uses."""

from __future__ import annotations

DOCUMENTATION = r"""
module: subnet_route_tables
short_description: Associate subnets with route tables
description:
  - Moves each subnet to its route table in one step, so that it is never without its routes.
  - M(amazon.aws.ec2_vpc_route_table) takes a subnet away from its former table and leaves it on the main one until it is run again.
options:
  associations:
    description: Route table id by subnet id. An empty one leaves the subnet to the VPC's main route table.
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
- name: Let the second private subnet leave by its own NAT gateway
  subnet_route_tables:
    associations:
      subnet-0123456789abcdef0: rtb-0123456789abcdef0
"""

RETURN = r"""
moved:
  description: The subnets that were moved, with the route table that each used before; an empty one was the main one.
  type: dict
  returned: always
"""

from typing import Any

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def standing(ec2: Any, subnet_ids: list[str]) -> dict[str, tuple[str, str]]:
    """Subnet id -> (route table id, association id), for the subnets that have a route table of their own."""
    pages = ec2.get_paginator("describe_route_tables").paginate(Filters=[{"Name": "association.subnet-id", "Values": subnet_ids}])
    return {
        association["SubnetId"]: (table["RouteTableId"], association["RouteTableAssociationId"])
        for page in pages
        for table in page["RouteTables"]
        for association in table["Associations"]
        if association.get("SubnetId") in subnet_ids
    }


def move(ec2: Any, subnet_id: str, wanted: str, association_id: str) -> None:
    """One subnet to its table: associated, replaced in one step, or left to the main one."""
    if not wanted:
        ec2.disassociate_route_table(AssociationId=association_id)
    elif association_id:
        ec2.replace_route_table_association(AssociationId=association_id, RouteTableId=wanted)
    else:
        ec2.associate_route_table(RouteTableId=wanted, SubnetId=subnet_id)


def main() -> None:
    module = AnsibleAWSModule(argument_spec={"associations": {"type": "dict", "required": True}}, supports_check_mode=True)
    associations: dict[str, str] = module.params["associations"]
    moved = {}
    try:
        ec2 = module.client("ec2")
        found = standing(ec2, list(associations)) if associations else {}
        for subnet_id, wanted in sorted(associations.items()):
            table_id, association_id = found.get(subnet_id, ("", ""))
            if table_id != wanted:
                if not module.check_mode:
                    move(ec2, subnet_id, wanted, association_id)
                moved[subnet_id] = table_id
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg="The subnets could not be moved to their route tables")
    module.exit_json(changed=bool(moved), moved=moved)


if __name__ == "__main__":
    main()
