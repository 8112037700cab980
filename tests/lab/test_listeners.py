"""Listeners and their certificates, as the API takes, refuses and tells them, and what the load balancer is told of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.services.balancer_state import configuration, load_balancers
from tests.lab.certificates import Signed

OK = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
Import = Callable[[str], str]


@pytest.fixture
def imported(cloud: Any, tmp_path: Path) -> Import:
    """Import a certificate for a name; its ARN."""
    return lambda name: str(cloud.acm.import_certificate(**Signed(tmp_path / "ca", name).imported())["CertificateArn"])


def https(cloud: Any, arn: str, *, port: int = 443, **options: Any) -> Any:
    wanted = {"Protocol": "HTTPS", "Port": port, "Certificates": [{"CertificateArn": arn}], "DefaultActions": OK} | options
    balancer = (cloud.elbv2.describe_load_balancers()["LoadBalancers"] or [{"LoadBalancerArn": None}])[0]["LoadBalancerArn"]
    return cloud.elbv2.create_listener(LoadBalancerArn=balancer or cloud.load_balancer(), **wanted)["Listeners"][0]


def served(cloud: Any) -> Any:
    return configuration(*next(load_balancers())).listeners[0]


def test_an_https_listener_serves_its_certificate_with_chain_and_key(cloud: Any, imported: Import) -> None:
    https(cloud, imported("www.example.com"), SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    tls = served(cloud).tls
    (certificate,) = tls.certificates
    assert certificate.pem.count("BEGIN CERTIFICATE") == 2
    assert certificate.pem.rstrip().endswith("-----END PRIVATE KEY-----")
    assert tls.protocols == ("TLSv1.3", "TLSv1.2")
    assert "PRIVATE KEY" not in repr(served(cloud))


def test_a_certificate_of_iam_is_served_too(cloud: Any, tmp_path: Path) -> None:
    signed = Signed(tmp_path / "ca", "old.example.com")
    made = cloud.iam.upload_server_certificate(ServerCertificateName="old", CertificateBody=signed.certificate, PrivateKey=signed.key)
    https(cloud, made["ServerCertificateMetadata"]["Arn"])
    assert len(served(cloud).tls.certificates) == 1


def test_what_aws_refuses_about_https_listeners_is_refused(cloud: Any, imported: Import, refused: Any) -> None:
    arn, create = imported("www.example.com"), cloud.elbv2.create_listener
    https(cloud, arn)
    listener = {"LoadBalancerArn": cloud.load_balancer(), "Protocol": "HTTPS", "Port": 8443, "DefaultActions": OK}
    missing = [{"CertificateArn": "arn:aws:acm:ap-northeast-1:123456789012:certificate/none"}]
    assert refused(create, **listener) == "ValidationError"
    assert refused(create, **listener, Certificates=missing) == "CertificateNotFound"
    assert refused(create, **listener, Certificates=[{"CertificateArn": arn}], SslPolicy="none") == "SSLPolicyNotFound"
    assert refused(create, **listener | {"Protocol": "HTTP"}, Certificates=[{"CertificateArn": arn}]) == "ValidationError"
    assert refused(create, **listener | {"Port": 443}, Certificates=[{"CertificateArn": arn}]) == "DuplicateListener"


@pytest.mark.filterwarnings("ignore:Exception.ELBClientError. with code UnsupportedCertificate")  # AWS's model of its errors lacks it
def test_a_requested_certificate_that_nobody_has_validated_is_refused(cloud: Any, refused: Any) -> None:
    arn = cloud.acm.request_certificate(DomainName="www.example.com", ValidationMethod="DNS")["CertificateArn"]
    listener = {"LoadBalancerArn": cloud.load_balancer(), "Protocol": "HTTPS", "Port": 443, "DefaultActions": OK}
    assert refused(cloud.elbv2.create_listener, **listener, Certificates=[{"CertificateArn": arn}]) == "UnsupportedCertificate"


def test_the_default_certificate_is_told_with_the_listener_and_the_others_apart(cloud: Any, imported: Import) -> None:
    first, second = imported("www.example.com"), imported("api.example.com")
    listener = https(cloud, first)["ListenerArn"]
    cloud.elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    told = cloud.elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    assert told["Certificates"] == [{"CertificateArn": first}]
    all_of_them = cloud.elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert {one["CertificateArn"]: one["IsDefault"] for one in all_of_them} == {first: True, second: False}
    assert [one.arn for one in served(cloud).tls.certificates] == [first, second]


def test_a_new_default_certificate_leaves_the_others(cloud: Any, imported: Import, refused: Any) -> None:
    first, second, third = imported("www.example.com"), imported("api.example.com"), imported("new.example.com")
    listener = https(cloud, first)["ListenerArn"]
    cloud.elbv2.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    cloud.elbv2.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": third}])
    assert [one.arn for one in served(cloud).tls.certificates] == [third, second]
    remove = cloud.elbv2.remove_listener_certificates
    assert refused(remove, ListenerArn=listener, Certificates=[{"CertificateArn": third}]) == "OperationNotPermitted"
    remove(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    assert [one.arn for one in served(cloud).tls.certificates] == [third]


def test_a_certificate_in_use_is_not_deleted(cloud: Any, imported: Import, refused: Any) -> None:
    arn = imported("www.example.com")
    listener = https(cloud, arn)
    assert cloud.acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"] == [listener["LoadBalancerArn"]]
    assert refused(cloud.acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"
    cloud.elbv2.delete_load_balancer(LoadBalancerArn=listener["LoadBalancerArn"])
    cloud.acm.delete_certificate(CertificateArn=arn)


def test_a_certificate_imported_anew_keeps_its_tags_and_is_served_at_once(cloud: Any, imported: Import, tmp_path: Path) -> None:
    arn = imported("www.example.com")
    cloud.acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "Name", "Value": "uda"}])
    https(cloud, arn)
    before = served(cloud)
    signed = Signed(tmp_path / "another", "www.example.com")
    cloud.acm.import_certificate(CertificateArn=arn, **signed.imported())
    assert served(cloud) != before
    assert cloud.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "Name", "Value": "uda"}]
    assert cloud.acm.get_certificate(CertificateArn=arn)["CertificateChain"].strip() == signed.authority.strip()


def test_private_keys_are_files_for_root_alone(cloud: Any, imported: Import) -> None:
    https(cloud, imported("www.example.com"))
    machine = next(machine for machine in cloud.round().machines.values() if machine.kind == "load_balancer")
    (name,) = machine.secret_files
    assert f"crt /lab/{name}" in machine.files["haproxy.cfg"]
    assert "PRIVATE KEY" not in str(machine.files)


def test_each_listener_is_published_with_its_protocol(cloud: Any, imported: Import) -> None:
    https(cloud, imported("www.example.com"))
    _elbv2, balancer = next(load_balancers())
    cloud.elbv2.create_listener(LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=80, DefaultActions=OK)
    balancer.state = "active"
    found = cloud.services[3].published()
    assert {label: (one.port, one.scheme) for label, one in found.items()} == {"uda-alb": (80, "http"), "uda-alb:443": (443, "https")}


def test_rules_change_places_but_none_takes_that_of_another(cloud: Any, refused: Any) -> None:
    made = cloud.elbv2.create_listener(LoadBalancerArn=cloud.load_balancer(), Protocol="HTTP", Port=80, DefaultActions=OK)
    listener = made["Listeners"][0]
    one, two = (
        cloud.elbv2.create_rule(
            ListenerArn=listener["ListenerArn"], Priority=priority, Actions=OK,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{priority}"]}}],
        )["Rules"][0]["RuleArn"]
        for priority in (1, 2)
    )  # fmt: skip
    assert refused(cloud.elbv2.set_rule_priorities, RulePriorities=[{"RuleArn": one, "Priority": 2}]) == "PriorityInUse"

    def priorities() -> dict[str, str]:
        found = cloud.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        return {rule["RuleArn"]: rule["Priority"] for rule in found if not rule["IsDefault"]}

    assert priorities() == {one: "1", two: "2"}
    cloud.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}])
    assert priorities() == {one: "2", two: "1"}
