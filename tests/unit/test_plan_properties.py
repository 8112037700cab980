"""Of whatever is wanted: once AWS tells it back in its own words, the plan is empty; and what could not be wanted is refused unasked."""

from __future__ import annotations

import json
import random
import re
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import quote

from ansible.module_utils.plan import identity, security, stored
from ansible.module_utils.stack.validate import validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .planned import brief, planned
from .wanted import changed

# How long an example takes says something about the machine only.
any_speed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)

TAGS = {"Stack": "shop", "ManagedBy": "ansible"}
IDS = {"web": "sg-1", "database": "sg-2"}
ports = st.integers(1, 65535)
cidrs = st.builds(lambda address, prefix: str(IPv4Network((address, prefix), strict=False)), st.integers(0, 2**32 - 1), st.integers(0, 32))
texts = st.text("abc /-", max_size=8)
sources = st.one_of(
    st.fixed_dictionaries({"group": st.sampled_from([*IDS])}),
    st.fixed_dictionaries({"cidrs": st.lists(cidrs, min_size=1, max_size=3, unique=True)}),
)
rules = st.lists(
    st.builds(
        lambda one, source: one | source,
        st.fixed_dictionaries({"port": ports}, optional={"protocol": st.sampled_from(["tcp", "udp"]), "description": texts}),
        sources,
    ),
    max_size=5, unique_by=lambda rule: (rule["port"], rule.get("protocol", "tcp")),
)  # fmt: skip
orders = st.randoms(use_true_random=False)


def tag_list(tags: dict[str, str], order: random.Random) -> list[dict[str, str]]:
    """Tags in AWS's shape, in no order, among one that AWS itself has set."""
    listed = [{"Key": key, "Value": value} for key, value in {**tags, "aws:cloudformation:stack-name": "x"}.items()]
    order.shuffle(listed)
    return listed


def permissions(wanted: list[dict[str, Any]], order: random.Random) -> list[dict[str, Any]]:
    """Rules as EC2 tells them (API Reference, "IpPermission"): one permission for a port, its sources in no order."""
    result = []
    for rule in wanted:
        text = {"Description": rule["description"]} if rule.get("description") else {}
        ranges = [{"CidrIp": cidr, **text} for cidr in rule.get("cidrs", [])]
        order.shuffle(ranges)
        pairs = [{"GroupId": IDS[rule["group"]], "UserId": "123456789012", **text}] if "group" in rule else []
        told = {"IpRanges": ranges, "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": pairs}
        result.append({"IpProtocol": rule.get("protocol", "tcp"), "FromPort": rule["port"], "ToPort": rule["port"], **told})
    order.shuffle(result)
    return result


@any_speed
@given(rules, rules, orders)
def test_security_groups(ingress: list[dict[str, Any]], egress: list[dict[str, Any]], order: random.Random) -> None:
    group = {"name": "shop-web", "description": "web", "ingress": ingress, "egress": egress}
    arguments = {
        "security_groups_map": {"web": group}, "security_groups_ids": IDS, "security_groups_vpc_id": "vpc-1", "security_groups_tags": TAGS,
    }  # fmt: skip
    told = {
        "GroupId": "sg-1", "GroupName": "shop-web", "Description": "web", "VpcId": "vpc-1",
        "IpPermissions": permissions(ingress, order), "IpPermissionsEgress": permissions(egress, order),
        "Tags": tag_list({**TAGS, "Name": "shop-web", "Role": "web", "Key": "web"}, order),
    }  # fmt: skip
    wanted = list(security.want_security_groups(arguments))
    assert planned(security, wanted, security.found_security_groups({"security_groups": [told]})) == []
    opened = {**told, "IpPermissions": [*told["IpPermissions"], {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
    assert brief(planned(security, wanted, security.found_security_groups({"security_groups": [opened]}))) == [
        ("update", "security_group", "web", ["ingress"])
    ]


@any_speed
@given(rules)
def test_each_rule_that_is_told_is_taken_away_by_its_own_permission(ingress: list[dict[str, Any]]) -> None:
    told = permissions(ingress, random.Random(0))  # noqa: S311 # an order, no secret
    words = [word for word, _text, _piece in security.pieces(told)]
    again = [word for _word, _text, piece in security.pieces(told) for word, _, _ in security.pieces([piece])]
    assert again == words


actions = st.lists(st.sampled_from(["s3:GetObject", "s3:ListBucket", "ssm:GetParameters"]), min_size=1, unique=True)
statements = st.lists(
    st.fixed_dictionaries({"Effect": st.sampled_from(["Allow", "Deny"]), "Action": actions, "Resource": actions}),
    min_size=1, max_size=3, unique_by=json.dumps,
)  # fmt: skip


def said_otherwise(document: dict[str, Any], order: random.Random) -> str:
    """The policy as IAM may tell it: statements and lists in another order, a list of one as a string, quoted for a URL."""

    def part(values: list[str]) -> Any:
        shuffled = list(values)
        order.shuffle(shuffled)
        return shuffled[0] if len(shuffled) == 1 else shuffled

    listed = [{key: part(value) if isinstance(value, list) else value for key, value in one.items()} for one in document["Statement"]]
    order.shuffle(listed)
    return quote(json.dumps({**document, "Statement": listed[0] if len(listed) == 1 else listed}))


@any_speed
@given(statements, orders)
def test_roles(listed: list[dict[str, Any]], order: random.Random) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2"}}]}
    document = {"Version": "2012-10-17", "Statement": listed}
    arguments = {
        "iam_existing_instance_profile": "", "iam_name": "shop-web", "iam_path": "/shop/", "iam_description": "d", "iam_tags": TAGS,
        "__iam_tags": TAGS, "__iam_policy": document, "__iam_trust": trust, "iam_managed_policies": ["b", "a"],
        "iam_instance_profile": False,
    }  # fmt: skip
    role = {
        "RoleName": "shop-web", "Arn": "arn", "Path": "/shop/", "Description": "d",
        "AssumeRolePolicyDocument": said_otherwise(trust, order), "Tags": tag_list(TAGS, order),
    }  # fmt: skip

    def found(text: str, managed: list[str]) -> Any:
        told = {"role": role, "inline": {"shop-web": text}, "managed": managed}
        nothing: dict[str, list[Any]] = {"instance_profiles": [], "public_keys": [], "key_pairs": [], "named_secrets": [], "secrets": []}
        return identity.found_identity({"roles": [role], "role shop-web": told, **nothing})

    wanted = list(identity.want_iam(arguments))
    assert planned(identity, wanted, found(said_otherwise(document, order), ["a", "b"])) == []
    wider = {**document, "Statement": [*listed, {"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    changes = planned(identity, wanted, found(said_otherwise(wider, order), ["a", "b", "AdministratorAccess"]))
    assert brief(changes) == [("update", "role", "shop-web", ["inline_policies", "managed_policies"])]


names = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)


@any_speed
@given(st.dictionaries(names, st.one_of(st.text(max_size=10), st.integers(), st.booleans()), max_size=4), orders)
def test_parameters(values: dict[str, Any], order: random.Random) -> None:
    arguments = {
        "parameters_path": "/shop/dev", "parameters_values": values, "parameters_generated": {}, "parameters_secrets": {},
        "__parameters_tags": TAGS,
    }  # fmt: skip
    told = [
        {"Name": f"/shop/dev/{key}", "Type": "String", "Tagged": True, "Told": str(value),
         "Tags": tag_list({**TAGS, "Name": key, "Key": key}, order)}
        for key, value in values.items()
    ]  # fmt: skip
    order.shuffle(told)

    def changes(parameters: list[dict[str, Any]]) -> list[Any]:
        found = stored.found_stored({"buckets": [], "parameter_details": parameters})
        return brief(planned(stored, stored.want_parameters(arguments), found))

    assert changes(told) == []
    assert changes([{**one, "Told": one["Told"] + "x"} for one in told]) == [
        ("update", "parameter", f"/shop/dev/{key}", ["value"]) for key in sorted(values)
    ]


def is_network(text: str) -> bool:
    try:
        IPv4Network(text)
    except ValueError:
        return False
    return True


@any_speed
@given(st.text("0123456789./a", max_size=18).filter(lambda text: not is_network(text)))
def test_what_is_no_range_of_addresses_is_refused_by_its_variable(text: str) -> None:
    assert any(line.startswith("vpc_cidr is") for line in validate(changed("vpc_cidr", text)))
    assert any(line.startswith("stack_operator_cidrs[0] is") for line in validate(changed("stack_operator_cidrs", [text])))


@any_speed
@given(st.text("15.x- ", max_size=6).filter(lambda text: not re.fullmatch(r"\d+(\.\d+){0,2}", text)))
def test_what_is_no_version_of_an_engine_is_refused_by_its_variable(text: str) -> None:
    assert any(line.startswith("rds_engine_version is") for line in validate(changed("rds_engine_version", text)))


@any_speed
@given(st.text(" !ü%", min_size=1, max_size=6), st.sampled_from(["stack_role_name", "alb_name", "rds_identifier", "stack_name"]))
def test_what_aws_takes_for_no_name_is_refused_by_its_variable(text: str, variable: str) -> None:
    assert any(line.startswith(f"{variable} is") for line in validate(changed(variable, text)))
