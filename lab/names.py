"""Which names AWS's services go by, and what a VPC's resolver makes of them. Pure.

Sources: AWS General Reference, "Service endpoints"; AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint"
(private DNS names, regional and zonal endpoint names); S3 User Guide, "Virtual hosting of buckets" and "Dual-stack endpoints".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .settings import API_ADDRESS, S3_ADDRESS

STEMS = {"ecr.api": "api.ecr", "ecr.dkr": "dkr.ecr"}  # where the name is not the service's own word
ENDPOINT = re.compile(r"vpce-[a-z0-9-]+\.(.+)\.vpce\.amazonaws\.com")
S3 = re.compile(r"(.+\.)?s3([.-][a-z0-9.-]+)?\.amazonaws\.com")


def stem(service_name: str) -> str:
    """`com.amazonaws.us-east-1.ecr.api` -> `api.ecr`: what stands before the region in the service's names."""
    service = service_name.split(".", 3)[3]
    return STEMS.get(service, service)


def private_name(service_name: str) -> str:
    """The name that private DNS leads to an interface endpoint; Docker registries have one below it for each account."""
    region, first = service_name.split(".")[2], "*." if service_name.endswith(".ecr.dkr") else ""
    return f"{first}{stem(service_name)}.{region}.amazonaws.com"


def endpoint_name(endpoint_id: str, random: str, service_name: str, zone: str = "") -> str:
    """The name of an endpoint itself: the regional one, or with `zone` the one of its interface there."""
    region = service_name.split(".")[2]
    return "-".join(filter(None, (endpoint_id, random, zone))) + f".{stem(service_name)}.{region}.vpce.amazonaws.com"


def service_host(host: str) -> str:
    """The host name of the service itself, for the one of an endpoint of its; any other name as it is."""
    found = ENDPOINT.fullmatch(host)
    return f"{found[1]}.amazonaws.com" if found else host


def is_s3(name: str) -> bool:
    """Whether a host name is one of S3's: of the service, or of a bucket."""
    return S3.fullmatch(name) is not None


def matches(name: str, patterns: Collection[str]) -> bool:
    """Whether a host name is among the patterns, of which some begin with `*.` for any one label."""
    return name in patterns or f"*.{name.partition('.')[2]}" in patterns


class VpcNames(dict[str, list[str]]):
    """The names that a VPC's machines resolve: those put in (`*.` first stands for any one label), and all of AWS's API.

    A name of AWS's that stands for something of the customer's own (a database, a load balancer, an endpoint) exists only when put in.
    """

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.endswith((".amazonaws.com", ".api.aws")))

    def __missing__(self, name: str) -> list[str]:
        wildcard = "*." + name.partition(".")[2]
        if super().__contains__(wildcard):
            return self[wildcard]
        if any(word in name for word in (".elb.", ".rds.", ".vpce.")):
            return []
        return [S3_ADDRESS if is_s3(name) else API_ADDRESS]


def endpoint_names(own: Mapping[str, list[str]], service_name: str, private_dns: bool) -> dict[str, list[str]]:
    """What an interface endpoint adds to its VPC's names.

    `own` are the endpoint's own (name -> addresses, the regional one first); with `private_dns` the service's name leads there too.
    """
    private = {private_name(service_name): next(iter(own.values()))} if private_dns and own else {}
    return {**own, **private}
