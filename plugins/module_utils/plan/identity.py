# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles with their policies and instance profiles, the key pair, secrets: the roles `iam`, `key_pair` and `secret`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..stack.aws import pages
from .model import Kind, Resource, Unknown
from .normal import policy, tags_of

AT_ONCE = "what it allows changes at once for everything that carries it"
KINDS = (
    Kind(
        "role", "identity", frozenset({"path"}),
        {"trust": "who may take it changes at once", "inline_policies": AT_ONCE, "managed_policies": AT_ONCE},
    ),
    Kind("instance_profile", "identity", frozenset({"path"}), {"role": "machines act with another role"}),
    Kind("key_pair", "identity", effects={"public_key": "a run refuses it: the private key on this computer is another one's"}),
    Kind("secret", "identity", effects={"policy": "who may read it changes at once"}),
)  # fmt: skip


def want_iam(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `iam` makes of its arguments; what somebody else has made is not its own."""
    if arguments["iam_existing_instance_profile"]:
        return
    name, path, tags = arguments["iam_name"], arguments["iam_path"], arguments["__iam_tags"]
    document = arguments["__iam_policy"]
    allows = isinstance(document, Unknown) or document["Statement"]
    fields = {
        "path": path,
        "description": arguments["iam_description"],
        "trust": policy(arguments["__iam_trust"]),
        "inline_policies": {name: document if isinstance(document, Unknown) else policy(document)} if allows else {},
        "managed_policies": sorted(arguments["iam_managed_policies"]),
        "tags": tags,
    }
    yield Resource("role", name, fields)
    if arguments["iam_instance_profile"]:
        yield Resource("instance_profile", name, {"path": path, "role": name, "tags": tags})


def want_key_pair(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `key_pair` makes of its arguments. A run makes the private key when it is not on this computer."""
    if arguments["key_pair_existing"]:
        return
    name, file = arguments["key_pair_name"], Path(f"{arguments['key_pair_file']}.pub").expanduser()
    fields = {
        "public_key": _public_key(file.read_text()) if file.is_file() else Unknown("the private key that a run makes"),
        "tags": arguments["key_pair_tags"] | {"Name": name, "Role": "web"},
    }
    yield Resource("key_pair", name, fields)


def want_secret(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `secret` makes of its arguments. Its value is made once and never again, so it is no field."""
    name = arguments["secret_name"]
    fields = {
        "description": arguments["secret_description"],
        "policy": None,
        "rotates_by_itself": False,
        "tags": arguments["secret_tags"] | {"Name": name},
    }
    yield Resource("secret", name, fields)


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """A role's policies and tags, which no list tells, by `role <name>`; profiles' tags; secrets' policies by `policy of secret <name>`.

    The key pair is looked for by its name, as a run does, for it may have lost the stack's tags.
    """
    iam, ec2, manager = clients["iam"], clients["ec2"], clients["secretsmanager"]
    stack = wanted.get("stack_name")
    short = {name for name in wanted.get("iam_managed_policies") or [] if not name.startswith("arn:")}
    reads: dict[str, Callable[[], Any]] = {
        f"role {role['RoleName']}": partial(_role_details, iam, role["RoleName"], short) for role in found["roles"]
    }
    for profile in found["instance_profiles"]:
        name = profile["InstanceProfileName"]
        reads[f"instance_profile {name}"] = partial(_profile, iam, name)
    names = {str(stack), *(pair["KeyName"] for pair in found["key_pairs"])}
    by_name = [{"Name": "key-name", "Values": sorted(names)}]
    reads["public_keys"] = lambda: ec2.describe_key_pairs(Filters=by_name, IncludePublicKey=True)["KeyPairs"]
    for secret in found["named_secrets"]:
        reads[f"policy of secret {secret['Name']}"] = partial(_policy, manager, secret["Name"])
    return reads


def _role_details(iam: Any, name: str, short: set[str]) -> dict[str, Any]:
    """`role` in AWS's words, `inline` policies by name, and `managed` policies by ARN, or by name where the inventory says it so."""
    attached = pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    return {
        "role": iam.get_role(RoleName=name)["Role"],
        "inline": {
            inline: iam.get_role_policy(RoleName=name, PolicyName=inline)["PolicyDocument"]
            for inline in pages(iam, "list_role_policies", "PolicyNames", RoleName=name)
        },
        "managed": [one["PolicyName"] if one["PolicyName"] in short else one["PolicyArn"] for one in attached],
    }


def _profile(iam: Any, name: str) -> Any:
    return iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]


def _policy(manager: Any, name: str) -> str | None:
    """A secret's resource policy."""
    told: dict[str, Any] = manager.get_resource_policy(SecretId=name)
    return told.get("ResourcePolicy")


def found_identity(found: Mapping[str, Any]) -> Iterator[Resource]:
    """Roles and profiles below the stack's path, its key pair, its secrets."""
    for item in found["roles"]:
        told = found[f"role {item['RoleName']}"]
        role = told["role"]
        fields = {
            "path": role["Path"],
            "description": role.get("Description", ""),
            "trust": policy(role["AssumeRolePolicyDocument"]),
            "inline_policies": {name: policy(document) for name, document in sorted(told["inline"].items())},
            "managed_policies": sorted(told["managed"]),
            "tags": tags_of(role),
        }
        yield Resource("role", role["RoleName"], fields, id=role["Arn"])
    for item in found["instance_profiles"]:
        profile = found[f"instance_profile {item['InstanceProfileName']}"]
        fields = {
            "path": profile["Path"],
            "role": next((role["RoleName"] for role in profile["Roles"]), None),
            "tags": tags_of(profile),
        }
        yield Resource("instance_profile", profile["InstanceProfileName"], fields, id=profile["Arn"])
    yield from _found_key_pairs(found)
    yield from _found_secrets(found)


def _found_key_pairs(found: Mapping[str, Any]) -> Iterator[Resource]:
    """One without the stack's tags is passed over unless the inventory wants one of its name, which a run then takes up."""
    ours = {pair["KeyName"] for pair in found["key_pairs"]}
    for pair in found["public_keys"]:
        fields = {"public_key": _public_key(pair["PublicKey"]), "tags": tags_of(pair)}
        yield Resource("key_pair", pair["KeyName"], fields, id=pair["KeyPairId"], borrowed=pair["KeyName"] not in ours)


def _found_secrets(found: Mapping[str, Any]) -> Iterator[Resource]:
    """As with key pairs: one without the stack's tags is passed over unless the inventory wants one of its name."""
    ours = {secret["Name"] for secret in found["secrets"]}
    for secret in found["named_secrets"]:
        document = found[f"policy of secret {secret['Name']}"]
        fields = {
            "description": secret.get("Description", ""),
            "policy": policy(document) if document else None,
            "rotates_by_itself": bool(secret.get("RotationEnabled")),
            "tags": tags_of(secret),
        }
        yield Resource("secret", secret["Name"], fields, id=secret["ARN"], borrowed=secret["Name"] not in ours)


def _public_key(text: str) -> str:
    """Type and key; the comment after them says nothing."""
    return " ".join(text.split()[:2])
