"""The picture of a stack: what is in it, what is marked, and that nothing in it covers anything else."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest
from ansible.module_utils.diagram.dot import source
from ansible.module_utils.diagram.lines import FRAMES, obstacles
from ansible.module_utils.diagram.model import Arrow, Box, Drawing, Outside, Part, Picture, Reach, Subnet, Unit
from ansible.module_utils.diagram.place import placed
from ansible.module_utils.diagram.view import NothingError, look
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.plan.model import Resource

OPERATOR, ZONES = "203.0.113.10/32", ("eu-1a", "eu-1b")
INVENTORY: dict[str, Any] = {"stack_name": "shop", "stack_region": "eu-1", "stack_operator_cidrs": [OPERATOR]}
FACTS: dict[str, Any] = {
    "subnets": {
        f"{tier}_{number}": {"id": f"subnet-{tier}-{number}", "tier": tier, "az": zone, "cidr": ""}
        for tier in ("public", "private")
        for number, zone in enumerate(ZONES, 1)
    },
    "nat_gateways": {"main": {"id": "nat-1"}},
    "launch_template": {"id": "lt-1"},
    "security_group_ids": {"balancer": "sg-b", "web": "sg-w", "database": "sg-d"},
}
PUBLIC, PRIVATE = (["subnet-public-1", "subnet-public-2"], ["subnet-private-1", "subnet-private-2"])
RAW: dict[str, Any] = {
    "groups": [
        {
            "AutoScalingGroupName": "shop",
            "Instances": [
                {"InstanceId": f"i-{number}", "LifecycleState": "InService", "HealthStatus": "Healthy", "AvailabilityZone": zone}
                for number, zone in enumerate((*ZONES, ZONES[0]))
            ],
        }
    ],
    "databases": [
        {"DBInstanceIdentifier": "shop", "DBInstanceStatus": "available", "AvailabilityZone": "eu-1b", "SecondaryAvailabilityZone": "eu-1a"}
    ],
}
FLEET = {"launch_template": "lt-1", "subnets": PRIVATE, "min_size": 2, "max_size": 4}
LIVE = {"health": {"i-0": "healthy", "i-1": "unhealthy", "i-2": "initial"}, "tasks": []}


def group(key: str, *rules: str) -> Resource:
    return Resource("security_group", key, {"ingress": dict.fromkeys(rules, ""), "egress": {}}, f"shop-{key}", f"sg-{key[0]}")


def resources() -> list[Resource]:
    """A stack that stands, in two zones."""
    subnets = [
        Resource("subnet", key, {"cidr": f"10.0.{number}.0/24", "zone": entry["az"]}, f"shop-{key}", entry["id"])
        for number, (key, entry) in enumerate(FACTS["subnets"].items())
    ]
    return [
        Resource("vpc", "vpc", {"cidr": "10.0.0.0/16"}, "shop", "vpc-1"),
        *subnets,
        Resource("nat_gateway", "main", {"subnet": "subnet-public-1"}, "shop-nat", "nat-1"),
        Resource("route_table", "private", {"routes": {"0.0.0.0/0": "nat-1"}, "subnets": PRIVATE}, "shop-private", "rtb-1"),
        group("balancer", "tcp 443 0.0.0.0/0", "tcp 80 0.0.0.0/0"),
        group("web", "tcp 80 sg-b", f"tcp 22 {OPERATOR}"),
        group("database", "tcp 5432 sg-w", "udp 53 10.0.0.0/16"),
        Resource("load_balancer", "shop", {"scheme": "internet-facing", "subnets": PUBLIC, "security_groups": ["sg-b"]}, "shop", "arn"),
        Resource("launch_template", "shop", {"instance_type": "t3.micro", "security_groups": ["sg-w"]}, "shop", "lt-1"),
        Resource("auto_scaling_group", "shop", FLEET, "shop", "arn"),
        Resource("db_subnet_group", "shop", {"subnets": PRIVATE}, id="arn"),
        Resource(
            "db_instance", "shop",
            {"engine": "postgres", "engine_version": "15", "subnet_group": "shop", "security_groups": ["sg-d"], "multi_az": True},
            "shop", "arn",
        ),
    ]  # fmt: skip


def changed(kind: str, key: str, **fields: Any) -> list[Resource]:
    return [replace(one, fields={**one.fields, **fields}) if (one.kind, one.key) == (kind, key) else one for one in resources()]


def picture(side: str = "found", wanted: list[Resource] | None = None, found: list[Resource] | None = None, **more: Any) -> Picture:
    want, have = [replace(one, id="") for one in wanted or resources()], resources() if found is None else found
    changes = compare(want, have, KINDS)
    told: Mapping[str, Any] = {"raw": RAW, "live": LIVE} if side == "found" else {}
    return look(side, have if side == "found" else want, FACTS, INVENTORY | more, changes, standing=bool(have), **told)


def part(seen: Picture, family: str) -> Part:
    return next(one for one in seen.parts if one.family == family)


def reach(seen: Picture) -> set[tuple[str, str, str, str]]:
    names = {one.key: one.title for one in seen.outside}
    return {
        (names.get(one.source, one.source.partition("/")[0]), one.target.partition("/")[0], one.ports, one.action) for one in seen.reach
    }


@pytest.mark.parametrize("side", ["wanted", "found"])
def test_it_tells_who_may_reach_whom(side: str) -> None:
    seen = picture(side)
    assert reach(seen) == {
        ("The internet", "load_balancer", "443, 80", ""),
        ("load_balancer", "auto_scaling_group", "80", ""),
        ("The operator", "auto_scaling_group", "22", ""),
        ("auto_scaling_group", "db_instance", "5432", ""),
    }
    assert [one.title for one in seen.outside] == ["The internet", "The operator"]
    assert "udp 53 open to the whole VPC" in part(seen, "database").lines


@pytest.mark.parametrize("side", ["wanted", "found"])
def test_it_tells_each_subnets_way_out(side: str) -> None:
    ways = {one.key: one.lines[-1] for one in picture(side).subnets}
    assert ways["private_1"] == "way out: NAT gateway shop-nat"
    assert "way out" not in ways["public_1"]


def test_machines_stand_in_their_zones_with_their_health() -> None:
    units = part(picture(), "fleet").units
    assert [(one.title, one.zone, one.well) for one in units] == [
        ("i-0", "eu-1a", True), ("i-1", "eu-1b", False), ("i-2", "eu-1a", None)
    ]  # fmt: skip
    assert units[1].line == "InService, unhealthy"


def test_the_database_stands_where_it_is_and_its_standby_in_the_other_zone() -> None:
    assert [(one.title, one.zone) for one in part(picture(), "database").units] == [("primary", "eu-1b"), ("standby", "eu-1a")]


def test_a_wanted_fleet_begins_with_its_smallest_number_spread_over_its_subnets() -> None:
    assert [one.subnet for one in part(picture("wanted"), "fleet").units] == ["private_1", "private_2"]


def test_nothing_is_marked_where_nothing_stands_or_nothing_would_change() -> None:
    for seen in (picture("wanted", found=[]), picture("wanted"), picture()):
        assert not [mark for one in (*seen.parts, *seen.subnets) for mark in one.marks]
        assert not [one for one in seen.reach if one.action]


def test_a_way_that_somebody_has_opened_is_marked_in_what_stands() -> None:
    opened = changed("security_group", "database", ingress={"tcp 5432 sg-w": "", "tcp 5432 0.0.0.0/0": "", "udp 53 10.0.0.0/16": ""})
    assert ("The internet", "db_instance", "5432", "foreign") in reach(picture(found=opened))
    assert not [one for one in picture("wanted", found=opened).reach if one.action]


def test_a_way_that_a_run_opens_is_marked_in_what_is_wanted() -> None:
    closed = changed("security_group", "web", ingress={"tcp 80 sg-b": ""})
    assert ("The operator", "auto_scaling_group", "22", "create") in reach(picture("wanted", found=closed))


def test_what_a_run_changes_is_marked_with_its_fields_and_what_it_makes_is_counted_where_it_is_not_seen() -> None:
    small = changed("auto_scaling_group", "shop", max_size=3)
    (mark,) = part(picture(found=small), "fleet").marks
    assert (mark.action, mark.text) == ("update", "~ update: max_size")
    less = [one for one in resources() if one.kind != "nat_gateway"]
    assert "+ create, not in the picture: nat gateway" in picture(found=less).notes


def test_strangers_are_drawn_apart() -> None:
    stranger = Resource("subnet", "subnet-x", {"cidr": "10.0.9.0/24", "zone": "eu-1a"}, "", "subnet-x", foreign=True)
    found = [*resources(), stranger]
    (seen,) = (one for one in picture(found=found).subnets if one.key == "subnet-x")
    assert (seen.tier, [mark.action for mark in seen.marks]) == ("foreign", ["foreign"])


def test_without_subnets_there_is_nothing_to_draw() -> None:
    with pytest.raises(NothingError, match="No subnet of the stack is found"):
        picture(found=[])


def wide(zones: int, machines: int, parts: int) -> Picture:
    """A picture with long names and much in it."""
    names = [f"a-region-with-a-name-{number}" for number in range(zones)]
    subnets = [
        Subnet(f"{tier}{zone}", f"a_subnet_of_the_tier_{tier}_{zone}", zone, tier, ("10.0.0.0/24",))
        for tier in ("public", "private")
        for zone in names
    ]
    private = tuple(f"private{zone}" for zone in names)
    units = tuple(
        Unit(f"i-0123456789abcdef{number}", "InService, healthy", private[number % zones], "", True) for number in range(machines)
    )
    balancer = Part("lb", "load_balancer", "Load balancer", ("line",), tuple(f"public{zone}" for zone in names))
    bastion = Part("bastion", "bastion", "Bastion", (), (f"public{names[0]}",))
    fleet = Part("fleet", "fleet", "Auto Scaling group", ("line", "line"), private, units=units)
    endpoints = [Part(f"endpoint{number}", "endpoint", f"Endpoint {number}", (), private) for number in range(parts)]
    outside = (Outside("0.0.0.0/0", "The internet", "0.0.0.0/0"), Outside(OPERATOR, "The operator", OPERATOR))
    lines = [
        ("0.0.0.0/0", "lb", "80, 443"),
        ("lb", "fleet", "8080"),
        (OPERATOR, "bastion", "22"),
        ("bastion", "fleet", "22"),
        (OPERATOR, "fleet", "22"),
    ]
    lines += [("fleet", one.key, "443") for one in endpoints] + [("bastion", one.key, "443") for one in endpoints]
    reach = tuple(Reach(*one) for one in lines)
    return Picture("big", "as found", "VPC", tuple(subnets), (balancer, bastion, fleet, *endpoints), outside, reach, "Internet gateway")


DRAWINGS = [placed(one) for one in (picture(), picture("wanted"), wide(1, 1, 0), wide(2, 11, 3), wide(3, 2, 1), wide(4, 4, 2))]


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_no_box_covers_another_that_does_not_hold_it(drawing: Drawing) -> None:
    spans = [
        box for box in drawing.boxes if box.look not in ("vpc", "zone", "subnet", "gateway")
    ]  # the others are crossed by what spans them
    covering = [(one.key, two.key) for one, two in combinations(spans, 2) if one.overlaps(two) and not (one.holds(two) or two.holds(one))]
    assert covering == []


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_every_text_has_room_in_its_box(drawing: Drawing) -> None:
    assert [
        box.key for box in drawing.boxes if box.texts and box.look != "zone" and max(text.width for text in box.texts) > box.width
    ] == []
    assert [box.key for box in drawing.boxes if sum(text.height for text in box.texts) > box.height + 1] == []


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_everything_is_in_the_picture(drawing: Drawing) -> None:
    whole = Box("", "", 0, 0, drawing.width, drawing.height)
    assert [box.key for box in (*drawing.boxes, *(arrow.label for arrow in drawing.arrows)) if not whole.holds(box)] == []


def covered(drawing: Drawing, arrow: Arrow) -> list[str]:
    """What an arrow's label stands on."""
    things = [box for box in obstacles(drawing.boxes) if box.look not in FRAMES and box.overlaps(arrow.label)]
    return [box.key for box in things] + [
        other.target for other in drawing.arrows if other is not arrow and other.label.overlaps(arrow.label)
    ]


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_no_label_covers_anything(drawing: Drawing) -> None:
    assert {(arrow.source, arrow.target): covered(drawing, arrow) for arrow in drawing.arrows if covered(drawing, arrow)} == {}


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_arrows_end_at_the_edge_of_what_they_lead_to(drawing: Drawing) -> None:
    boxes = {box.key: box for box in drawing.boxes}
    for arrow in drawing.arrows:
        (x, y), target = arrow.points[-1], boxes[arrow.target]
        assert (x in (target.x, target.right) and target.y <= y <= target.bottom) or (y == target.y and target.x <= x <= target.right)
        assert all(one[0] == two[0] or one[1] == two[1] for one, two in pairwise(arrow.points))


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_graphviz_draws_it_and_finds_no_text_too_large(drawing: Drawing) -> None:
    done = subprocess.run(["dot", "-Kneato", "-n2", "-Tsvg"], input=source(drawing), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("<g id=") > len(drawing.boxes)


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_no_arrow_runs_along_the_edge_of_the_vpc_or_outside_of_it(drawing: Drawing) -> None:
    (vpc,) = (box for box in drawing.boxes if box.look == "vpc")
    assert [arrow.target for arrow in drawing.arrows if not vpc.x < arrow.label.x < arrow.label.right < vpc.right] == []


def test_the_same_stack_is_the_same_source() -> None:
    assert source(placed(picture())) == source(placed(picture()))
    assert "10.0.3.0/24" in source(placed(picture()))
