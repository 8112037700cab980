#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module ecs_rollout_info: where an ECS service's rollout stands."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_rollout_info
short_description: Tell where an ECS service's rollout stands
description:
  - Tells whether a service runs one revision of its task definition, with its newest events and the reasons for which tasks of it stopped.
  - The collections tell the deployments and the events, but not why tasks have stopped.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  service:
    description: Name of the service.
    type: str
    required: true
  task_definition:
    description: ARN of the revision that shall run.
    type: str
    required: true
  deployment:
    description: Id of the deployment that shall run it, where earlier ones run the same revision.
    type: str
  log_group:
    description:
      - Log group of the tasks, for the last lines of one that ended by itself. Its streams are named C(service/service/task),
        as the role ecs has it.
    type: str
    default: ""
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Look how far the rollout is
  ecs_rollout_info:
    cluster: meibo
    service: meibo
    task_definition: arn:aws:ecs:ap-northeast-1:123456789012:task-definition/meibo:3
  register: rollout
"""

RETURN = r"""
state:
  description: One of C(completed), C(in_progress), C(failed) and C(rolled_back).
  type: str
  returned: always
events:
  description: The service's newest events.
  type: list
  elements: str
  returned: always
stopped_reasons:
  description: Why tasks of this revision have stopped.
  type: list
  elements: str
  returned: always
told:
  description: Reasons, events, the last lines of a task that ended by itself, and what to do about it, as a text.
  type: str
  returned: always
"""

from typing import Any

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.stack.rollout import rollout
from ansible.module_utils.stack.task_errors import Item, ended, told
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

LINES = 5


def last_lines(logs: Any, group: str, service: str, task: Item | None) -> list[str]:
    """The last lines that a task has written; none where there is no stream, or it may not be read: they are a help and no more."""
    if task is None or not group:
        return []
    stream = f"{service}/{service}/{task['taskArn'].rsplit('/', 1)[-1]}"
    try:
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=LINES, startFromHead=False)["events"]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        return []
    return [event["message"] for event in events]


def main() -> None:
    names = ("cluster", "service", "task_definition")
    options = {name: {"type": "str", "required": True} for name in names}
    options |= {"deployment": {"type": "str"}, "log_group": {"type": "str", "default": ""}}
    module = AnsibleAWSModule(argument_spec=options, supports_check_mode=True)
    cluster, service, task_definition = (module.params[name] for name in names)
    ecs = module.client("ecs")
    try:
        found = ecs.describe_services(cluster=cluster, services=[service])["services"]
        arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"]
        stopped = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The service {service} of the cluster {cluster} could not be read")
    if not found:
        module.fail_json(msg=f"There is no service {service} in the cluster {cluster}. Run the layer again: it makes one")
    result = rollout(found[0], task_definition, stopped, module.params["deployment"])
    lines = last_lines(module.client("logs"), module.params["log_group"], service, ended(stopped, task_definition))
    module.exit_json(changed=False, **result, told=told(result["stopped_reasons"], result["events"], lines))


if __name__ == "__main__":
    main()
