"""What all mutations are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..account import Account

Fields = Mapping[str, Any]
Mutation = Callable[[Account, str, Fields], None]  # (the account, the resource's id, its wanted fields)
Mutations = dict[tuple[str, str], Mutation]  # by kind and field
ELSEWHERE = [{"Key": "Environment", "Value": "elsewhere"}]


def tag(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.create_tags(Resources=[resource_id], Tags=ELSEWHERE)


def default_group(account: Account, vpc: str) -> str:
    groups = account.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    return str(next(group["GroupId"] for group in groups if group["GroupName"] == "default"))


def with_another(account: Account, resource_id: str, fields: Fields) -> None:
    """No request of its own: the one for another field of the resource changes this one, too."""
