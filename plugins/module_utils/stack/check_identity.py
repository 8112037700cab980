# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the machines and the operator are: roles, key pairs, credentials."""

from __future__ import annotations

from collections.abc import Iterator

from .problem import Wanted, names, problem

IAM_NAME = r"[A-Za-z0-9_+=,.@-]"


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the stack's identity."""
    yield from names(wanted, "stack_role_name", rf"{IAM_NAME}{{1,64}}", "Use 1 to 64 letters, digits and _+=,.@-")
    yield from existing_profile(wanted)
    yield from names(wanted, "key_pair_existing", r"[ -~]{0,255}", "Use at most 255 ASCII characters")
    yield from operator(wanted)


def existing_profile(wanted: Wanted) -> Iterator[str]:
    """By name: that is what IAM finds an instance profile by."""
    value = str(wanted.get("iam_existing_instance_profile") or "")
    if value.startswith("arn:"):
        wrong, remedy = "an ARN where a name is expected", f"Use its last part: {value.rsplit('/', 1)[-1]}"
        yield problem("iam_existing_instance_profile", value, wrong, remedy)
    else:
        yield from names(wanted, "iam_existing_instance_profile", rf"{IAM_NAME}{{0,128}}", "Use 1 to 128 letters, digits and _+=,.@-")


def operator(wanted: Wanted) -> Iterator[str]:
    profile = wanted.get("stack_lab_profile", "lab")
    if wanted.get("stack_target") == "aws" and profile != "lab":
        wrong, remedy = "a user of the lab, while stack_target is aws", "Leave it out; AWS_PROFILE chooses credentials on AWS"
        yield problem("stack_lab_profile", profile, wrong, remedy)
