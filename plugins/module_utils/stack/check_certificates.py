# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: each made here, given as files, or found by its ARN, and for names that a certificate can be for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .problem import Wanted, entries, problem, within

CERTIFICATE = {
    "names": {"type": "list", "elements": "str", "default": []},
    "file": {"type": "str"},
    "key_file": {"type": "str"},
    "chain_file": {"type": "str"},
    "arn": {"type": "str"},
}
NAME = r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"


def check(wanted: Wanted) -> Iterator[str]:
    """What is wrong with the certificates."""
    certificates, problems = entries(wanted, "certificate_map", CERTIFICATE)
    yield from problems
    for key, certificate in certificates.items():
        variable = f"certificate_map.{key}"
        for name in certificate["names"]:
            if not re.fullmatch(NAME, name):
                yield problem(
                    f"{variable}.names", name, "not a DNS name", "Use a form such as www.example.com or *.example.com, in small letters"
                )
        yield from source(wanted, variable, certificate)
    days, renew = wanted.get("certificate_days"), wanted.get("certificate_renew_days")
    yield from within(wanted, "certificate_days", 1, 825, " days")
    if days is not None and renew is not None and not 0 < renew < days:
        yield problem("certificate_renew_days", renew, f"not between 0 and certificate_days {days}", "Choose fewer days")


def source(wanted: Wanted, variable: str, certificate: Mapping[str, Any]) -> Iterator[str]:
    """Exactly one way to come by it."""
    arn, file, key_file = certificate["arn"], certificate["file"], certificate["key_file"]
    if arn and (file or key_file):
        yield problem(variable, arn, "given by its ARN and by files", "Keep one of them")
    elif arn:
        parts = arn.split(":")
        if parts[:3] != ["arn", "aws", "acm"] or len(parts) != 6:
            yield problem(f"{variable}.arn", arn, "not the ARN of a certificate", "Copy it from Certificate Manager")
        elif parts[3] != wanted.get("stack_region"):
            remedy = f"Ask for one in {wanted.get('stack_region')}"
            yield problem(f"{variable}.arn", arn, f"a certificate of {parts[3]}; a load balancer takes those of its own region", remedy)
    elif bool(file) != bool(key_file):
        yield problem(variable, file or key_file, "a certificate and its private key go together", "Give both file and key_file")
    elif file:
        for word in ("file", "key_file", "chain_file"):
            if certificate[word] and not Path(certificate[word]).expanduser().is_file():
                yield problem(f"{variable}.{word}", certificate[word], "no such file on this computer", "Correct the path")
    elif not certificate["names"]:
        yield f"{variable} says neither whom it is for nor where it is. Give it names, file and key_file, or arn"


def covers(names: Iterable[str], host: str) -> bool:
    """Whether a certificate of these names is good for the host; a wildcard stands for one label (RFC 6125)."""
    return bool({host.lower(), f"*.{host.lower().partition('.')[2]}"} & {name.lower() for name in names})
