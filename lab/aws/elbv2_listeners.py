"""Listeners as AWS takes and refuses them: one for each port, and certificates where there is HTTPS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.elbv2.exceptions import ELBClientError, LoadBalancerNotFoundError
from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response
from moto.elbv2.ssl_policies import SSL_POLICIES

from . import acm
from ._patch import wrap

MOST_CERTIFICATES = 25  # on one listener, besides the default one


def install() -> None:
    wrap(ELBv2Backend, "create_listener")(_create_listener)
    wrap(ELBv2Backend, "modify_listener")(_modify_listener)
    wrap(ELBv2Backend, "set_rule_priorities")(_set_rule_priorities)
    wrap(ELBv2Backend, "add_listener_certificates")(_add_listener_certificates)
    wrap(ELBv2Backend, "remove_listener_certificates")(_remove_listener_certificates)
    for operation in ("CreateListener", "DescribeListeners", "ModifyListener"):  # these tell the default certificate alone
        ELBV2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER[f"{operation}Output.Listeners.Listener.Certificates"] = _default_certificate


def _create_listener(
    original: Callable[..., Any], elbv2: Any, load_balancer_arn: str, protocol: str, port: Any, ssl_policy: Any, certificate: Any,
    *args: Any, **kwargs: Any,
) -> Any:  # fmt: skip
    """moto compares the new port with listeners' ARNs and so accepts a second listener on one port."""
    balancer = elbv2.load_balancers.get(load_balancer_arn)
    if balancer is None:
        raise LoadBalancerNotFoundError
    if any(str(listener.port) == str(port) for listener in balancer.listeners.values()):
        raise ELBClientError("DuplicateListener", f"A listener already exists on this port for this load balancer '{load_balancer_arn}'")
    if protocol == "HTTPS":
        if not certificate:
            raise ELBClientError("ValidationError", "A certificate must be specified for HTTPS listeners")
        _check_policy(ssl_policy)
        _check_certificate(elbv2, certificate)
    elif protocol == "HTTP":
        if certificate:
            raise ELBClientError("ValidationError", "A certificate cannot be specified for HTTP listeners")
        ssl_policy = None
    return original(elbv2, load_balancer_arn, protocol, port, ssl_policy, certificate, *args, **kwargs)


def _modify_listener(
    original: Callable[..., Any], elbv2: Any, arn: str, port: Any = None, protocol: Any = None, ssl_policy: Any = None,
    certificates: Any = None, *args: Any,
) -> Any:  # fmt: skip
    """The certificate that is given becomes the default one; the others stay. moto takes them all away."""
    listener = elbv2.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    others = listener.certificates[1:]
    for given in certificates or []:
        _check_certificate(elbv2, given["CertificateArn"])
    modified = original(elbv2, arn, port, protocol, ssl_policy, certificates or [], *args)
    if certificates:
        modified.certificates = [certificates[0]["CertificateArn"], *(one for one in others if one != certificates[0]["CertificateArn"])]
    if modified.protocol == "HTTP":
        modified.certificate, modified.certificates, modified.ssl_policy = None, [], None
    elif modified.ssl_policy is None:
        modified.ssl_policy = "ELBSecurityPolicy-2016-08"
    return modified


def _set_rule_priorities(original: Callable[..., Any], elbv2: Any, rule_priorities: list[dict[str, Any]]) -> Any:
    """On AWS the new order alone must be free of conflicts; moto refuses to let two rules change places."""
    rules = elbv2.describe_rules(listener_arn=None, rule_arns=[given["RuleArn"] for given in rule_priorities])
    before = [(rule, rule.priority) for rule in rules]
    for rule in rules:
        rule.priority = None
    try:
        return original(elbv2, rule_priorities)
    except ServiceException:
        for rule, priority in before:
            rule.priority = priority
        raise


def _add_listener_certificates(_original: Callable[..., Any], elbv2: Any, arn: str, certificates: list[dict[str, Any]]) -> list[str]:
    listener = elbv2.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    added = [given["CertificateArn"] for given in certificates]
    for one in added:
        _check_certificate(elbv2, one)
    if len({*listener.certificates[1:], *added}) > MOST_CERTIFICATES:
        raise ELBClientError("TooManyCertificates", "You've reached the limit on the number of certificates per load balancer")
    listener.certificates += [one for one in added if one not in listener.certificates]
    return added


def _remove_listener_certificates(original: Callable[..., None], elbv2: Any, arn: str, certificates: list[dict[str, Any]]) -> None:
    listener = elbv2.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    if listener.certificates[:1] and listener.certificates[0] in [given["CertificateArn"] for given in certificates]:
        raise ELBClientError("OperationNotPermitted", "Default certificate cannot be removed from the listener")
    original(elbv2, arn, certificates)


def _default_certificate(arns: list[str]) -> list[dict[str, str]] | None:
    return [{"CertificateArn": arn} for arn in arns[:1]] or None


def _check_policy(name: str | None) -> None:
    if name is not None and name not in SSL_POLICIES:
        raise ELBClientError("SSLPolicyNotFound", f"SSL policy '{name}' not found")


def _check_certificate(elbv2: Any, arn: str) -> None:
    if not acm.exists(elbv2.account_id, elbv2.region_name, arn):
        raise ELBClientError("CertificateNotFound", f"Certificate '{arn}' not found")
    if acm.certificate(elbv2.account_id, elbv2.region_name, arn) is None:
        raise ELBClientError(
            "UnsupportedCertificate",
            f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a supported key size.",
        )
