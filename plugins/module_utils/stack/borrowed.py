# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPC that the stack uses and does not own: read it, find its parts as the inventory maps them, and tell what does not fit.

The inventory says how to find each part (by id, or by its tag Name) and what was there before the stack came; what it says is
compared with what stands, because destroy gives back what the inventory says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .check_network import tiers
from .permissions import found as permissions_found
from .permissions import wanted as permissions_wanted
from .problem import Wanted, listing, problem
from .routes import is_borrowed, subnet_tables

Item = Mapping[str, Any]
Found = Mapping[str, Sequence[Item]]
KINDS = {  # kind -> (paginator, key in its answer, filter by VPC)
    "subnets": ("describe_subnets", "Subnets", "vpc-id"),
    "route_tables": ("describe_route_tables", "RouteTables", "vpc-id"),
    "security_groups": ("describe_security_groups", "SecurityGroups", "vpc-id"),
    "internet_gateways": ("describe_internet_gateways", "InternetGateways", "attachment.vpc-id"),
    "vpc_endpoints": ("describe_vpc_endpoints", "VpcEndpoints", "vpc-id"),
}
ENDPOINT_STANDS = ("pending", "available")  # the others go, or never came
MAIN = "main"  # in place of a route table's key: the subnet has none of its own


def read(ec2: Any, wanted: Wanted) -> dict[str, list[Item]]:
    """The VPCs that fit what the inventory says, and when it is one, what is in it. As AWS words it."""
    filters = [{"Name": name, "Values": [str(value)]} for name, value in vpc_filters(wanted).items()]
    result = {"vpcs": _pages(ec2, "describe_vpcs", "Vpcs", filters), **{kind: [] for kind in KINDS}}
    if len(result["vpcs"]) == 1:
        for kind, (operation, key, name) in KINDS.items():
            result[kind] = _pages(ec2, operation, key, [{"Name": name, "Values": [result["vpcs"][0]["VpcId"]]}])
    return result


def read_nat_gateways(ec2: Any, vpcs: Sequence[Item]) -> list[Item]:
    """All NAT gateways of the VPC, whose ever: by them its subnets reach the internet. As AWS words it."""
    filters = [{"Name": "vpc-id", "Values": [str(vpc["VpcId"]) for vpc in vpcs]}]
    return _pages(ec2, "describe_nat_gateways", "NatGateways", filters) if len(vpcs) == 1 else []


def vpc_filters(wanted: Wanted) -> dict[str, Any]:
    """How the VPC is found: by its id, by its tags, or by its name."""
    lookup = wanted.get("vpc_lookup") or {}
    if lookup.get("id"):
        return {"vpc-id": lookup["id"]}
    return {f"tag:{key}": value for key, value in (lookup.get("tags") or {"Name": wanted.get("vpc_name")}).items()}


def borrow(found: Found, wanted: Wanted, own_groups: Mapping[str, str], own_tables: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Facts about the borrowed parts in the words of `shape`, and everything that is missing, ambiguous or not as the inventory says.

    `own_groups` and `own_tables` are the ids of what the stack itself has in the VPC, by key.
    """
    if len(found["vpcs"]) != 1:
        return _facts({}, {}, {}, {}, {}, own_groups, own_tables, {}, ()), [_not_one_vpc(found["vpcs"], wanted)]
    vpc = found["vpcs"][0]
    problems: list[str] = []
    parts = {
        variable: _parts(wanted, variable, found[kind], identity, str(vpc["VpcId"]), problems)
        for variable, kind, identity in (
            ("vpc_subnets", "subnets", "SubnetId"),
            ("vpc_route_tables", "route_tables", "RouteTableId"),
            ("security_groups_map", "security_groups", "GroupId"),
        )
    }
    subnets, groups = parts["vpc_subnets"], parts["security_groups_map"]
    tables = {key: str(table["RouteTableId"]) for key, table in parts["vpc_route_tables"].items()}
    gateway = next(iter(found["internet_gateways"]), {})
    taken = _taken(wanted, subnets, found["route_tables"], own_tables)
    facts = _facts(vpc, gateway, subnets, tables, groups, own_groups, own_tables, wanted, taken)
    if wanted.get("vpc_cidr") not in (None, vpc["CidrBlock"]):
        problems.append(problem("vpc_cidr", wanted["vpc_cidr"], f"{vpc['VpcId']} has {vpc['CidrBlock']}", "Say the same, or nothing"))
    problems += tiers(wanted, facts["subnets"])
    problems += _former_tables(wanted, subnets, found["route_tables"], tables, own_tables)
    problems += _former_rules(wanted, groups, facts["security_group_ids"])
    problems += _nat_subnets(wanted, subnets, found["route_tables"])
    problems += _endpoints(wanted, found["vpc_endpoints"])
    return facts, problems


def _facts(
    vpc: Item, gateway: Item, subnets: Mapping[str, Item], tables: Mapping[str, str], groups: Mapping[str, Item],
    own_groups: Mapping[str, str], own_tables: Mapping[str, str], wanted: Wanted, taken: Iterable[str],
) -> dict[str, Any]:  # fmt: skip
    entries = wanted.get("vpc_subnets") or {}
    described = {
        key: {"id": item["SubnetId"], "cidr": item.get("CidrBlock", ""), "az": item["AvailabilityZone"], "tier": entries[key]["tier"]}
        for key, item in subnets.items()
    }
    by_tier: dict[str, list[str]] = {}
    for _key, item in sorted(described.items()):
        by_tier.setdefault(item["tier"], []).append(item["id"])
    borrowed_groups = {key: str(item["GroupId"]) for key, item in groups.items()}
    return {
        "vpc_id": vpc.get("VpcId"),
        "vpc_cidr": vpc.get("CidrBlock"),
        "igw_id": gateway.get("InternetGatewayId"),
        "subnets": described,
        "subnet_ids": by_tier,
        "route_table_ids": {**tables, **own_tables},
        "security_group_ids": {**borrowed_groups, **own_groups},
        "borrowed": {
            "security_group_ids": borrowed_groups,
            "former_route_table_ids": {described[key]["id"]: tables.get(str(entries[key].get("route_table")), "") for key in taken},
        },
    }


def _taken(wanted: Wanted, subnets: Mapping[str, Item], all_tables: Sequence[Item], own_tables: Mapping[str, str]) -> list[str]:
    """Subnets that use a route table of the stack's own, or shall: one that is not wanted any more is given back too."""
    entries, chosen = wanted.get("vpc_subnets") or {}, subnet_tables(wanted)
    uses_own = {key for key, item in subnets.items() if _table_of(str(item["SubnetId"]), all_tables) in own_tables.values()}
    return [key for key in subnets if key in chosen or (key in uses_own and entries[key].get("route_table"))]


def _parts(wanted: Wanted, variable: str, items: Sequence[Item], identity: str, vpc_id: str, problems: list[str]) -> dict[str, Item]:
    """The borrowed entries of a map variable, each with what it stands for."""
    result = {}
    for key, entry in (wanted.get(variable) or {}).items():
        if variable != "vpc_subnets" and not is_borrowed(entry):
            continue
        word = "id" if entry.get("id") else "name"
        fitting = [item for item in items if entry.get(word) in ([item[identity]] if word == "id" else _names(item))]
        if len(fitting) == 1:
            result[key] = fitting[0]
            continue
        where, value = f"{variable}.{key}.{word}", entry.get(word)
        if fitting:
            wrong = f"{len(fitting)} in {vpc_id} have it: {listing(item[identity] for item in fitting)}"
            problems.append(problem(where, value, wrong, "Give the id of the one that is meant"))
        else:
            names = listing(name for item in items for name in _names(item))
            problems.append(problem(where, value, f"nothing in {vpc_id} has it", f"There are: {names or 'none'}"))
    return result


def _not_one_vpc(vpcs: Sequence[Item], wanted: Wanted) -> str:
    asked = listing(f"{name}={value}" for name, value in vpc_filters(wanted).items())
    if vpcs:
        ids = listing(vpc["VpcId"] for vpc in vpcs)
        return f"{len(vpcs)} VPCs fit {asked}: {ids}. Give the id of the one to borrow: vpc_lookup: {{id: vpc-...}}"
    return (
        f"No VPC in this region and account fits {asked}. A borrowed VPC must stand: correct vpc_name or vpc_lookup, or unset vpc_borrowed"
    )


def _former_tables(
    wanted: Wanted, subnets: Mapping[str, Item], all_tables: Sequence[Item], tables: Mapping[str, str], own_tables: Mapping[str, str]
) -> Iterator[str]:
    """A subnet that the stack gives a route table of its own uses that one already, or the one that destroy will give back."""
    for key, own in subnet_tables(wanted).items():
        if key not in subnets:
            continue
        former = str(wanted["vpc_subnets"][key].get("route_table"))
        present = _table_of(str(subnets[key]["SubnetId"]), all_tables)
        if former != MAIN and former not in tables:
            continue  # told already
        if present not in (own_tables.get(own), "" if former == MAIN else tables[former]):
            wrong = f"{subnets[key]['SubnetId']} uses {present or 'the main route table'}, and destroy would give it another one back"
            yield problem(f"vpc_subnets.{key}.route_table", former, wrong, f"Name the one that it uses, or {MAIN} for none of its own")


def _former_rules(wanted: Wanted, groups: Mapping[str, Item], group_ids: Mapping[str, str]) -> Iterator[str]:
    """What a borrowed group's rules are replaced for is there, or has been replaced."""
    for key, item in groups.items():
        entry, standing = wanted["security_groups_map"][key], permissions_found(item.get("IpPermissions", []))
        own = permissions_wanted(entry.get("ingress") or [], group_ids)
        missing = [rule for rule in permissions_wanted(entry.get("replaces") or [], group_ids) if rule not in standing]
        if missing and not (own and set(own) <= standing):
            there = listing(f"{rule.protocol} {rule.first} from {rule.source}" for rule in standing) or "none"
            wrong = f"{item['GroupId']} has no such rule, and destroy would give it one"
            yield problem(f"security_groups_map.{key}.replaces", entry["replaces"], wrong, f"Name rules that it has: {there}")


def _nat_subnets(wanted: Wanted, subnets: Mapping[str, Item], tables: Sequence[Item]) -> Iterator[str]:
    served = {subnet for subnet, table in subnet_tables(wanted).items() if wanted["vpc_route_tables"][table].get("internet")}
    by_id = {table["RouteTableId"]: table for table in tables}
    main = next((table for table in tables if any(association.get("Main") for association in table["Associations"])), {})
    for key, entry in (wanted.get("vpc_nat_gateways") or {}).items():
        if entry["subnet"] in subnets and entry["subnet"] not in served:
            table = by_id.get(_table_of(str(subnets[entry["subnet"]]["SubnetId"]), tables), main)
            if not any(str(route.get("GatewayId", "")).startswith("igw-") for route in table.get("Routes", [])):
                wrong = "its route table does not lead to an internet gateway"
                yield problem(f"vpc_nat_gateways.{key}.subnet", entry["subnet"], wrong, "Choose a public subnet")


def _endpoints(wanted: Wanted, standing: Sequence[Item]) -> Iterator[str]:
    """AWS has one private name for a service in a VPC. A gateway endpoint of somebody else's is in none of the stack's route tables."""
    for key, entry in (wanted.get("vpc_endpoints_map") or {}).items():
        for item in standing:
            foreign = {"Key": "Stack", "Value": wanted.get("stack_name")} not in item.get("Tags", [])
            named = entry.get("type") != "gateway" and entry.get("private_dns", True) and item.get("PrivateDnsEnabled")
            stands = item["State"].lower() in ENDPOINT_STANDS
            if foreign and stands and named and service_name(item).split(".", 3)[-1] == entry.get("service"):
                wrong = f"the VPC has an endpoint for it, {item['VpcEndpointId']}"
                yield problem(
                    f"vpc_endpoints_map.{key}.service", entry["service"], wrong, "Take it away here: that one serves the stack too"
                )


def service_name(endpoint: Item) -> str:
    """What an endpoint leads to; one for a resource or a service network (Amazon VPC Lattice) names that in place of a service."""
    words = ("ServiceName", "ResourceConfigurationArn", "ServiceNetworkArn")
    return next((str(endpoint[word]) for word in words if endpoint.get(word)), "")


def _table_of(subnet_id: str, tables: Iterable[Item]) -> str:
    """Id of the route table that a subnet has of its own; empty for the main one."""
    return next(
        (str(t["RouteTableId"]) for t in tables for association in t["Associations"] if association.get("SubnetId") == subnet_id), ""
    )


def _names(item: Item) -> set[str]:
    """What a resource is called: its tag Name, a security group by its own name too."""
    named = {str(tag["Value"]) for tag in item.get("Tags", []) if tag["Key"] == "Name"}
    return named | ({str(item["GroupName"])} if "GroupName" in item else set())


def _pages(client: Any, operation: str, key: str, filters: list[dict[str, Any]]) -> list[Item]:
    return [item for page in client.get_paginator(operation).paginate(Filters=filters) for item in page[key]]
