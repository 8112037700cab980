# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in Certificate Manager: the role `certificate`. One that is given by its ARN is not the stack's and only looked at."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509

from .model import Kind, Resource
from .normal import tags_of

NEW = "clients get another certificate"
KINDS = (
    Kind(
        "certificate", "load_balancer", effects={
            "names": f"{NEW}, under the same ARN", "certificate": f"{NEW}, under the same ARN",
            "chain": "clients must trust another authority", "renewal": f"{NEW} before this one ends, under the same ARN",
        },
    ),
)  # fmt: skip
PEM = re.compile("-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----")


def want_certificates(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `certificate` imports: what lies in its files on this computer, or what it makes here where nothing lies yet."""
    prefix = arguments["certificate_prefix"]
    directory = Path(arguments["certificate_directory"]).expanduser()
    for key, entry in arguments["certificate_map"].items():
        if "arn" in entry:
            continue
        name, made_here = f"{prefix}-{key}", "file" not in entry
        file = directory / f"{name}.crt" if made_here else Path(entry["file"]).expanduser()
        chain = directory / "ca.crt" if made_here else Path(entry.get("chain_file") or entry["file"]).expanduser()
        fields = {
            **({"names": sorted(entry["names"]), "renewal": "not due"} if made_here else {}),
            "certificate": in_file(file),
            "chain": in_file(chain),
            "tags": arguments["certificate_tags"] | {"Name": name, "Role": "load_balancer", "Key": key},
        }
        yield Resource("certificate", key, fields, name)


def in_file(path: Path) -> list[str]:
    """The fingerprints of a PEM file's certificates; what does not lie there is made by the run, and differs from all that stands."""
    try:
        return fingerprints(path.read_text())
    except OSError:
        return [f"new, {path} is made by the run"]


def fingerprints(text: str) -> list[str]:
    """SHA-256 of each certificate in a PEM text, in its order."""
    return [sha256(b64decode(body)).hexdigest() for body in PEM.findall(text)]


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """What is in each certificate, which Certificate Manager tells of one at a time."""
    soon = datetime.now(UTC) + timedelta(days=int(wanted.get("certificate_renew_days") or 0))
    prefix = wanted.get("stack_name")

    def content(arn: str) -> dict[str, Any]:
        told = clients["acm"].get_certificate(CertificateArn=arn)
        parsed = x509.load_pem_x509_certificate(told["Certificate"].encode())
        return {
            "names": sorted(names_in(parsed)),
            "due": parsed.not_valid_after_utc <= soon,
            "certificate": fingerprints(told["Certificate"]),
            # Certificate Manager tells a certificate without a chain as its own.
            "chain": fingerprints(told.get("CertificateChain") or told["Certificate"]),
        }

    reads: dict[str, Callable[[], Any]] = {
        f"certificate {item['CertificateArn']}": partial(content, item["CertificateArn"]) for item in found["certificates"]
    }
    reads["certificate_keys"] = lambda: {f"{prefix}-{key}": key for key in wanted.get("certificate_map") or {}}
    return reads


def names_in(certificate: x509.Certificate) -> list[str]:
    """The names that a certificate is for."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return []


def key_of(item: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The inventory's key of a certificate, by its tag Name, by which the role finds it, or else by its tag Key."""
    tags = tags_of(item)
    return str(found["certificate_keys"].get(tags.get("Name")) or tags.get("Key") or item["CertificateArn"])


def found_certificates(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The stack's own certificates that stand."""
    for item in found["certificates"]:
        content = found[f"certificate {item['CertificateArn']}"]
        fields = {
            "names": content["names"],
            "renewal": "due" if content["due"] else "not due",
            "certificate": content["certificate"],
            "chain": content["chain"],
            "tags": tags_of(item),
        }
        yield Resource("certificate", key_of(item, found), fields, tags_of(item).get("Name", ""), item["CertificateArn"])
