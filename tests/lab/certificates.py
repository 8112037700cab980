"""Certificates for tests: an authority of their own, and what it has signed."""

from __future__ import annotations

from pathlib import Path

from lab.certificates import Authority


class Signed:
    """A certificate with its key and the authority's certificate, as PEM."""

    def __init__(self, directory: Path, name: str) -> None:
        authority = Authority(directory)
        authority._for(name)
        text = (directory / "issued" / f"{name}.pem").read_text()
        self.key, self.certificate = text.split("-----BEGIN CERTIFICATE-----")
        self.certificate = f"-----BEGIN CERTIFICATE-----{self.certificate}"
        self.authority = authority.certificate_file.read_text()

    def imported(self) -> dict[str, str]:
        """As ImportCertificate takes it."""
        return {"Certificate": self.certificate, "PrivateKey": self.key, "CertificateChain": self.authority}
