"""Saves the API's state to a file and brings it back: everything moto holds, pickled as one graph.

One graph, because services point at each other's objects (an Auto Scaling group at EC2's state). The registers of backends
themselves are pickled by name, so that what is loaded hangs together with the modules that are running.
"""

from __future__ import annotations

import io
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import cloudpickle
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.s3.models import s3_backends

from .settings import ACCOUNT_ID

STATELESS = ("resourcegroupstaggingapi",)  # holds nothing but answers that were read half, as generators, which cannot be saved


def save(path: Path) -> None:
    """Write the state of every service in use; a reader sees the old file or the new one."""
    buffer = io.BytesIO()
    registers = {register.service_name: register for register in list(BackendDict._instances) if register.service_name not in STATELESS}
    content = {name: {account: dict(regions) for account, regions in register.items()} for name, register in registers.items()}
    _Pickler(buffer).dump(content)
    temporary = path.with_name(path.name + ".new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(buffer.getvalue())
    temporary.replace(path)


def load(path: Path) -> bool:
    """Put a saved state in place of the present one. False when there is none.

    The file is the lab's own, in a directory that only its owner may write: unpickling runs what it says.
    """
    if not path.exists():
        return False
    with path.open("rb") as file:
        content = _Unpickler(file).load()
    for name, accounts in content.items():
        register: Any = get_backend(name)
        for account, regions in accounts.items():
            for region, backend in regions.items():
                dict.__setitem__(register[account], region, backend)
    for account, partition, s3 in list(s3_backends.iter_backends()):
        s3_backends.bucket_accounts |= dict.fromkeys(s3.buckets, (partition, account))  # moto keeps it beside the backends
    return True


def _private_key(text: bytes) -> Any:
    return serialization.load_pem_private_key(text, None)


def _certificate(text: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text)


def _mapping(kind: Any, default_factory: Any) -> Any:
    made = kind.__new__(kind)
    made.default_factory = default_factory
    return made


class _Pickler(cloudpickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, BackendDict):
            return ("register", value.service_name)
        if isinstance(value, AccountSpecificBackend):
            return ("account", value.service_name, value.account_id)
        if isinstance(value, AWSManagedPolicy):  # a thousand, and the same in every account
            return ("policy", value.arn)
        return None

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
            text = value.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            return _private_key, (text,)
        if isinstance(value, x509.Certificate):
            return _certificate, (value.public_bytes(serialization.Encoding.PEM),)
        if isinstance(value, defaultdict) and type(value) is not defaultdict:  # moto has some whose __init__ wants more
            return _mapping, (type(value), value.default_factory), value.__dict__, None, iter(value.items())
        return super().reducer_override(value)


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, key: Any) -> Any:
        kind, name, *account = key
        if kind == "policy":
            partition = name.split(":")[1]
            return iam_backends[ACCOUNT_ID][partition].managed_policies[name]
        register: Any = get_backend(name)
        return register if kind == "register" else register[account[0]]
