"""SSH key pairs of the lab's own: of the fixtures' key pairs, and of machines outside every stack."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .settings import write_secret


def provide(path: Path, comment: str) -> Path:
    """The private half, for its owner alone, in OpenSSH's form, with the public half beside it as `.pub`; made when it is not there."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        path.with_suffix(".pub").write_text(f"{public} {comment}\n")
        write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(), for_caller=True)
    return path
