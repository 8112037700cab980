"""IAM users of a lab and the credentials file that playbooks read as one of them."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

from .clients import client
from .errors import LabError
from .settings import Settings, write_secret

POLICY = "own"
ANY_REGION = "us-east-1"  # IAM has none


def create(lab: Settings, name: str, policy: str) -> Path:
    """Make the user, or give the one that stands this policy (a JSON document), and write its key; returns the credentials file.

    A key that the file holds is kept, so running it again changes nothing.
    """
    iam = client(lab, "iam", ANY_REGION)
    if name not in _names(iam):
        iam.create_user(UserName=name)
    try:
        iam.put_user_policy(UserName=name, PolicyName=POLICY, PolicyDocument=policy)
    except iam.exceptions.MalformedPolicyDocumentException as error:
        raise LabError(f"the policy of {name} is none: {error.response['Error']['Message']}") from error
    known = _read(lab)
    keys = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}
    if known.get(name, "aws_access_key_id", fallback="") not in keys:
        key = iam.create_access_key(UserName=name)["AccessKey"]
        known[name] = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        _write(lab, known)
    return lab.credentials_file


def remove(lab: Settings, name: str) -> None:
    """Delete the user with its keys and policies; none is no error."""
    iam = client(lab, "iam", ANY_REGION)
    if name in _names(iam):
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        iam.delete_user(UserName=name)
    known = _read(lab)
    if known.remove_section(name):
        _write(lab, known)


def _names(iam: Any) -> list[str]:
    return [user["UserName"] for user in iam.list_users()["Users"]]


def _read(lab: Settings) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None)
    try:
        found.read(lab.credentials_file)
    except (configparser.Error, UnicodeDecodeError) as error:
        raise LabError(f"{lab.credentials_file} cannot be read: mend it, or delete it to have new keys made") from error
    return found


def _write(lab: Settings, known: configparser.ConfigParser) -> None:
    lines = [f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in known[name].items()) for name in known.sections()]
    write_secret(lab.credentials_file, "\n".join(lines), for_caller=True)
