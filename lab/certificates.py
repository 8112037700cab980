"""The lab's own certificate authority, and a certificate for each of AWS's names that a machine asks for."""

from __future__ import annotations

import datetime
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEARS = datetime.timedelta(days=3650)


class Authority:
    """A certificate authority kept in `directory`; made on first use and shared by all labs of this machine."""

    def __init__(self, directory: Path) -> None:
        self.certificate_file = directory / "ca.crt"
        key_file = directory / "ca.key"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.certificate_file.exists():
            _make_authority(key_file, self.certificate_file)
        self._key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        self._issued = directory / "issued"
        self._issued.mkdir(exist_ok=True, mode=0o700)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        """A server context that answers with a certificate for the name that the client asks for."""
        context = self._for("amazonaws.com")

        def choose(socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            if name:
                socket.context = self._for(name)

        context.sni_callback = choose
        return context

    def _for(self, name: str) -> ssl.SSLContext:
        with self._lock:
            if name not in self._contexts:
                file = self._issued / f"{name}.pem"
                if not file.exists():
                    self._issue(name, file)
                self._contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._contexts[name].load_cert_chain(file)
            return self._contexts[name]

    def _issue(self, name: str, file: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(name, self._certificate.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())  # type: ignore[arg-type] # the key file holds an EC key
        )
        file.touch(mode=0o600)
        file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))


def _make_authority(key_file: Path, certificate_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hastack lab")])
    certificate = (
        _builder("hastack lab", subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                False,
                False,
                False,
                False,
                False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    key_file.touch(mode=0o600)
    key_file.write_bytes(_pem(key))
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + YEARS)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
