# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket for access logs: the role `log_bucket`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from .model import Kind, Resource
from .normal import policy, tags_of

LAYER = "load_balancer"
KINDS = (
    Kind(
        "log_bucket", LAYER, frozenset({"name", "region"}),
        {"policy": "who may write and read logs changes at once", "lifecycle": "logs are kept for another time"},
    ),
    Kind("log_bucket_rule", LAYER),
)  # fmt: skip
KEY, RULE = "logs", "old-logs"  # the bucket's tag Key, and the lifecycle rule of the role
BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
NOTHING = {  # S3 answers so when there is none; see the API Reference's pages of the operations
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


def want_log_bucket(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `log_bucket` makes of its arguments: nothing without a name."""
    name = arguments["log_bucket_name"]
    if not name:
        return
    fields = {
        "name": name,
        "region": arguments["log_bucket_region"],
        "encryption": {"SSEAlgorithm": "AES256"},
        "ownership": "BucketOwnerEnforced",
        "public_access": dict.fromkeys(BLOCKS, True),
        "policy": policy(arguments["__log_bucket_policy"]),
        "lifecycle": {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": int(arguments["log_bucket_keep_days"])}},
        "tags": arguments["log_bucket_tags"] | {"Name": name, "Role": "logs", "Key": KEY},
    }
    yield Resource("log_bucket", KEY, fields, name)


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The settings of the bucket, each of which S3 tells by itself."""
    s3 = clients["s3"]
    names = [item["Name"] for item in found["buckets"] if item["Name"] == wanted.get("log_bucket_name") or tags_of(item).get("Key") == KEY]

    def setting(operation: str, name: str) -> Any:
        try:
            return getattr(s3, operation)(Bucket=name)
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in NOTHING:
                raise
            return {}

    operations = {
        "region": "get_bucket_location",
        "encryption": "get_bucket_encryption",
        "ownership": "get_bucket_ownership_controls",
        "public_access": "get_public_access_block",
        "policy": "get_bucket_policy",
        "lifecycle": "get_bucket_lifecycle_configuration",
    }
    reads: dict[str, Callable[[], Any]] = {
        f"log_bucket {name} {word}": partial(setting, operation, name) for name in names for word, operation in operations.items()
    }
    reads["log_bucket_names"] = lambda: names
    return reads


def found_log_bucket(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The bucket that stands, and the lifecycle rules that somebody has put beside the role's, which it leaves alone."""
    for item in found["buckets"]:
        name = item["Name"]
        if name not in found["log_bucket_names"]:
            continue
        told = {word: found[f"log_bucket {name} {word}"] for word in ("encryption", "ownership", "public_access", "policy", "lifecycle")}
        encryption = told["encryption"].get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
        ownership = told["ownership"].get("OwnershipControls", {}).get("Rules") or [{}]
        rules = told["lifecycle"].get("Rules", [])
        fields = {
            "name": name,
            "region": found[f"log_bucket {name} region"].get("LocationConstraint") or "us-east-1",  # S3 does not name its first region
            "encryption": encryption[0].get("ApplyServerSideEncryptionByDefault"),
            "ownership": ownership[0].get("ObjectOwnership"),
            "public_access": _blocks(told["public_access"].get("PublicAccessBlockConfiguration", {})),
            "policy": policy(told["policy"]["Policy"]) if told["policy"] else None,
            "lifecycle": next((_rule(rule) for rule in rules if rule.get("ID") == RULE), None),
            "tags": tags_of(item),
        }
        yield Resource("log_bucket", KEY, fields, name, name)
        for number, rule in enumerate(rules):
            if rule.get("ID") != RULE:
                key = rule.get("ID") or f"rule {number}"
                yield Resource("log_bucket_rule", key, {"bucket": name, "rule": _rule(rule)}, id=f"{name}/{key}", foreign=True)


def _blocks(block: Mapping[str, bool]) -> dict[str, bool]:
    return {word: block.get("".join(part.capitalize() for part in word.split("_")), False) for word in BLOCKS}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in rule.items() if word != "ID"}
