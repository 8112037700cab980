#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module stack_info: what stands of a stack, read from AWS by its tags."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Read what stands of a stack
description:
  - Reads every resource that carries the tag C(Stack) with the stack's name, one describe per kind, several at once. It changes nothing.
  - Before the first request it checks the wanted stack and that the run reaches the AWS that it is meant for.
  - None or an empty value stands for what is not there; two resources that claim one place are an error.
options:
  name:
    description: Name of the stack, the value of its tag C(Stack).
    type: str
    required: true
  target:
    description: With C(lab) every endpoint must be on this computer; with C(aws) the credentials must belong to O(account_id).
    type: str
    choices: [lab, aws]
    required: true
  account_id:
    description: The account that the stack lives in.
    type: str
    required: true
  wanted:
    description: The variables of the wanted stack, which the action plugin of the same name gathers.
    type: dict
    default: {}
  read:
    description: Whether to read. Without it only the checks are made, and what the inventory names as existing is looked for.
    type: bool
    default: true
  strict:
    description: Whether two resources that claim one place are an error. Without it only resources, images and instances are told.
    type: bool
    default: true
  details:
    description: Whether to return also every resource field by field, as C(found), for the plan.
    type: bool
    default: false
  live:
    description: Whether to return also how targets and tasks are, as C(live), for the picture.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Read the stack
  stack_info:
    name: "{{ stack_name }}"
    target: "{{ stack_target }}"
    account_id: "{{ stack_account_id }}"
  register: stack
"""

RETURN = r"""
vpc_id:
  description: Id of the VPC.
  type: str
  returned: always
subnet_ids:
  description: Ids of the subnets by tier.
  type: dict
  returned: always
security_group_ids:
  description: Ids of the security groups by key.
  type: dict
  returned: always
certificate_arns:
  description: ARNs of the stack's own certificates by key.
  type: dict
  returned: always
bucket_names:
  description: Names of the stack's buckets by key.
  type: dict
  returned: always
instance_profile_arn:
  description: ARN of the machines' instance profile, the stack's own or the existing one that the inventory names.
  type: str
  returned: always
role_name:
  description: Name of that profile's role.
  type: str
  returned: always
role_arns:
  description: ARNs of the stack's own roles by name.
  type: dict
  returned: always
key_pair:
  description: Name of the key pair, the stack's own or the existing one that the inventory names.
  type: str
  returned: always
key_pair_public_key:
  description: Public half of the stack's own key pair.
  type: str
  returned: always
nat_gateways:
  description: NAT gateways by key, each with id, subnet_id, allocation_id and public_ip.
  type: dict
  returned: always
borrowed:
  description: What the stack changes in a VPC that it borrows, C(security_group_ids) by key and C(former_route_table_ids) by subnet id.
  type: dict
  returned: when the VPC is borrowed
found:
  description: Every resource as AWS words it, by kind. Secret values are in it as salted digests.
  type: dict
  returned: with O(details)
live:
  description: State of every target by its id or address as C(health), and C(tasks) as ECS words them.
  type: dict
  returned: with O(live)
resources:
  description: Names or ids of all that stands, by kind; a kind of which nothing stands is not in it.
  type: dict
  returned: always
"""

from typing import Any

try:
    import boto3
    import botocore.exceptions
    import botocore.session
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible.module_utils.diagram.live import live
from ansible.module_utils.plan import families
from ansible.module_utils.stack import borrowed
from ansible.module_utils.stack.existing import MissingError, existing
from ansible.module_utils.stack.guard import GuardError, check_account, check_endpoints, check_profile
from ansible.module_utils.stack.read import SERVICES, read
from ansible.module_utils.stack.shape import AmbiguityError, shape
from ansible.module_utils.stack.validate import validate
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def connect(module: AnsibleAWSModule) -> dict[str, Any]:
    """A client for each service, all from one session, which parses AWS's models once."""
    region, endpoint, parameters = get_aws_connection_info(module)
    parameters.pop("aws_config", None)
    session = boto3.session.Session(profile_name=parameters.pop("profile_name", None) or None)
    config = botocore.config.Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, max_pool_connections=10)
    return {
        service: session.client(service, region_name=region, endpoint_url=endpoint, config=config, **parameters) for service in SERVICES
    }


def facts_of(module: AnsibleAWSModule, clients: dict[str, Any]) -> dict[str, Any]:
    """What stands of the stack; of a borrowed VPC also what the stack uses there, in the same words."""
    wanted, strict = module.params["wanted"], module.params["strict"]
    found = read(clients, module.params["name"], wanted)
    facts: dict[str, Any] = shape(found, strict)
    if module.params["details"]:
        facts["found"] = families.details(clients, found, wanted)
    if module.params["live"]:
        facts["live"] = live(clients, found)
    if not wanted.get("vpc_borrowed"):
        return facts
    own = (facts.get(ids, {}) for ids in ("security_group_ids", "route_table_ids"))
    standing = borrowed.read(clients["ec2"], wanted)
    if module.params["details"]:
        facts["found"]["borrowed_vpc"] = {**standing, "nat_gateways": borrowed.read_nat_gateways(clients["ec2"], standing["vpcs"])}
    lent, problems = borrowed.borrow(standing, wanted, *own)
    if problems and strict:
        module.fail_json(
            msg="\n".join([f"The borrowed VPC is not as the inventory says ({len(problems)}); nothing was changed:", *problems])
        )
    return {**facts, **lent}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "target": {"type": "str", "required": True, "choices": ["lab", "aws"]},
            "account_id": {"type": "str", "required": True},
            "wanted": {"type": "dict", "default": {}},
            "read": {"type": "bool", "default": True},
            "strict": {"type": "bool", "default": True},
            "details": {"type": "bool", "default": False},
            "live": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    name, target, account_id = (module.params[key] for key in ("name", "target", "account_id"))
    if module.params["wanted"]:
        problems = validate(module.params["wanted"])
        if problems:
            module.fail_json(msg="\n".join([f"{len(problems)} wrong values; no request was sent:", *problems]))
    try:
        check_profile(target, module.params["profile"], botocore.session.Session().available_profiles)
        clients = connect(module)
        check_endpoints(target, [client.meta.endpoint_url for client in clients.values()])
        check_account(target, account_id, lambda: clients["sts"].get_caller_identity()["Account"])
        given = existing(clients, module.params["wanted"]) if module.params["strict"] else {}
        facts = facts_of(module, clients) | given if module.params["read"] else {}
    except (GuardError, AmbiguityError, MissingError) as error:
        module.fail_json(msg=str(error))
    except botocore.exceptions.EndpointConnectionError as error:
        hint = "Is the lab up? `python -m lab up` starts it" if target == "lab" else "Check the network and stack_region"
        module.fail_json(msg=f"{error}. {hint}")
    except botocore.exceptions.NoCredentialsError as error:
        module.fail_json(msg=f"{error}. Log in, or set AWS_PROFILE")
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The stack {name} could not be read")
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
