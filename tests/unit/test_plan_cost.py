"""The monthly estimate, in numbers reckoned by hand from the price table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from ansible.module_utils.plan import render
from ansible.module_utils.plan.cost import as_text, estimate
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.plan.model import Resource, Unknown, later
from ansible.module_utils.plan.prices import TABLE, Prices, table

TOKYO, VIRGINIA = "ap-northeast-1", "us-east-1"
PRICES = table()
TODAY = PRICES.dated


def cost(
    wanted: list[Resource], found: list[Resource] | None = None, region: str = TOKYO, today: date = TODAY, prices: Prices = PRICES
) -> dict[str, Any]:
    return estimate(wanted, found or [], {"nat_gateway", "elastic_address", "vpc_endpoint"}, region, prices, today)


def after(*wanted: Resource, region: str = TOKYO) -> tuple[float, float]:
    told = cost(list(wanted), region=region)
    assert told["unknown"] == []
    return told["after"]["min"], told["after"]["max"]


def database(**fields: Any) -> Resource:
    given = {"instance_class": "db.t4g.micro", "engine": "mysql", "multi_az": False, "allocated_storage": 20, "storage_type": "gp2"}
    return Resource("db_instance", "db", given | fields)


def fleet(**fields: Any) -> Resource:
    return Resource("auto_scaling_group", "web", {"min_size": 2, "max_size": 4} | fields)


TEMPLATE = Resource("launch_template", "web", {"instance_type": "t3.micro", "volumes": {"/dev/xvda": {"size": 10, "type": "gp3"}}})
SERVICE = (
    Resource("ecs_service", "meibo", {"public_addresses": False}),
    Resource("task_definition", "meibo", {"cpu": 256, "memory": 512}),
    Resource("ecs_scaling", "meibo", {"min_tasks": 2, "max_tasks": 4}),
)
BASTION = Resource("bastion", "bastion", {"type": "t3.nano", "volumes": {"/dev/xvda": {"size": 8, "type": "gp3"}}})
BALANCER = Resource("load_balancer", "alb", {"scheme": "internet-facing", "subnets": ["a", "b"]})


@pytest.mark.parametrize(
    ("wanted", "region", "low", "high"),
    [
        ([database()], TOKYO, 21.01, 21.01),  # 0.025 * 730 + 20 * 0.138
        ([database(multi_az=True)], TOKYO, 42.02, 42.02),
        ([database(engine="postgres", instance_class="db.t4g.small", storage_type="gp3")], VIRGINIA, 25.66, 25.66),
        ([database(instance_class="db.t3.micro", storage_type="standard", allocated_storage=5)], VIRGINIA, 12.91, 12.91),
        ([fleet(), TEMPLATE], TOKYO, 21.78, 43.55),  # 2 and 4 of 0.0136 * 730 + 10 * 0.096
        ([fleet(instance_types=["t2.nano"], min_size=1, max_size=2), TEMPLATE], TOKYO, 6.51, 13.02),
        (
            [fleet(instance_types=["t2.nano", "t3.micro"], min_size=1, max_size=1), TEMPLATE],
            TOKYO,
            6.51,
            10.89,
        ),  # either
        ([fleet(min_size=0, max_size=0), TEMPLATE], TOKYO, 0, 0),
        ([*SERVICE], TOKYO, 22.49, 44.98),  # 2 and 4 of (0.25 * 0.05056 + 0.5 * 0.00553) * 730
        ([SERVICE[0], *SERVICE[1:], Resource("nat_gateway", "a", {}), Resource("elastic_address", "a", {})], TOKYO, 71.4, 93.89),
        ([BALANCER], TOKYO, 25.04, 25.04),  # (0.0243 + 2 * 0.005) * 730
        ([Resource("load_balancer", "alb", {"scheme": "internal", "subnets": ["a", "b"]})], VIRGINIA, 16.43, 16.43),
        ([Resource("vpc_endpoint", "s", {"type": "Interface", "subnets": ["a", "b"]})], VIRGINIA, 14.6, 14.6),
        ([Resource("vpc_endpoint", "s3", {"type": "Gateway", "subnets": []})], VIRGINIA, 0, 0),
        ([Resource("secret", "s", {}), Resource("alarm", "a", {}), Resource("dashboard", "d", {})], TOKYO, 3.5, 3.5),
        ([Resource("scaling_policy", "out", {"alarm": {"threshold": 70.0}}), Resource("scaling_policy", "cpu", {})], TOKYO, 0.1, 0.1),
        ([BASTION], VIRGINIA, 4.44, 4.44),  # 0.0052 * 730 + 8 * 0.08
        ([replace(BASTION, fields={**BASTION.fields, "state": "stopped"})], VIRGINIA, 0.64, 0.64),
        ([Resource("instance", "i-1", {"type": "t2.small", "state": "running"})], TOKYO, 22.19, 22.19),
        ([Resource("vpc", "vpc", {}), Resource("role", "web", {})], TOKYO, 0, 0),
    ],
)
def test_each_kind_costs_what_the_table_says(wanted: list[Resource], region: str, low: float, high: float) -> None:
    assert after(*wanted, region=region) == pytest.approx((low, high), abs=0.006)


def test_machines_in_subnets_that_give_public_addresses_pay_for_them() -> None:
    subnet = Resource("subnet", "public_1", {"public_addresses": True})
    assert after(fleet(subnets=[later("subnet", "public_1")]), TEMPLATE, subnet) == pytest.approx((29.08, 58.15), abs=0.006)
    assert after(fleet(subnets=["elsewhere"]), TEMPLATE, subnet) == pytest.approx((21.78, 43.55), abs=0.006)
    assert after(Resource("ecs_service", "meibo", {"public_addresses": True}), *SERVICE[1:]) == pytest.approx((29.79, 59.58), abs=0.006)


def test_a_standing_stack_is_told_now_and_after_by_resource() -> None:
    found = [database(), Resource("nat_gateway", "main", {}, "meibo-nat"), Resource("secret", "s", {}), Resource("alarm", "old", {})]
    told = cost([database(multi_az=True), Resource("secret", "s", {}), Resource("dashboard", "d", {})], found)
    assert told["now"] == {"min": 66.77, "max": 66.77}  # 21.01 + 45.26 + 0.40 + 0.10
    assert told["after"] == {"min": 45.52, "max": 45.52}  # 42.02 + 3.00 + 0.40 + 0.10: the alarm stays, the NAT gateway is pruned
    assert told["difference"] == {"min": -21.25, "max": -21.25}
    assert {(item["kind"], item["difference"]["max"]) for item in told["resources"]} == {
        ("alarm", 0), ("dashboard", 3.0), ("db_instance", 21.01), ("nat_gateway", -45.26), ("secret", 0),
    }  # fmt: skip
    parts = next(item for item in told["resources"] if item["kind"] == "db_instance")["parts"]
    assert [part["what"] for part in parts] == ["db.t4g.micro Multi-AZ", "20 GiB of gp2"]


def test_fields_that_are_not_wanted_or_not_known_yet_stay_as_they_are() -> None:
    wanted = Resource("db_instance", "db", {"instance_class": "db.t4g.medium", "storage_type": Unknown("aws")}, borrowed=True)
    found = [database(engine="postgres"), Resource("secret", "theirs", {}, borrowed=True)]
    told = cost([wanted], found, VIRGINIA)
    assert (told["now"]["max"], told["after"]["max"], told["unknown"]) == (13.98, 49.75, [])


def test_what_is_found_by_its_name_alone_counts_where_the_stack_wants_it() -> None:
    others = Resource("alarm", "uda-cpu", {}, by_name=True)
    assert cost([], [others])["now"]["max"] == 0
    assert cost([Resource("alarm", "uda-cpu", {})], [others])["now"]["max"] == 0.1


def test_what_is_foreign_goes_on_costing() -> None:
    told = cost([], [Resource("nat_gateway", "nat-1", {}, foreign=True)])
    assert (told["now"], told["difference"]) == ({"min": 45.26, "max": 45.26}, {"min": 0, "max": 0})


@pytest.mark.parametrize(
    ("wanted", "region", "words"),
    [
        ([database(instance_class="db.m5.large")], TOKYO,
         "no price for db_instance_hour mysql db.m5.large in ap-northeast-1: db_instance db"),
        ([database(storage_type="io1")], VIRGINIA, "no price for db_storage_gb_month io1 in us-east-1: db_instance db"),
        ([database(engine="oracle-ee")], VIRGINIA, "no price for db_instance_hour oracle-ee db.t4g.micro in us-east-1: db_instance db"),
        ([fleet(instance_types=["t3.micro", "m7i.large"]), TEMPLATE], TOKYO,
         "no price for instance_hour m7i.large in ap-northeast-1: auto_scaling_group web"),
        ([fleet()], TOKYO, "no known instance type: auto_scaling_group web"),
        ([Resource("secret", "s", {}), Resource("alarm", "a", {})], "eu-west-1", "no prices for the region eu-west-1: secret s, alarm a"),
        ([Resource("secret", "s", {})], "", "no prices for the region that is not told: secret s"),
        ([SERVICE[0]], TOKYO, "no known task definition or scaling: ecs_service meibo"),
        ([database(instance_class=Unknown("x"))], TOKYO, "no known instance class: db_instance db"),
    ],
)  # fmt: skip
def test_what_the_table_does_not_know_is_told_and_never_guessed(wanted: list[Resource], region: str, words: str) -> None:
    told = cost(wanted, region=region)
    assert told["unknown"] == [words]
    assert f"  not counted: {words}" in as_text(told)


def test_an_old_table_warns() -> None:
    assert cost([])["warnings"] == []
    assert cost([], today=date.fromordinal(TODAY.toordinal() + 180))["warnings"] == []
    (warning,) = cost([], today=date.fromordinal(TODAY.toordinal() + 181))["warnings"]
    assert warning == f"The prices were checked on {TODAY}, 181 days ago: look at AWS's price pages before relying on them"


def test_the_estimate_says_where_it_comes_from_and_what_it_leaves_out() -> None:
    told = cost([*SERVICE])
    assert (told["date"], told["region"]) == (TODAY.isoformat(), TOKYO)
    assert "never compared with a bill" in told["source"]
    assert any("S3" in words for words in told["not_counted"])
    (confirmed,) = told["sources"]
    assert "2026-10-08" in confirmed
    assert json.loads(json.dumps(told)) == told
    assert list(as_text(told)) == [
        "Cost by the month: now 0.00 USD, after 22.49 to 44.98 USD, difference +22.49 to +44.98 USD "
        f"(estimate from list prices of ap-northeast-1 as checked on {TODAY}, without traffic and other use)",
        "  ecs_service: +22.49 to +44.98 USD",
    ]


def test_resources_of_a_kind_are_one_line_and_what_stays_the_same_is_none() -> None:
    wanted = [Resource("alarm", "a", {}), Resource("alarm", "b", {}), Resource("secret", "s", {})]
    assert list(as_text(cost(wanted, [wanted[2]])))[1:] == ["  alarm (2): +0.20 USD"]
    (same,) = as_text(cost(wanted, wanted))
    assert same.startswith("Cost by the month: 0.60 USD, no difference (")


def test_every_form_of_the_plan_carries_the_estimate_and_leaves_it_out_when_there_is_none() -> None:
    plan = render.as_json([], [], KINDS)
    told = plan | {"cost": cost([Resource("secret", "s", {}), database(storage_type="io1")])}
    sums = "now 0.00 USD, after 18.65 USD, difference +18.65 USD"
    assert f"Nothing to do: 0 unchanged.\n\nCost by the month: {sums} (" in render.printed(told, "text", "uda")
    assert render.printed(told, "summary", "uda").splitlines()[1] == f"Cost by the month, estimated: {sums}."
    *_, last = render.printed(told, "markdown", "uda").splitlines()
    assert last.startswith(f"Cost by the month: {sums} (estimate")
    assert last.endswith("; 1 not counted for want of a price)")
    assert json.loads(render.printed(told, "json", "uda"))["cost"] == told["cost"]
    for form in ("text", "summary", "markdown", "json"):
        assert "ost" not in render.printed(plan, form, "uda")


def test_every_price_is_a_number_that_a_named_and_dated_source_confirms_and_no_source_is_idle() -> None:
    told = json.loads(TABLE.read_text())

    def prices(place: Any) -> list[tuple[float, str]]:
        return [tuple(place)] if isinstance(place, list) else [price for inner in place.values() for price in prices(inner)]

    listed = prices(told["regions"])
    assert all(isinstance(number, float) and number > 0 for number, _source in listed)
    assert {source for _number, source in listed} == set(told["sources"])
    assert all(re.search(r"20[12]\d", words) for words in told["sources"].values())
