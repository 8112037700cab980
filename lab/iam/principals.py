"""Who signed a request: the account's root, a user, or a session of a role; read from moto's IAM and STS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from moto.core.utils import utcnow
from moto.iam.access_control import CreateAccessKeyFailure, IAMPolicy, create_access_key
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from ..settings import ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY
from .conditions import Context
from .policy import Document

ROOT = f"arn:aws:iam::{ACCOUNT_ID}:root"


class UnknownKeyError(Exception):
    """No principal of the account has this access key, or the session has ended."""


@dataclass(frozen=True)
class Principal:
    """A caller with what hangs on it: its policies, and its permissions boundary or session policy (each of which must allow too)."""

    arn: str
    secret: str
    policies: tuple[Document, ...] = ()
    limits: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)
    role_arn: str = ""
    context: Context = field(default_factory=dict)

    @property
    def is_root(self) -> bool:
        return self.arn == ROOT

    @property
    def names(self) -> frozenset[str]:
        """What a resource-based policy may call it when it grants."""
        return frozenset({self.arn, *([self.role_arn] if self.role_arn else [])})


def find(access_key_id: str, token: str) -> Principal:
    """The principal of an access key. Raises UnknownKeyError."""
    if access_key_id == ACCESS_KEY_ID and not token:
        return Principal(ROOT, SECRET_ACCESS_KEY, context={"aws:principalarn": ROOT})
    try:
        key = create_access_key(ACCOUNT_ID, "aws", access_key_id, {"X-Amz-Security-Token": token} if token else {})
        policies = tuple(IAMPolicy(policy)._policy_json for policy in key.collect_policies())
    except (CreateAccessKeyFailure, NotFoundException) as error:
        raise UnknownKeyError(access_key_id) from error
    return _session(access_key_id, policies) if token else _user(access_key_id, policies)


def _user(access_key_id: str, policies: tuple[Document, ...]) -> Principal:
    user, key = next(
        (user, key)
        for user in list(iam_backends[ACCOUNT_ID]["aws"].users.values())
        for key in user.access_keys
        if key.access_key_id == access_key_id
    )
    if key.status != "Active":
        raise UnknownKeyError(access_key_id)
    context = {"aws:username": user.name, "aws:userid": user.id, "aws:principalarn": user.arn, "aws:principaltype": "User"}
    return Principal(user.arn, key.secret_access_key, policies, context=context)


def _session(access_key_id: str, policies: tuple[Document, ...]) -> Principal:
    session = next(made for made in list(sts_backends[ACCOUNT_ID]["aws"].assumed_roles) if made.access_key_id == access_key_id)
    if session.expiration < utcnow():
        raise UnknownKeyError(access_key_id)
    role = iam_backends[ACCOUNT_ID]["aws"].get_role_by_arn(session.role_arn)
    taken = of_role(role, session.arn)
    limits = {**taken.limits, "session policy": (json.loads(session.policy),)} if session.policy else taken.limits
    return replace(
        taken, secret=session.secret_access_key, policies=policies, limits=limits, context={**taken.context, "aws:userid": session.user_id}
    )


def of_role(role: Any, session_arn: str) -> Principal:
    """Who a role is taken by, as far as the role alone tells it: a service of AWS's own needs no key."""
    policies = tuple(IAMPolicy(policy)._policy_json for policy in (*role.policies.values(), *role.managed_policies.values()))
    limits = {"permissions boundary": (managed(role.permissions_boundary_arn),)} if role.permissions_boundary_arn else {}
    return Principal(session_arn, "", policies, limits, role.arn, {"aws:principalarn": role.arn, "aws:principaltype": "AssumedRole"})


def managed(arn: str) -> Any:
    """The document of a managed policy's default version."""
    return IAMPolicy(iam_backends[ACCOUNT_ID]["aws"].get_policy(arn))._policy_json
