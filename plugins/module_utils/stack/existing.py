# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack uses and somebody else has made, found by name: an instance profile and a key pair.

It is looked for before anything is made, and it never counts as a resource of the stack, so destroy leaves it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .problem import Wanted, listing, problem

try:
    from botocore.exceptions import ClientError
except ImportError:  # the module that uses this tells it
    ClientError = Exception

MISSING = ("NoSuchEntity", "InvalidKeyPair.NotFound")


class MissingError(Exception):
    """Something that the inventory names is not there; one line for each, with what is there and what to do."""


def existing(clients: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """Facts of what the inventory names: `instance_profile_arn`, `role_name` and `key_pair`, each only when it is named.

    Sends one request for each name, and one more to tell what there is in place of a missing one. Raises MissingError.
    """
    profile, pair = wanted.get("iam_existing_instance_profile"), wanted.get("key_pair_existing")
    facts: dict[str, Any] = {}
    problems: list[str] = []
    if profile:
        found = _found(lambda: clients["iam"].get_instance_profile(InstanceProfileName=profile)["InstanceProfile"])
        if found is None:
            problems.append(_missing_profile(clients["iam"], profile))
        elif not found["Roles"]:
            problems.append(problem("iam_existing_instance_profile", profile, "it carries no role", "Choose one with a role"))
        else:
            facts |= {"instance_profile_arn": found["Arn"], "role_name": found["Roles"][0]["RoleName"]}
    if pair:
        if _found(lambda: clients["ec2"].describe_key_pairs(KeyNames=[pair])) is None:
            problems.append(_missing_pair(clients["ec2"], pair, wanted))
        else:
            problems += _private_half(pair, wanted)
            facts["key_pair"] = pair
    if problems:
        raise MissingError("\n".join([f"{len(problems)} things that the stack uses are not there; nothing was changed:", *problems]))
    return facts


def _found(call: Any) -> Any:
    """The answer, or None when there is no such thing."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return None
        raise


def _missing_profile(iam: Any, name: str) -> str:
    there = _names(lambda: [item["InstanceProfileName"] for item in iam.list_instance_profiles()["InstanceProfiles"]])
    remedy = "Name one of them, or leave the variable out where you may create roles: then the stack makes its own"
    return problem("iam_existing_instance_profile", name, f"no such instance profile in the account; there {there}", remedy)


def _missing_pair(ec2: Any, name: str, wanted: Wanted) -> str:
    there = _names(lambda: [item["KeyName"] for item in ec2.describe_key_pairs()["KeyPairs"]])
    remedy = "Name one of them, or leave the variable out: then the stack makes its own"
    return problem("key_pair_existing", name, f"no such key pair in {wanted.get('stack_region')}; there {there}", remedy)


def _private_half(pair: str, wanted: Wanted) -> list[str]:
    """Without it nobody can log in to the builder."""
    file = str(wanted.get("stack_ssh_key_file") or "")
    if not file or Path(file).expanduser().is_file():
        return []
    remedy = f"Put the private key of {pair} there (mode 0600), or name the file that holds it"
    return [problem("stack_ssh_key_file", file, "no such file on this computer", remedy)]


def _names(call: Any) -> str:
    """`are a, b`, or why that cannot be told."""
    try:
        found = call()
    except ClientError as error:
        return f"may be others (they may not be listed: {error.response['Error']['Code']})"
    return f"are {listing(found)}" if found else "is none"
