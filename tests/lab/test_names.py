"""What a VPC's resolver makes of AWS's names."""

from __future__ import annotations

import pytest

from lab.names import VpcNames, endpoint_name, endpoint_names, is_s3, matches, private_name, service_host
from lab.settings import API_ADDRESS, S3_ADDRESS

REGION = "com.amazonaws.us-east-1"


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("secretsmanager", "secretsmanager.us-east-1.amazonaws.com"),
        ("ecr.api", "api.ecr.us-east-1.amazonaws.com"),
        ("ecr.dkr", "*.dkr.ecr.us-east-1.amazonaws.com"),
    ],
)
def test_a_service_has_its_private_name(service: str, name: str) -> None:
    assert private_name(f"{REGION}.{service}") == name


def test_the_name_of_an_endpoint_tells_that_of_its_service() -> None:
    assert service_host("vpce-1-ab-us-east-1a.api.ecr.us-east-1.vpce.amazonaws.com") == "api.ecr.us-east-1.amazonaws.com"
    assert service_host("sts.us-east-1.amazonaws.com") == "sts.us-east-1.amazonaws.com"


def test_an_endpoint_has_a_name_for_the_region_and_one_for_each_zone() -> None:
    assert endpoint_name("vpce-1", "ab", f"{REGION}.ecr.api") == "vpce-1-ab.api.ecr.us-east-1.vpce.amazonaws.com"
    assert endpoint_name("vpce-1", "ab", f"{REGION}.logs", "us-east-1a") == "vpce-1-ab-us-east-1a.logs.us-east-1.vpce.amazonaws.com"


@pytest.mark.parametrize(
    "name",
    [
        "s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "s3-us-west-2.amazonaws.com", "s3.dualstack.us-east-1.amazonaws.com",
        "bucket.s3.amazonaws.com", "a.dotted.bucket.s3.us-east-1.amazonaws.com",
    ],
)  # fmt: skip
def test_s3_has_an_address_of_its_own(name: str) -> None:
    assert is_s3(name)
    assert VpcNames()[name] == [S3_ADDRESS]


@pytest.mark.parametrize("name", ["sts.us-east-1.amazonaws.com", "logs3.us-east-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com"])
def test_other_services_are_found_at_the_api(name: str) -> None:
    assert VpcNames()[name] == [API_ADDRESS]


def test_an_endpoint_with_private_dns_takes_its_services_name() -> None:
    own = {"vpce-1-ab.logs.us-east-1.vpce.amazonaws.com": ["10.0.1.4", "10.0.2.4"]}
    names = VpcNames(endpoint_names(own, f"{REGION}.logs", private_dns=True))
    assert names["logs.us-east-1.amazonaws.com"] == ["10.0.1.4", "10.0.2.4"]
    assert names["logs.eu-west-1.amazonaws.com"] == [API_ADDRESS]


def test_without_private_dns_it_has_its_own_names_only() -> None:
    own = {"vpce-1-ab.logs.us-east-1.vpce.amazonaws.com": ["10.0.1.4"]}
    assert endpoint_names(own, f"{REGION}.logs", private_dns=False) == own


def test_every_accounts_registry_is_found_at_the_registrys_endpoint() -> None:
    names = VpcNames({"*.dkr.ecr.us-east-1.amazonaws.com": ["10.0.1.5"]})
    assert names["123456789012.dkr.ecr.us-east-1.amazonaws.com"] == ["10.0.1.5"]
    assert matches("123456789012.dkr.ecr.us-east-1.amazonaws.com", names.keys())
    assert not matches("api.ecr.us-east-1.amazonaws.com", names.keys())


@pytest.mark.parametrize(
    "name", ["gone.abc.us-east-1.rds.amazonaws.com", "gone.us-east-1.elb.amazonaws.com", "vpce-9.logs.us-east-1.vpce.amazonaws.com"]
)
def test_what_a_customer_does_not_have_has_no_address(name: str) -> None:
    assert name in VpcNames()
    assert VpcNames()[name] == []
