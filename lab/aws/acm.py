"""Certificates of Certificate Manager and IAM: what ImportCertificate keeps, who uses one, and its PEM text for who serves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography import x509
from moto.acm.exceptions import AWSError
from moto.acm.models import AWSCertificateManagerBackend, CertBundle, acm_backends
from moto.iam.models import iam_backends

from ..services.balancer import Certificate
from ._patch import wrap


class ResourceInUseException(AWSError):
    """Somebody uses the certificate still."""

    TYPE = "ResourceInUseException"


def install() -> None:
    wrap(CertBundle, "__init__")(_chain_as_imported)
    wrap(AWSCertificateManagerBackend, "import_certificate")(_import_certificate)
    wrap(AWSCertificateManagerBackend, "delete_certificate")(_delete_certificate)
    CertBundle.in_use_by = property(lambda bundle: _users(bundle.arn), lambda _bundle, _users: None)


def certificate(account_id: str, region: str, arn: str) -> Certificate | None:
    """The certificate of this ARN with its private key, or None when there is none or it may not be used yet."""
    bundle = acm_backends[account_id][region]._certificates.get(arn)
    if bundle is not None:
        if bundle.status != "ISSUED":
            return None
        body, chain, key = bundle.cert.decode(), bundle.chain.decode(), bundle.key.decode()
    else:
        server = iam_backends[account_id]["aws"].get_certificate_by_arn(arn)
        if server is None:
            return None
        body, chain, key = server.cert_body, server.cert_chain or "", server.private_key
    parts = [body, chain, key] if chain.strip() != body.strip() else [body, key]
    serial = x509.load_pem_x509_certificate(body.encode()).serial_number
    return Certificate(arn, f"{serial:X}", "".join(f"{part.strip()}\n" for part in parts if part.strip()))


def exists(account_id: str, region: str, arn: str) -> bool:
    return arn in acm_backends[account_id][region]._certificates or iam_backends[account_id]["aws"].get_certificate_by_arn(arn) is not None


def _chain_as_imported(original: Callable[..., None], bundle: Any, *args: Any, **kwargs: Any) -> None:
    """AWS gives the chain back as it came, and for a certificate without one the certificate; moto adds Amazon's root to it."""
    original(bundle, *args, **kwargs)
    bundle.chain = kwargs.get("chain") or bundle.cert


def _import_certificate(
    original: Callable[..., str], acm: Any, certificate: bytes, private_key: bytes, chain: Any, arn: str | None, tags: Any
) -> str:
    """A certificate that is imported anew keeps its tags; moto forgets them."""
    before = acm._certificates.get(arn)
    result = original(acm, certificate, private_key, chain=chain, arn=arn, tags=tags)
    if before is not None:
        acm._certificates[arn].tags = before.tags
    return result


def _delete_certificate(original: Callable[..., None], acm: Any, arn: str) -> None:
    if arn in acm._certificates and _users(arn):
        raise ResourceInUseException(f"Certificate {arn} in account {acm.account_id} is in use.")
    original(acm, arn)


def _users(arn: str) -> list[str]:
    """The load balancers with a listener that has the certificate; moto's own list only ever grows."""
    from moto.elbv2.models import elbv2_backends  # moto's register of backends is made after its classes

    return [
        balancer.arn
        for _account, _region, elbv2 in list(elbv2_backends.iter_backends())
        for balancer in list(elbv2.load_balancers.values())
        if any(arn in listener.certificates for listener in list(balancer.listeners.values()))
    ]
