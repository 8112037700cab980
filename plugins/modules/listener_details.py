#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module listener_details: further certificates of listeners, conditions taken out of their rules, and target groups that get nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: listener_details
short_description: Finish what amazon.aws.elb_application_lb leaves undone on listeners
description:
  - That module compares the default certificate of a listener alone. It does not notice when a condition is taken out of a rule,
    or when the only target group of an action has the weight 0.
  - Give this one the same listeners, right after it.
options:
  load_balancer_arn:
    description: ARN of the load balancer.
    type: str
    required: true
  listeners:
    description: Listeners in the words of amazon.aws.elb_application_lb, certificates by their ARNs.
    type: list
    elements: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Give the listeners their further certificates
  listener_details:
    load_balancer_arn: "{{ load_balancer.load_balancer_arn }}"
    listeners: "{{ listeners }}"
"""

RETURN = r"""
changes:
  description: What was changed, one line each.
  type: list
  elements: str
  returned: always
"""

from collections.abc import Iterator
from typing import Any

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.stack import listeners as compare
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def changes(client: Any, module: AnsibleAWSModule) -> Iterator[str]:
    """Make the changes, unless in check mode, and tell them."""
    wanted = {listener["Port"]: listener for listener in module.params["listeners"]}
    arn = module.params["load_balancer_arn"]
    for page in client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn):
        for listener in page["Listeners"]:
            if listener["Port"] in wanted:
                yield from action_changes(client, module, listener, wanted[listener["Port"]])
                yield from rule_changes(client, module, listener["ListenerArn"], wanted[listener["Port"]])
                if listener["Protocol"] == "HTTPS":
                    yield from certificate_changes(client, module, listener["ListenerArn"], wanted[listener["Port"]])


def action_changes(client: Any, module: AnsibleAWSModule, found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    if compare.emptied(wanted["DefaultActions"], found["DefaultActions"]):
        if not module.check_mode:
            client.modify_listener(ListenerArn=found["ListenerArn"], DefaultActions=wanted["DefaultActions"])
        yield f"requests let through again by {found['ListenerArn']}"


def rule_changes(client: Any, module: AnsibleAWSModule, arn: str, wanted: dict[str, Any]) -> Iterator[str]:
    if not wanted.get("Rules"):
        return
    found = [rule for page in client.get_paginator("describe_rules").paginate(ListenerArn=arn) for rule in page["Rules"]]
    for arn, conditions in compare.rules(wanted, found):
        if not module.check_mode:
            client.modify_rule(RuleArn=arn, Conditions=conditions)
        yield f"conditions taken out of {arn}"
    actions = {str(rule["Priority"]): rule["Actions"] for rule in wanted["Rules"]}
    for rule in found:
        if rule["Priority"] in actions and compare.emptied(actions[rule["Priority"]], rule["Actions"]):
            if not module.check_mode:
                client.modify_rule(RuleArn=rule["RuleArn"], Actions=actions[rule["Priority"]])
            yield f"requests let through again by {rule['RuleArn']}"


def certificate_changes(client: Any, module: AnsibleAWSModule, arn: str, wanted: dict[str, Any]) -> Iterator[str]:
    paginator = client.get_paginator("describe_listener_certificates")
    found = [certificate for page in paginator.paginate(ListenerArn=arn) for certificate in page["Certificates"]]
    add, remove = compare.certificates(wanted, found)
    for one in add:
        if not module.check_mode:
            client.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": one}])
        yield f"{one} added to {arn}"
    for one in remove:
        if not module.check_mode:
            client.remove_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": one}])
        yield f"{one} removed from {arn}"


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "load_balancer_arn": {"type": "str", "required": True},
            "listeners": {"type": "list", "elements": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        made = list(changes(module.client("elbv2"), module))
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The listeners of {module.params['load_balancer_arn']} could not be finished")
    module.exit_json(changed=bool(made), changes=made)


if __name__ == "__main__":
    main()
