# SPDX-License-Identifier: GPL-3.0-or-later
"""What machines fetch at boot: the bucket of the releases and the parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .problem import Wanted, names, problem

# Amazon S3 User Guide, "General purpose bucket naming rules". A name with a dot does not fit S3's certificate, so none may have one.
BUCKET = r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)(?<!--x-s3)(?<!--table-s3)"
BUCKET_RULE = (
    "Use 3 to 63 lower-case letters, digits and hyphens, no hyphen at either end, none of the beginnings and ends that S3 keeps for itself"
)
# AWS Systems Manager User Guide, "Requirements and constraints for parameter names".
PATH = r"(/[A-Za-z0-9_.-]+){1,14}"
RESERVED_PATHS = r"/(aws|ssm)"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


def bucket_prefix(stack_name: str) -> str:
    """What the names of a stack's buckets begin with, followed by a hyphen: S3 finds buckets by that, and takes no underscore."""
    return stack_name.replace("_", "-")


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with what machines fetch; only a stack whose machines do fetch is asked."""
    if wanted.get("stack_delivery") != "pull":
        return
    yield from bucket(wanted)
    yield from path(wanted)
    for variable in ("stack_parameters", "parameters_generated", "stack_parameters_secrets"):
        for key in wanted.get(variable) or {}:
            if not re.fullmatch(VARIABLE, str(key)):
                yield problem(
                    f"{variable}.{key}", key, "no name of an environment variable", "Use letters, digits and underscores, no digit first"
                )
    for key, copied in (wanted.get("stack_parameters_secrets") or {}).items():
        if set(copied) != {"secret", "key"}:
            yield problem(f"stack_parameters_secrets.{key}", copied, "not a value of a secret", "Give it the keys secret and key")


def bucket(wanted: Wanted) -> Iterator[str]:
    yield from names(wanted, "stack_deploy_bucket", BUCKET, BUCKET_RULE)
    name, prefix = str(wanted.get("stack_deploy_bucket", "")), f"{bucket_prefix(str(wanted.get('stack_name', '')))}-"
    if name and not name.startswith(prefix):
        yield problem("stack_deploy_bucket", name, "could not be found again", f"Begin it with {prefix}")


def path(wanted: Wanted) -> Iterator[str]:
    yield from names(
        wanted, "stack_parameters_path", PATH, "Use a path such as /shop/dev, of letters, digits and _.-, without a slash at its end"
    )
    value = str(wanted.get("stack_parameters_path", ""))
    if re.match(RESERVED_PATHS, value, re.IGNORECASE):
        yield problem("stack_parameters_path", value, "kept by AWS for itself", "Begin it with another word than aws or ssm")
