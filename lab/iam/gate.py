"""The gate before every service: finds out who asks and what for, and refuses what the policies do not allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from . import asked, principals, refusals, s3, signature
from .account import Account
from .asked import Call
from .conditions import Context, PolicyError
from .policy import Ask, Effect, decide
from .principals import ROOT, Principal

FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken"}  # allowed to everybody with a key, whatever the policies say
TAKES_A_ROLE = ("sts:AssumeRole", "sts:TagSession")


@dataclass(frozen=True)
class Verdict:
    """Who asked for which permissions (`action resource`), and the refusal if there is one."""

    principal: str
    permissions: tuple[str, ...]
    refusal: refusals.Refusal | None = None


def judge(call: Call, source: str, secure: bool) -> Verdict:
    """Whether a call may go on to its service. `source` is the caller's address, `secure` whether it came by TLS."""
    signed = _signed(call)
    account = Account()
    asks = asked.asks(call, account)
    permissions = tuple(f"{ask.action} {ask.resource}" for ask in asks)
    if signed is None:
        if call.service == "s3" and asks and all(_public(ask, account, {}) for ask in asks):
            return Verdict("anonymous", permissions)
        return Verdict("-", permissions, refusals.unsigned(call))
    access_key_id, token = signed
    try:
        principal = principals.find(access_key_id, token)
    except principals.UnknownKeyError:
        return Verdict("-", permissions, refusals.unknown_key(call))
    if not signature.is_right(call, principal.secret):
        return Verdict("-", permissions, refusals.wrong_signature(call))
    if sentence := signature.why_not_now(call, datetime.now(UTC)):
        return Verdict(principal.arn, permissions, refusals.out_of_time(call, sentence))
    if not asks:
        return Verdict(principal.arn, permissions, refusals.malformed(call))
    if principal.is_root:
        return Verdict(principal.arn, permissions)
    context = {
        **principal.context,
        "aws:sourceip": source,
        "aws:securetransport": str(secure).lower(),
        "aws:requestedregion": call.region,
        "aws:principalaccount": account.account_id,
    }
    for ask in asks:
        why = why_not(principal, ask, context, account)
        if why:
            message = f"User: {principal.arn} is not authorized to perform: {ask.action} on resource: {ask.resource} {why}"
            return Verdict(principal.arn, permissions, refusals.denied(call, message))
    return Verdict(principal.arn, permissions)


def _signed(call: Call) -> tuple[str, str] | None:
    """(access key, session token) of a signed request: by header, or by the query of a presigned URL."""
    found = re.search(r"Credential=([^/]+)/", call.headers.get("authorization", ""))
    if found:
        return found[1], call.headers.get("x-amz-security-token", "")
    fields = call.fields
    if "X-Amz-Credential" in fields:
        return fields["X-Amz-Credential"].partition("/")[0], fields.get("X-Amz-Security-Token", "")
    return None


def why_not(principal: Principal, ask: Ask, context: Context, account: Account) -> str:
    """Empty when the policies allow a principal what it asks for, else the end of AWS's sentence."""
    if ask.action in FREE:
        return ""
    try:
        own = decide(principal.policies, ask, context)
        granted, forbidden = _by_the_resource(principal, ask, context, account)
        limits = {name: decide(documents, ask, context) for name, documents in principal.limits.items()}
    except PolicyError as error:
        return f"because the lab cannot tell: {error}"
    if own is Effect.DENY:
        return "with an explicit deny in an identity-based policy"
    if forbidden:
        return "with an explicit deny in a resource-based policy"
    for name, effect in limits.items():
        if effect is not Effect.ALLOW:
            return f"with an explicit deny in a {name}" if effect is Effect.DENY else f"because no {name} allows the {ask.action} action"
    if ask.action in TAKES_A_ROLE:
        delegated = decide(account.trust_policy(ask.resource), ask, context, {ROOT, account.account_id}) is Effect.ALLOW
        if granted or (delegated and own is Effect.ALLOW):
            return ""
        return f"because no trust policy of the role allows the {ask.action} action" if own is Effect.ALLOW else _silent(ask)
    return "" if granted or own is Effect.ALLOW else _silent(ask)


def _silent(ask: Ask) -> str:
    return f"because no identity-based policy allows the {ask.action} action"


def _by_the_resource(principal: Principal, ask: Ask, context: Context, account: Account) -> tuple[bool, bool]:
    """(granted, forbidden) by the policy on the resource itself: a bucket's, or the trust policy of a role."""
    if ask.action in TAKES_A_ROLE:
        documents = account.trust_policy(ask.resource)
    elif ask.action.startswith("s3:") and ask.resource != "*":
        documents = account.bucket_policy(ask.resource.removeprefix("arn:aws:s3:::").partition("/")[0])
    else:
        return False, False
    everybody = {*principal.names, ROOT, account.account_id}  # a deny for the account is one for each of its principals
    return (
        decide(documents, ask, context, principal.names) is Effect.ALLOW,
        decide(documents, ask, context, everybody) is Effect.DENY,
    )


def _public(ask: Ask, account: Account, context: Mapping[str, str]) -> bool:
    """Whether a bucket's policy lets everybody in, without any signature."""
    bucket, _ = s3.place("", ask.resource.removeprefix("arn:aws:s3:::"))
    try:
        return decide(account.bucket_policy(bucket), ask, context, ()) is Effect.ALLOW
    except PolicyError:
        return False
