# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can reach whom, and by which rule and route: answers from one side's resources, wanted or found, in the same words. Pure.

Amazon VPC User Guide, "Security groups" (rules only allow, and answers may leave as they came), "Route tables" (within the VPC everything
is routed), "Internet gateways" (who is called from outside, or calls without a NAT gateway, needs a public address), "NAT gateways";
AWS PrivateLink Guide, "Access an AWS service" (private DNS leads a service's own name to its endpoint, and to nothing else) and
"Gateway endpoints". Network ACLs, IPv6 and what a single machine was given besides its launch template are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Network
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..stack.check_reach import INTERNET, PARTS, is_range
from .compare import shown
from .reach_world import Endpoint, Part, Subnet, World

ANYWHERE = IPv4Network("0.0.0.0/0")
# What no address of the internet is in: RFC 1918, RFC 6598, and RFC 6890's loopback and link-local.
INNER = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
)
GATEWAYS = ("igw-", "<internet_gateway/")  # how ids begin, and what stands for one that comes later
HTTPS = 443  # what AWS's services are asked on
REMEDIES = {
    ("wanted", False): "Take the rule out of security_groups_map or the route out of vpc_route_tables, or say reachable: true in",
    ("wanted", True): "Add the rule to security_groups_map or what is missing of the network, or say reachable: false in",
    ("found", False): "A run of site.yml takes away what the inventory does not have of it; what it has, change there, or in",
    ("found", True): "A run of site.yml puts back what the inventory has of it; what it does not have, add there, or change",
}
Verdict = tuple[bool, bool, str]  # reachable, only partly so, why


@dataclass(frozen=True)
class Answer:
    """Whether `source` reaches `target` on `port`; `partly`, only from some addresses or subnets. `reason` names rules and routes."""

    source: str
    target: str
    port: int
    reachable: bool
    partly: bool
    reason: str


@dataclass(frozen=True)
class Way:
    """How a subnet leaves for the internet; `kind` is internet_gateway, nat_gateway, other, or empty when there is no way."""

    kind: str
    words: str


@dataclass(frozen=True)
class Rule:
    """A rule of a security group, as `tcp 80-90 from` is read; `words` tell it to people."""

    protocol: str
    first: int
    last: int
    peer: str
    words: str

    @property
    def addresses(self) -> IPv4Network | None:
        return IPv4Network(self.peer) if is_range(self.peer) else None


def reachability(sides: Mapping[str, World], expected: Iterable[Mapping[str, Any]], services: Sequence[str]) -> dict[str, Any]:
    """`{answers: [...], expectations: n, broken: [...]}` of the sides `wanted` and `found`.

    `expected` and `services` as stack.check_reach tells them. An expectation of something that a side does not have is not counted there.
    A broken one has, besides the answer's fields, what was `expected` and a `message` with what to do.
    """
    told, broken, count = list[dict[str, Any]](), list[dict[str, Any]](), 0
    stated = list(expected)
    for side, world in sides.items():
        told += [{"side": side, **_plain(answer)} for answer in answers(world, services)]
        for entry in stated:
            wish = boolean(entry["reachable"])
            for answer in ask(world, str(entry["from"]), str(entry["to"]), entry.get("port")):
                count += 1
                if not holds(answer, wish):
                    broken.append({"side": side, **_plain(answer), "expected": wish, "message": shown(sentence(side, answer, wish))})
    return {"answers": told, "expectations": count, "broken": broken}


def holds(answer: Answer, wish: bool) -> bool:
    """Whether an answer is as it is wished: reachable from everywhere, or from nowhere."""
    return answer.reachable and not answer.partly if wish else not answer.reachable


def sentence(side: str, answer: Answer, wish: bool) -> str:
    """What is wrong with an answer, and what to do."""
    verb = "shall reach" if wish else "must not reach"
    does = ("and does only partly" if answer.reachable else "and does not") if wish else "and does"
    return (
        f"{answer.source} {verb} {answer.target} on port {answer.port}, {does} ({side}): {answer.reason}. "
        f"{REMEDIES[side, wish]} stack_reachability"
    )


def _plain(answer: Answer) -> dict[str, Any]:
    words = asdict(answer) | {"reason": shown(answer.reason)}
    return {"from": words.pop("source"), "to": words.pop("target"), **words}


def answers(world: World, services: Iterable[str]) -> list[Answer]:
    """Everything that is asked of every stack; what is not there is not asked."""
    return [answer for source, target in _questions(world, list(services)) for answer in ask(world, source, target)]


def _questions(world: World, services: Sequence[str]) -> Iterator[tuple[str, str]]:
    for source, targets in (
        (INTERNET, ("load_balancer", "app", "database")), ("load_balancer", ("app", "database")), ("app", ("database", INTERNET)),
        ("bastion", ("app", "database")),
    ):  # fmt: skip
        yield from ((source, target) for target in targets)
    for subnet in (world.subnets[identity] for identity in world.shown):
        yield subnet.key, INTERNET
        if way_out(world, subnet).kind != "internet_gateway":
            yield from ((subnet.key, service) for service in services)


def ask(world: World, source: str, target: str, port: int | None = None) -> Iterator[Answer]:
    """The answers for a source and a target in the words of stack_reachability, one for each of the target's own ports unless one is given.

    No answer when one of the two is not there. What is not a part is asked on the port of HTTPS.
    """
    part = world.parts.get(target)
    if target in PARTS and part is None:
        return
    for number in [port] if port else part.ports if part else (HTTPS,):
        verdict = _verdict(world, source, target, number)
        if verdict:
            yield Answer(source, target, number, *verdict)


def _verdict(world: World, source: str, target: str, port: int) -> Verdict | None:
    part, inner = world.parts.get(target), world.parts.get(source)
    if part and (source == INTERNET or is_range(source)):
        return _from_outside(world, source, part, port)
    if part and inner:
        return _between(world, inner, part, port)
    if inner is None:
        subnet = next((one for one in world.subnets.values() if one.key == source), None)
        inner = Part((), (subnet.id,), ()) if subnet else None
    if inner is None or part:
        return None
    anybody = source not in PARTS  # a subnet: whoever is in it
    return _leaving(world, inner, port, anybody) if target == INTERNET else _to_service(world, inner, target, port, anybody)


def _from_outside(world: World, source: str, part: Part, port: int) -> Verdict:
    """From addresses of the internet: a rule lets them in, there is a public address, and its subnet leads to the internet gateway."""
    asked = IPv4Network(source) if is_range(source) else ANYWHERE

    def outer(rule: Rule) -> bool:
        if rule.addresses is None:  # addresses behind a prefix list are not read
            return rule.peer.startswith("pl-")
        if source != INTERNET:
            return asked.subnet_of(rule.addresses)
        return not any(rule.addresses.subnet_of(inner) for inner in (*INNER, *world.own))

    rules = [rule for rule in rules_of(world, part.groups, "ingress", port) if outer(rule)]
    ways = {subnet: way_in(world, subnet) for subnet in _subnets(world, part)}
    led = [subnet for subnet, way in ways.items() if way.kind]
    addressed = [subnet for subnet in led if _addressed(part, subnet)]
    whole = any(rule.addresses is not None and asked.subnet_of(rule.addresses) for rule in rules)
    opened = [f"{rule.words} lets it in" for rule in rules] + _each(ways[subnet].words for subnet in led)
    closed = [] if rules else [f"no rule of {_titles(world, part.groups)} lets it in on port {port}"]
    if not led:
        closed += _each(way.words for way in ways.values()) or ["it has no subnet"]
    elif not addressed:
        closed.append("it has no public address")
    return _judged(closed, opened, partly=not whole or len(addressed) < len(ways))


def _between(world: World, source: Part, target: Part, port: int) -> Verdict:
    """Within the VPC everything is routed; the target's groups let the source in, and the source's groups let it out."""
    targets = [subnet.network for subnet in _subnets(world, target)]
    out = [
        rule
        for rule in rules_of(world, source.groups, "egress", port)
        if rule.peer in target.groups or (targets and _covers(rule, targets))
    ]
    rules = rules_of(world, target.groups, "ingress", port)
    everybody = [rule for rule in rules if rule.peer in source.groups]
    subnets = _subnets(world, source)
    some = {subnet: [rule for rule in rules if _covers(rule, [subnet.network])] for subnet in subnets}
    admitted = everybody or [rule for subnet in subnets for rule in some[subnet]]
    closed = [] if admitted else [f"no rule of {_titles(world, target.groups)} lets it in on port {port}"]
    closed += [] if out else [f"no rule of {_titles(world, source.groups)} lets it out on port {port}"]
    return _judged(closed, _each(f"{rule.words} lets it in" for rule in admitted), partly=not (everybody or all(some.values())))


def _leaving(world: World, source: Part, port: int, anybody: bool) -> Verdict:
    """To the internet: a rule lets it out, and each of its subnets has a way."""
    out = [rule for rule in rules_of(world, source.groups, "egress", port) if rule.peer == str(ANYWHERE)]
    closed = [] if out or anybody else [f"no rule of {_titles(world, source.groups)} lets it out on port {port}"]
    ways = {subnet: way_out(world, subnet) for subnet in _subnets(world, source)}
    opened, shut = list[str](), list[str]()
    for subnet, way in ways.items():
        if way.kind == "internet_gateway" and not anybody and not _addressed(source, subnet):
            shut.append(f"{way.words}, but it has no public address there")
        else:
            (opened if way.kind else shut).append(way.words + (", for what has a public address" if _wants_address(way, anybody) else ""))
    return _judged(closed + (_each(shut) if not opened else []), _each(opened), partly=bool(shut), missing=_each(shut))


def _wants_address(way: Way, anybody: bool) -> bool:
    return anybody and way.kind == "internet_gateway"


def _to_service(world: World, source: Part, service: str, port: int, anybody: bool) -> Verdict:
    """To a service of AWS: by the gateway endpoint in the subnet's route table, by an endpoint that has its name, or by the internet."""
    ours = [endpoint for endpoint in world.endpoints if endpoint.service == service]
    out = rules_of(world, source.groups, "egress", port)
    opened, shut, elsewhere = list[str](), list[str](), list[str]()
    for subnet in _subnets(world, source):
        gateway = next((one for one in ours if one.gateway and subnet.table_id in one.tables), None)
        named = next((one for one in ours if not one.gateway and one.named), None)
        if gateway:
            way = f"gateway endpoint {gateway.title} in route table {subnet.table}"
            leaves = anybody or any(rule.peer == str(ANYWHERE) or rule.peer.startswith("pl-") for rule in out)
            (opened if leaves else shut).append(way if leaves else f"{way}, but no rule of {_titles(world, source.groups)} lets it out")
        elif named:
            reached, words = _at_endpoint(world, source, subnet, named, port, anybody)
            leaves = anybody or any(rule.peer in named.groups or _covers(rule, world.own) for rule in out)
            (opened if reached and leaves else shut).append(
                words if leaves else f"{words}, but no rule of {_titles(world, source.groups)} lets it out"
            )
        else:
            elsewhere.append(subnet.id)
    if elsewhere:
        reachable, partly, why = _leaving(world, Part(source.groups, tuple(elsewhere), (), source.public), port, anybody)
        (opened if reachable else shut).append(f"no endpoint for it, but {why}" if reachable else f"no endpoint for it, and {why}")
        shut += ["in some subnets no way to the internet"] if partly else []
    return _judged([] if opened else _each(shut), _each(opened), partly=bool(shut), missing=_each(shut))


def _at_endpoint(world: World, source: Part, subnet: Subnet, endpoint: Endpoint, port: int, anybody: bool) -> tuple[bool, str]:
    """Whether the groups of an interface endpoint let who is in a subnet in, and by which rule."""
    for rule in rules_of(world, endpoint.groups, "ingress", port):
        by_group = rule.addresses is None and (anybody or rule.peer in source.groups)
        if by_group or _covers(rule, [subnet.network]):
            whom = f", for what has security group {_title(world, rule.peer)}" if by_group and anybody else ""
            return True, f"endpoint {endpoint.title}, {rule.words} lets it in{whom}"
    return False, f"endpoint {endpoint.title} has its name, and no rule of {_titles(world, endpoint.groups)} lets it in on port {port}"


def way_out(world: World, subnet: Subnet) -> Way:
    """Where a subnet's routes lead to the internet, and in which zone its NAT gateway is."""
    routes = {to: by for to, by in subnet.routes.items() if is_range(to) and _outer(IPv4Network(to), world)}
    if not routes:
        return Way("", f"route table {subnet.table} has no route to the internet")
    to = str(ANYWHERE) if str(ANYWHERE) in routes else next(iter(routes))
    by = routes[to]
    words = f"route {to} of route table {subnet.table} leads to"
    if by.startswith(GATEWAYS):
        return Way("internet_gateway", f"{words} the internet gateway")
    if not by.startswith(("nat-", "<nat_gateway/")):
        return Way("other", f"{words} {by}, behind which nothing is looked at")
    if by not in world.gates:
        return Way("nat_gateway", f"{words} NAT gateway {by}, which is not the stack's")
    title, place = world.gates[by]
    stands = world.subnets.get(place)
    if stands is None:
        return Way("nat_gateway", f"{words} NAT gateway {title}")
    if way_out(world, stands).kind != "internet_gateway":
        return Way("", f"{words} NAT gateway {title}, whose subnet {stands.key} has no route to the internet gateway")
    where = "its own zone" if stands.zone == subnet.zone else f"{stands.zone}, another zone than its own {subnet.zone}"
    return Way("nat_gateway", f"{words} NAT gateway {title} in {where}")


def way_in(world: World, subnet: Subnet) -> Way:
    """Whether answers to the internet find their way: any route to the internet gateway lets some of its addresses in."""
    for to, by in sorted(subnet.routes.items()):
        if by.startswith(GATEWAYS) and is_range(to) and _outer(IPv4Network(to), world):
            return Way("internet_gateway", f"route {to} of route table {subnet.table} leads to the internet gateway")
    return Way("", f"route table {subnet.table} has no route to an internet gateway")


def rules_of(world: World, groups: Iterable[str], way: str, port: int) -> list[Rule]:
    """The rules of groups that allow TCP on a port, `way` being ingress or egress; of a group that is not read, none."""
    result = []
    for group in (world.groups[identity] for identity in groups if identity in world.groups):
        for text in group.ingress if way == "ingress" else group.egress:
            protocol, *ports, peer = text.split(" ")
            first, _, last = (ports[0] if ports else "0-65535").partition("-")
            words = " ".join([protocol, *ports, "from" if way == "ingress" else "to", _title(world, peer)])
            rule = Rule(protocol, int(first), int(last or first), peer, f"rule `{words}` of security group {group.title}")
            if protocol in ("all", "tcp") and rule.first <= port <= rule.last:
                result.append(rule)
    return result


def _outer(addresses: IPv4Network, world: World) -> bool:
    return not any(addresses.subnet_of(inner) for inner in (*INNER, *world.own))


def _covers(rule: Rule, networks: Iterable[IPv4Network]) -> bool:
    return rule.addresses is not None and all(one.subnet_of(rule.addresses) for one in networks)


def _addressed(part: Part, subnet: Subnet) -> bool:
    return subnet.public_addresses if part.public is None else part.public


def _subnets(world: World, part: Part) -> list[Subnet]:
    return [world.subnets[identity] for identity in part.subnets if identity in world.subnets]


def _title(world: World, identity: str) -> str:
    return world.groups[identity].title if identity in world.groups else identity


def _titles(world: World, groups: Iterable[str]) -> str:
    named = ", ".join(_title(world, identity) for identity in groups)
    return f"security group {named}" if named else "any security group"


def _each(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _judged(closed: Sequence[str], opened: Sequence[str], *, partly: bool, missing: Sequence[str] = ()) -> Verdict:
    """Closed by what is closed, with what is open all the same; else open, with what is missing for some."""
    if closed:
        return False, False, "; ".join(closed) + (f" (though {'; '.join(opened)})" if opened else "")
    return True, partly, "; ".join(opened) + (f" (but {'; '.join(missing)})" if missing else "")
