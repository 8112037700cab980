"""Security groups become rules that allow what the groups allow, and nothing else."""

from __future__ import annotations

from lab.network.security_groups import members, ruleset
from lab.world import Interface, Machine, Rule, SecurityGroup, World

EVERYTHING_OUT = (Rule("-1", None, None, ("0.0.0.0/0",)),)


def machine(identity: str, address: str, *groups: str) -> Machine:
    interface = Interface(f"eni-{identity}", "vpc-1", "subnet-1", address, "02:00:00:00:00:01", frozenset(groups))
    return Machine(identity, "instance", "image", (interface,), identity)


def world(groups: list[SecurityGroup], machines: list[Machine]) -> World:
    return World({}, {group.id: group for group in groups}, {found.id: found for found in machines})


def ingress(text: str) -> str:
    return text.split("chain ingress")[1].split("}\n  chain")[0]


def test_a_rule_that_names_a_group_means_the_addresses_of_its_members() -> None:
    web = machine("i-web", "10.0.0.4", "sg-web")
    balancer = machine("lb", "10.0.0.9", "sg-alb")
    group = SecurityGroup("sg-web", "vpc-1", (Rule("tcp", 80, 80, (), ("sg-alb",)),), EVERYTHING_OUT)
    assert "ip saddr { 10.0.0.9 } tcp dport 80 accept" in ruleset(web, world([group], [web, balancer]))


def test_a_group_without_members_opens_nothing() -> None:
    web = machine("i-web", "10.0.0.4", "sg-web")
    group = SecurityGroup("sg-web", "vpc-1", (Rule("tcp", 80, 80, (), ("sg-alb",)),), EVERYTHING_OUT)
    assert "dport 80" not in ruleset(web, world([group], [web]))


def test_what_no_rule_allows_is_dropped_in_both_directions() -> None:
    alone = machine("i-1", "10.0.0.4", "sg-none")
    text = ruleset(alone, world([SecurityGroup("sg-none", "vpc-1", (), ())], [alone]))
    assert text.count("policy drop;") == 2
    assert "0.0.0.0" not in text  # noqa: S104 a range in a rule, nothing binds


def test_groups_on_one_machine_add_up() -> None:
    both = machine("i-1", "10.0.0.4", "sg-a", "sg-b")
    groups = [
        SecurityGroup("sg-a", "vpc-1", (Rule("tcp", 22, 22, ("203.0.113.10/32",)),), ()),
        SecurityGroup("sg-b", "vpc-1", (Rule("tcp", 8000, 8010, ("10.0.0.0/16",)),), ()),
    ]
    text = ruleset(both, world(groups, [both]))
    assert "ip saddr { 203.0.113.10/32 } tcp dport 22 accept" in text
    assert "ip saddr { 10.0.0.0/16 } tcp dport 8000-8010 accept" in text


def test_everyone_needs_no_address_match() -> None:
    open_to_all = machine("i-1", "10.0.0.4", "sg-a")
    text = ruleset(open_to_all, world([SecurityGroup("sg-a", "vpc-1", (Rule("tcp", 80, 80, ("0.0.0.0/0",)),), ())], [open_to_all]))
    assert "    tcp dport 80 accept" in ingress(text)


def test_dns_and_metadata_are_reached_whatever_the_groups_say() -> None:
    closed = machine("i-1", "10.0.0.4", "sg-none")
    text = ruleset(closed, world([SecurityGroup("sg-none", "vpc-1", (), ())], [closed]))
    assert "ip daddr 169.254.169.0/24 accept" in text


def test_members_of_another_vpc_do_not_count() -> None:
    here = machine("i-1", "10.0.0.4", "sg-a")
    elsewhere = Machine("i-2", "instance", "image", (Interface("eni-2", "vpc-2", "s", "10.0.0.4", "m", frozenset({"sg-b"})),), "i-2")
    group = SecurityGroup("sg-a", "vpc-1", (Rule("tcp", 80, 80, (), ("sg-b",)),), ())
    assert "dport 80" not in ruleset(here, world([group], [here, elsewhere]))


def test_every_address_of_a_member_is_listed_once_in_order() -> None:
    assert members([machine("a", "10.0.0.9", "sg"), machine("b", "10.0.0.4", "sg")]) == {"sg": ["10.0.0.4", "10.0.0.9"]}
