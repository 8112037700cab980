# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done about what the plan has found and the inventory does not have: make it the stack's own, or remove it. Pure.

A choice is `{name, id, what, opens, adopt: {lines, tags, not}, remove: {how, arguments, says, not}}`. `lines` are the inventory's, to be
merged with what is there; `tags` are those that make it the stack's, on the resource `id`; `how` names a task of playbooks/tasks/remove.yml
and `arguments` are what that needs. Where one is not possible, `not` says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..stack.check_security import rules as rule_problems
from .network import ANYWHERE

Change = Mapping[str, Any]  # one of render.as_json
Variables = Mapping[str, Any]
Choice = dict[str, Any]
UNSUITED = "its layer or destroy removes it, or the inventory takes it back under the key that it had"
ROUTE_WORDS = {  # EC2's words in snake case, and those of amazon.aws.ec2_vpc_route_table
    "nat_gateway_id": "gateway_id",
    "transit_gateway_id": "transit_gateway_id",
    "vpc_peering_connection_id": "vpc_peering_connection_id",
    "network_interface_id": "network_interface_id",
    "instance_id": "instance_id",
    "gateway_id": "gateway_id",
}


def choices(changes: Sequence[Change], stack: Variables, inventory: Variables) -> list[Choice]:
    """The choices of a plan, those that open or grant something first.

    `changes` are those of the plan, `stack` the facts of stack_info, `inventory` the wanted stack's variables.
    """
    found = [choice for change in changes for choice in _of(change, stack, inventory)]
    return sorted(found, key=lambda choice: not choice["opens"])


def chosen(offered: Sequence[Choice], name: str) -> Choice | None:
    """The choice of this name, or of this id where only one has it."""
    of_name = [choice for choice in offered if choice["name"] == name]
    found = of_name or [choice for choice in offered if choice["id"] == name]
    return found[0] if len(found) == 1 else None


def _of(change: Change, stack: Variables, inventory: Variables) -> Iterator[Choice]:
    if change["action"] == "foreign":
        offer = FOREIGN.get(change["kind"], _unsuited)
        made = offer(change, {one["field"]: one["old"] for one in change["fields"]}, stack, inventory)
        yield {
            "name": named(change["kind"], change["key"]),
            "id": change["id"],
            "what": f"{change['kind']} {change['name']}: {change['effect']}",
            "opens": change["opens"],
            **made,
        }
    elif change["action"] in ("update", "replace"):
        for field in change["fields"]:
            offers = PARTS.get((change["kind"], field["field"]))
            for one in offers(change, field["old"] or {}, field["new"] or {}, stack, inventory) if offers else ():
                yield {"id": change["id"], "opens": True, **one}


def named(*parts: str) -> str:
    """A choice's name: without blanks, which `-e` would end it at."""
    return "/".join(parts).replace(" ", "/")


def key_of(name: str, taken: Variables) -> str:
    """A key for an inventory's map, made of a name; one that is not there yet."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "adopted"
    return next(key for number in range(1, len(taken) + 2) if (key := plain if number == 1 else f"{plain}_{number}") not in taken)


def adopt(lines: Variables, **tags: str) -> Choice:
    return {"lines": lines, "tags": tags, "not": ""}


def never(why: str) -> Choice:
    return {"lines": {}, "tags": {}, "not": why}


def remove(how: str, says: str, **arguments: Any) -> Choice:
    return {"how": how, "arguments": arguments, "says": says, "not": ""}


def stays(why: str) -> Choice:
    return {"how": "", "arguments": {}, "says": "", "not": why}


def _unsuited(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    return {"adopt": never(UNSUITED), "remove": stays(UNSUITED)}


def _place(change: Change, fields: Variables, inventory: Variables, variable: str, role: str) -> tuple[str, dict[str, str]]:
    """Key in the inventory's map and tags: the stack's own has them, a stranger gets them."""
    tags = fields["tags"]
    if tags.get("Stack") == inventory["stack_name"]:
        return change["key"], {}
    key = key_of(change["name"], inventory.get(variable) or {})
    return key, {**inventory["stack_tags"], "Name": tags.get("Name") or key, "Role": role or key, "Key": key}


def _subnet(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    tier = "public" if fields["public_addresses"] else "private"
    if fields["tags"].get("Stack") == inventory["stack_name"]:
        tier = fields["tags"].get("Role", tier)
    key, tags = _place(change, fields, inventory, "vpc_subnets", tier)
    entry = {"name": fields["tags"].get("Name") or key, "cidr": fields["cidr"], "az": fields["zone"], "tier": tier}
    if fields["public_addresses"] != (tier == "public"):
        entry["public_addresses"] = fields["public_addresses"]
    return {
        "adopt": adopt({"vpc_subnets": {key: entry}}, **tags),
        "remove": remove(
            "subnet", "deletes the subnet; AWS refuses while something stands in it", vpc_id=fields["vpc"], cidr=fields["cidr"]
        ),
    }


def _route_table(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    removal = remove(
        "route_table", "deletes the table, whose subnets then use the VPC's main one; of the main one itself all routes", id=change["id"]
    )
    keys = {subnet["id"]: key for key, subnet in stack["subnets"].items()}
    if fields["tags"].get("Stack") != inventory["stack_name"]:
        return {"adopt": never("each of the stack's subnets has the stack's table: say there which way is wanted"), "remove": removal}
    entry: dict[str, Any] = {"name": fields["tags"].get("Name", change["key"])}
    for route, target in fields["routes"].items():
        way = _way(route, target, stack)
        if not way:
            return {"adopt": never(f"the inventory has no word for a route to {route} by {target}"), "remove": removal}
        entry |= way
    subnets = [keys.get(one, "") for one in fields["subnets"]]
    if not all(subnets) or not subnets:
        return {"adopt": never("no subnet of the stack uses it"), "remove": removal}
    return {"adopt": adopt({"vpc_route_tables": {change["key"]: {**entry, "subnets": subnets}}}), "remove": removal}


def _way(route: str, target: str, stack: Variables) -> dict[str, Any]:
    """A route in the inventory's words, which has default routes to the stack's own gateways only; empty for any other."""
    gateways = {gateway["id"]: key for key, gateway in stack["nat_gateways"].items()}
    if route != ANYWHERE:
        return {}
    if target == stack["igw_id"]:
        return {"internet": True}
    return {"nat_gateway": gateways[target]} if target in gateways else {}


def _security_group(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    if fields["name"] == "default":
        return {
            "adopt": never("the default group is AWS's: put machines into a group of their own"),
            "remove": remove(
                "rules",
                "takes away all that it lets in; AWS does not let it be deleted",
                id=change["id"],
                way="ingress",
                rules=[*fields["ingress"]],
            ),
        }
    removal = remove("security_group", "deletes the group; AWS refuses while something has it", id=change["id"])
    key, tags = _place(change, fields, inventory, "security_groups_map", "")
    entry: dict[str, Any] = {"name": fields["name"], "description": fields["description"]}
    for way in ("ingress", "egress"):
        if way == "egress" and fields[way].keys() == {f"all {ANYWHERE}"}:
            continue  # what a group without the word has
        entry[way] = []
        for words, text in fields[way].items():
            rule, problem = _rule(words, text, way, stack, inventory)
            if problem:
                return {"adopt": never(problem), "remove": removal}
            entry[way].append(rule)
    return {"adopt": adopt({"security_groups_map": {key: entry}}, **tags), "remove": removal}


def _rule(words: str, text: str, way: str, stack: Variables, inventory: Variables) -> tuple[dict[str, Any], str]:
    """A rule of the plan in the inventory's words, and why the inventory cannot have it."""
    keys = {identity: key for key, identity in stack["security_group_ids"].items()}
    match = re.fullmatch(r"(tcp|udp) (\d+) (\S+)", words)
    source = match[3] if match else ""
    if not match or (source.startswith(("sg-", "pl-")) and source not in keys):
        return {}, f"the inventory has no word for the rule {words}: it has single ports of tcp and udp, its own groups and IPv4 ranges"
    rule: dict[str, Any] = {"port": int(match[2])} | ({"protocol": match[1]} if match[1] != "tcp" else {})
    rule |= {"description": text} if text else {}
    rule |= {"group": keys[source]} if source in keys else {"cidrs": [source]}
    whole = {"group": None, "cidrs": None, **rule}
    return rule, next(rule_problems(f"{way} {words}", whole, set(inventory.get("security_groups_map") or {}), way), "")


def _endpoint(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    removal = remove("vpc_endpoint", "deletes the endpoint", id=change["id"])
    groups, tables = ({identity: key for key, identity in stack[name].items()} for name in ("security_group_ids", "route_table_ids"))
    tiers = [tier for tier, subnets in stack["subnet_ids"].items() if sorted(subnets) == sorted(fields["subnets"])]
    key, _tags = _place(change, fields, inventory, "vpc_endpoints_map", "network")
    entry: dict[str, Any] = {"name": fields["tags"].get("Name") or key, "service": fields["service"].split(".", 3)[-1]}
    if fields["type"] == "Interface":
        group = next((groups.get(one) for one in fields["security_groups"]), None)
        if not tiers or not group or len(fields["security_groups"]) > 1:
            why = "the inventory's endpoints stand in all subnets of a tier, with one group of the stack"
            return {"adopt": never(why), "remove": removal}
        entry |= {"tier": tiers[0], "security_group": group}
        entry |= {} if fields["private_dns"] else {"private_dns": False}
    elif fields["type"] == "Gateway" and fields["route_tables"] and all(table in tables for table in fields["route_tables"]):
        entry |= {"type": "gateway", "route_tables": [tables[table] for table in fields["route_tables"]]}
    else:
        return {"adopt": never("the inventory's gateway endpoints are in route tables of the stack"), "remove": removal}
    # A run takes it up by its service. Tagged before the inventory has it, it would be taken away by the next run.
    return {"adopt": adopt({"vpc_endpoints_map": {key: entry}}), "remove": removal}


def _parameter(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    removal = remove("parameter", "deletes the parameter; machines that have started keep the variable", name=change["id"])
    path, _, name = change["key"].rpartition("/")
    if path != inventory.get("stack_parameters_path"):
        return {"adopt": never(f"it is not below {inventory.get('stack_parameters_path')}"), "remove": removal}
    if fields["type"] == "SecureString":  # a generated value is made once: what is there stays
        return {"adopt": adopt({"parameters_generated": {name: 40}}), "remove": removal}
    if fields["type"] != "String":
        return {"adopt": never(f"the inventory has no word for a parameter of type {fields['type']}"), "remove": removal}
    return {"adopt": adopt({"stack_parameters": {name: fields["value"]}}), "remove": removal}


def _subscription(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    protocol, _, address = change["key"].partition("/")[2].partition(" ")
    wanted = adopt({"watch_emails": [address]}) if protocol == "email" else never("the inventory has e-mail addresses only")
    return {"adopt": wanted, "remove": stays("it waits for its confirmation, has no ARN yet, and AWS deletes it by itself without one")}


def _repository_policy(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    return {
        "adopt": never("the stack's repository is its own account's alone"),
        "remove": remove("repository_policy", "takes the policy away", name=change["key"]),
    }


def _log_bucket_rule(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    removal = remove("lifecycle_rule", "takes the rule away", bucket=fields["bucket"], rule=change["key"])
    if fields["rule"].get("Filter", {}).get("And") or change["key"].startswith("rule "):
        removal = stays("the rule has no name, or a filter that the module cannot keep beside others: take it away in the console")
    return {"adopt": never("log_bucket_keep_days is the one rule that the inventory has"), "remove": removal}


def _instance(change: Change, fields: Variables, stack: Variables, inventory: Variables) -> Choice:
    group = fields.get("group")
    removal = remove("instance", "ends the machine for ever, with what is on its disks that end with it", id=change["id"])
    if group:
        removal = stays(f"the Auto Scaling group {group} would start another one: delete that group first")
    return {"adopt": never("no layer makes single machines: the fleet's come from its launch template"), "remove": removal}


FOREIGN: dict[str, Callable[[Change, Variables, Variables, Variables], Choice]] = {
    "subnet": _subnet,
    "route_table": _route_table,
    "security_group": _security_group,
    "vpc_endpoint": _endpoint,
    "parameter": _parameter,
    "subscription": _subscription,
    "repository_policy": _repository_policy,
    "log_bucket_rule": _log_bucket_rule,
    "instance": _instance,
}


def _rules(way: str) -> Callable[..., Iterator[Choice]]:
    def offered(change: Change, old: Variables, new: Variables, stack: Variables, inventory: Variables) -> Iterator[Choice]:
        for words in sorted(old.keys() - new.keys()):
            rule, problem = _rule(words, old[words], way, stack, inventory)
            yield {
                "name": named("rule", change["key"], way, words),
                "what": f"{way} rule {words} of security_group {change['name']}",
                "adopt": never(problem) if problem else adopt({"security_groups_map": {change["key"]: {way: [rule]}}}),
                "remove": remove("rules", "takes this one rule away", id=change["id"], way=way, rules=[words]),
            }

    return offered


def _routes(change: Change, old: Variables, new: Variables, stack: Variables, inventory: Variables) -> Iterator[Choice]:
    for route in sorted(one for one in old if one not in new):
        way = _way(route, old[route], stack)
        why = f"the inventory has no word for a route to {route} by {old[route]}: it has default routes to the stack's gateways"
        yield {
            "name": named("route", change["key"], route),
            "what": f"route to {route} by {old[route]} in route_table {change['name']}",
            "adopt": adopt({"vpc_route_tables": {change["key"]: way}}) if way else never(why),
            "remove": remove("route", "takes this one route away", id=change["id"], destination=route),
        }


def routes_without(routes: Sequence[Variables], destination: str) -> list[dict[str, str]]:
    """The routes of a table without one, from the words of ec2_vpc_route_table_info to those of ec2_vpc_route_table.

    Every table's local route and those of gateway endpoints are not the module's.
    """
    left = []
    for route in routes:
        dest = route.get("destination_cidr_block") or route.get("destination_ipv6_cidr_block")
        word = next((word for word in ROUTE_WORDS if route.get(word)), "")
        if dest and word and dest != destination and route[word] != "local":
            left.append({"dest": dest, ROUTE_WORDS[word]: route[word]})
    return left


def _managed(change: Change, old: Sequence[str], new: Sequence[str], stack: Variables, inventory: Variables) -> Iterator[Choice]:
    ours = change["key"] == inventory.get("stack_role_name") and inventory.get("stack_compute") == "fleet"
    why = "its layer names this role's policies, the inventory does not"
    for policy in sorted(one for one in old if one not in new):
        yield {
            "name": named("policy", change["key"], policy.rpartition("/")[2]),
            "what": f"managed policy {policy} on role {change['name']}",
            "adopt": adopt({"iam_managed_policies": [policy]}) if ours else never(why),
            "remove": remove("managed_policy", "detaches it from this role", role=change["key"], policy=policy),
        }


def _inline(change: Change, old: Variables, new: Variables, stack: Variables, inventory: Variables) -> Iterator[Choice]:
    for policy in sorted(old.keys() - new.keys()):
        yield {
            "name": named("policy", change["key"], policy),
            "what": f"inline policy {policy} on role {change['name']}",
            "adopt": never("a role of the stack has one inline policy, made of what its layer names"),
            "remove": remove("inline_policy", "deletes it", role=change["key"], policy=policy),
        }


def _subscriptions(change: Change, old: Sequence[str], new: Sequence[str], stack: Variables, inventory: Variables) -> Iterator[Choice]:
    for one in sorted(one for one in old if one not in new):
        protocol, _, address = one.partition(" ")
        yield {
            "name": named("subscription", change["key"], one),
            "what": f"subscription of {one} to topic {change['name']}",
            "adopt": adopt({"watch_emails": [address]}) if protocol == "email" else never("the inventory has e-mail addresses only"),
            "remove": stays("playbooks/watch.yml ends it with all others that the inventory does not have"),
        }


def _public(change: Change, old: Variables, new: Variables, stack: Variables, inventory: Variables) -> Iterator[Choice]:
    if any(old.get(word) != value for word, value in new.items()):
        bucket = change["id"].rpartition(":")[2]
        yield {
            "name": named("public_access", bucket),
            "what": f"public access to {change['kind']} {bucket}, which is not blocked",
            "adopt": never("a bucket of the stack is never public"),
            "remove": remove("public_access", "blocks it", bucket=bucket),
        }


PARTS: dict[tuple[str, str], Callable[..., Iterator[Choice]]] = {
    ("security_group", "ingress"): _rules("ingress"),
    ("security_group", "egress"): _rules("egress"),
    ("route_table", "routes"): _routes,
    ("role", "managed_policies"): _managed,
    ("role", "inline_policies"): _inline,
    ("topic", "subscriptions"): _subscriptions,
    ("bucket", "public_access"): _public,
    ("log_bucket", "public_access"): _public,
}
