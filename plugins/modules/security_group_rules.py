#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module security_group_rules: single rules of a security group that belongs to somebody else."""

from __future__ import annotations

DOCUMENTATION = r"""
module: security_group_rules
short_description: Add and take away single rules of a security group
description:
  - Leaves every rule alone that it is not told. M(amazon.aws.ec2_security_group) can only purge all rules that it is not told.
  - Rules are added before others are taken away, so that nobody is shut out in between.
options:
  group_id:
    description: The security group.
    type: str
    required: true
  present:
    description:
      - Rules that shall be there. Each has C(port), C(protocol) (tcp), C(description), and either C(group), a key of
        O(group_ids), or C(cidrs).
    type: list
    elements: dict
    default: []
  absent:
    description: Rules that shall not be there.
    type: list
    elements: dict
    default: []
  revoked:
    description:
      - Rules that shall not be there, of whichever source, as the plan words them, such as C(tcp 22 0.0.0.0/0). By way, C(ingress) or
        C(egress).
    type: dict
    default: {}
  group_ids:
    description: Ids of groups by the keys that rules name them by. A rule for a key that is not in here is passed over.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Open the database to the application in place of the whole VPC
  security_group_rules:
    group_id: sg-0123456789abcdef0
    present: [{port: 3306, group: web, description: MySQL from the web tier}]
    absent: [{port: 3306, cidrs: [10.0.0.0/20]}]
    group_ids: {web: sg-0123456789abcdef1}

- name: Take back what somebody has opened, and nothing else
  security_group_rules:
    group_id: sg-0123456789abcdef0
    revoked: {ingress: [tcp 22 0.0.0.0/0]}
"""

RETURN = r"""
added:
  description: The permissions that were added, in EC2's words.
  type: list
  elements: dict
  returned: always
removed:
  description: The permissions that were taken away, in EC2's words.
  type: list
  elements: dict
  returned: always
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.plan.security import pieces
from ansible.module_utils.stack.permissions import found, ip_permission, wanted
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "group_id": {"type": "str", "required": True},
            "present": {"type": "list", "elements": "dict", "default": []},
            "absent": {"type": "list", "elements": "dict", "default": []},
            "revoked": {"type": "dict", "default": {}},
            "group_ids": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    group_id, group_ids = module.params["group_id"], module.params["group_ids"]
    present, absent = (wanted(module.params[name], group_ids) for name in ("present", "absent"))
    try:
        ec2 = module.client("ec2")
        group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
        standing = found(group["IpPermissions"])
        revoked = {
            way: [piece for words, _text, piece in pieces(group[permissions]) if words in module.params["revoked"].get(way, [])]
            for way, permissions in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress"))
        }
        added = [ip_permission(rule, text) for rule, text in present.items() if rule not in standing]
        removed = [ip_permission(rule) for rule in absent if rule in standing and rule not in present]
        if added and not module.check_mode:
            ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=added)
        if removed and not module.check_mode:
            ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=removed)
        for way, permissions in revoked.items():
            if permissions and not module.check_mode:
                getattr(ec2, f"revoke_security_group_{way}")(GroupId=group_id, IpPermissions=permissions)
            removed += permissions
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The rules of {group_id} could not be set")
    module.exit_json(changed=bool(added or removed), added=added, removed=removed)


if __name__ == "__main__":
    main()
