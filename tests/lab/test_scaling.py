from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lab.services.scaling import (
    ELB_FAILED,
    REPLACED,
    End,
    Enter,
    Forget,
    Group,
    Launch,
    MarkUnhealthy,
    Member,
    Refresh,
    Retire,
    decide,
    refreshed,
)

NOW = 10_000.0
SUBNETS = (("subnet-a", "a"), ("subnet-c", "c"))
OLD, NEW = ("lt", 1), ("lt", 2)


def group(desired: int = 2, **options: Any) -> Group:
    return Group(desired, SUBNETS, **options)


def member(name: str, zone: str = "a", **options: Any) -> Member:
    return Member(name, zone, options.pop("template", OLD), **options)


def subnets(actions: list[Any]) -> list[str]:
    return [action.subnet_id for action in actions if isinstance(action, Launch)]


def retired(actions: list[Any]) -> list[str]:
    return [action.id for action in actions if isinstance(action, Retire)]


def test_a_new_group_launches_evenly_over_its_zones() -> None:
    assert sorted(subnets(decide(group(4), [], NOW))) == ["subnet-a", "subnet-a", "subnet-c", "subnet-c"]


def test_a_missing_instance_is_launched_where_the_fewest_are() -> None:
    assert subnets(decide(group(3), [member("1", "a"), member("2", "c"), member("3", "a", machine="terminated")], NOW)) == ["subnet-a"]
    assert subnets(decide(group(2), [member("1", "a")], NOW)) == ["subnet-c"]


def test_nothing_is_done_when_all_is_well() -> None:
    assert decide(group(), [member("1", "a"), member("2", "c")], NOW) == []


def test_an_instance_enters_service_when_its_machine_runs() -> None:
    starting = member("1", lifecycle="Pending", machine="pending")
    assert decide(group(1), [starting], NOW) == []
    assert decide(group(1), [dataclasses.replace(starting, machine="running")], NOW) == [Enter("1")]


def test_a_stopped_instance_is_replaced() -> None:
    actions = decide(group(), [member("1", "a", machine="stopped"), member("2", "c")], NOW)
    assert actions[:1] == [MarkUnhealthy("1")]
    assert retired(actions) == ["1"]
    assert [action.cause for action in actions if isinstance(action, Launch)] == [REPLACED]


def test_an_unhealthy_target_is_replaced_only_after_the_grace_period_and_only_if_the_group_asks_the_load_balancer() -> None:
    failing = [member("1", "a", target="unhealthy", in_service=NOW - 100), member("2", "c", target="healthy")]
    assert decide(group(elb_checks=True, grace_period=300), failing, NOW) == []
    assert decide(group(elb_checks=False, grace_period=0), failing, NOW) == []
    actions = decide(group(elb_checks=True, grace_period=60), failing, NOW)
    assert Retire("1", ELB_FAILED, failed=True) in actions


def test_suspended_processes_do_nothing() -> None:
    stopped = [member("1", "a", machine="stopped"), member("2", "c")]
    assert decide(group(suspended=frozenset({"HealthCheck"})), stopped, NOW) == []
    assert decide(group(suspended=frozenset({"ReplaceUnhealthy"})), stopped, NOW) == [MarkUnhealthy("1")]
    assert decide(group(suspended=frozenset({"Launch"})), [], NOW) == []
    assert decide(group(0, suspended=frozenset({"Terminate"})), [member("1")], NOW) == []


def test_a_surplus_leaves_the_fullest_zone_oldest_template_first() -> None:
    members = [
        member("old-c", "c", launched=1),
        member("new-a", "a", launched=2, template=NEW),
        member("old-a", "a", launched=3),
    ]
    assert retired(decide(group(2), members, NOW)) == ["old-a"]


def test_protected_instances_stay() -> None:
    assert retired(decide(group(0), [member("1", protected=True), member("2")], NOW)) == ["2"]


def test_the_newest_instance_goes_first_when_the_group_says_so() -> None:
    members = [member("1", launched=1), member("2", launched=2)]
    assert retired(decide(group(1, termination_policies=("NewestInstance",)), members, NOW)) == ["2"]
    assert retired(decide(group(1), members, NOW)) == ["1"]


def test_an_instance_drains_before_it_ends_and_is_forgotten_once_it_is_gone() -> None:
    leaving = member("1", lifecycle="Terminating", target="draining")
    assert decide(group(0), [leaving], NOW) == []
    assert decide(group(0), [dataclasses.replace(leaving, target=None)], NOW) == [End("1")]
    assert decide(group(0), [dataclasses.replace(leaving, target=None, machine="shutting-down")], NOW) == []
    assert decide(group(0), [dataclasses.replace(leaving, target=None, machine="terminated")], NOW) == [Forget("1")]


def test_a_lab_that_comes_up_again_does_not_take_booting_members_for_dead() -> None:
    assert decide(group(1), [member("1", machine="pending")], NOW) == []


def test_a_refresh_at_100_percent_launches_before_it_terminates() -> None:
    refresh = Refresh(frozenset({"1", "2"}), 100, 150, started=NOW - 50)
    old = [member("1", "a", target="healthy"), member("2", "c", target="healthy")]
    first = decide(group(elb_checks=True, refresh=refresh), old, NOW)
    assert (len(subnets(first)), retired(first)) == (1, [])
    new = member("3", "a", template=NEW, launched=NOW - 40, in_service=NOW - 30, target="initial")
    assert decide(group(elb_checks=True, refresh=refresh), [*old, new], NOW) == []
    second = decide(group(elb_checks=True, refresh=refresh), [*old, dataclasses.replace(new, target="healthy")], NOW)
    assert len(retired(second)) == 1


def test_a_refresh_at_50_percent_terminates_before_it_launches() -> None:
    refresh = Refresh(frozenset({"1", "2"}), 50, 100, started=NOW - 50)
    actions = decide(group(refresh=refresh), [member("1", "a"), member("2", "c")], NOW)
    assert (len(retired(actions)), len(subnets(actions))) == (1, 1)


def test_a_refresh_waits_for_the_warm_up() -> None:
    refresh = Refresh(frozenset({"1"}), 100, 200, warmup=60, started=NOW - 50)
    members = [member("1"), member("2", template=NEW, launched=NOW - 40, in_service=NOW - 30)]
    assert retired(decide(group(1, refresh=refresh), members, NOW)) == []
    assert retired(decide(group(1, refresh=refresh), members, NOW + 40)) == ["1"]


def test_a_refresh_ends_when_nobody_outdated_is_left_and_all_are_ready() -> None:
    refresh = Refresh(frozenset({"1"}), 100, 200, started=NOW - 50)
    wanted, new = group(1, refresh=refresh), member("2", template=NEW, launched=NOW, in_service=NOW)
    assert not refreshed(wanted, refresh, [member("1", lifecycle="Terminating"), new], NOW)
    assert refreshed(wanted, refresh, [new], NOW)


def test_a_refresh_of_sick_members_still_keeps_the_wanted_share_standing() -> None:
    refresh = Refresh(frozenset({"1", "2"}), 100, 150, started=NOW - 50)
    sick = [member("1", "a", target="unhealthy", in_service=NOW), member("2", "c", target="unhealthy", in_service=NOW)]
    assert retired(decide(group(elb_checks=True, refresh=refresh), sick, NOW)) == []


@given(
    desired=st.integers(0, 6),
    zones=st.lists(st.sampled_from("ac"), max_size=8),
    machines=st.lists(st.sampled_from(["running", "stopped", "terminated"]), min_size=8, max_size=8),
)
def test_after_its_actions_a_group_has_exactly_as_many_as_desired(desired: int, zones: list[str], machines: list[str]) -> None:
    members = [member(str(number), zone, machine=machines[number]) for number, zone in enumerate(zones)]
    actions = decide(group(desired), members, NOW)
    assert len(members) - len(retired(actions)) + len(subnets(actions)) == desired


@given(least=st.integers(0, 100), extra=st.integers(0, 100), desired=st.integers(1, 5), new=st.integers(0, 5))
def test_a_refresh_never_goes_below_its_floor_nor_above_its_ceiling(least: int, extra: int, desired: int, new: int) -> None:
    outdated = [member(f"old-{number}", "a") for number in range(desired)]
    fresh = [member(f"new-{number}", "c", template=NEW, launched=NOW, in_service=NOW) for number in range(min(new, desired))]
    refresh = Refresh(frozenset(one.id for one in outdated), least, 100 + extra, started=NOW - 1)
    actions = decide(group(desired, refresh=refresh), [*outdated, *fresh], NOW)
    left = len(outdated) + len(fresh) - len(retired(actions))
    assert left >= min(desired * least / 100, desired - 1)
    if least == 100:
        assert left >= desired
