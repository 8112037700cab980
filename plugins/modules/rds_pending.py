#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module rds_pending: apply now what waits for the maintenance window of a DB instance."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_pending
short_description: Apply the pending changes of a DB instance now
description:
  - Changes that were made for the maintenance window wait there. M(amazon.aws.rds_instance) compares with what waits, finds nothing to
    do and sends nothing, so that it cannot be told that they are wanted now; this module does that and no more.
options:
  name:
    description: Identifier of the DB instance.
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
- name: Apply what waits
  rds_pending:
    name: uda-psql-db
"""

RETURN = r"""
pending:
  description: Names of what waited.
  type: list
  elements: str
  returned: always
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.stack.database_rules import AT_REST
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(argument_spec={"name": {"type": "str", "required": True}}, supports_check_mode=True)
    name = module.params["name"]
    try:
        rds = module.client("rds")
        [instance] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        pending = sorted(instance.get("PendingModifiedValues", {}))
        waits = bool(pending) and instance["DBInstanceStatus"] in AT_REST  # else it is under way
        if waits and not module.check_mode:
            rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The pending changes of {name} could not be applied")
    module.exit_json(changed=waits, pending=pending)


if __name__ == "__main__":
    main()
