"""What an ECS service does next, on values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.services.deployments import Complete, Deployment, Fail, Service, Start, Stop, Task, decide, threshold

NOW = 1000.0
SUBNETS = (("subnet-a", "a"), ("subnet-c", "c"))
NEW, OLD = Deployment("new"), Deployment("old", completed=True)


def service(**changes: object) -> Service:
    return replace(Service(2, SUBNETS, (NEW,)), **changes)


def task(identity: str, deployment: str = "new", zone: str = "a", **changes: object) -> Task:
    made = Task(identity, deployment, f"subnet-{zone}", zone, running=True, target="healthy", started=NOW - 100)
    return replace(made, **changes)


def test_tasks_start_in_the_zones_in_turn() -> None:
    assert decide(service(), [], NOW) == [Start("subnet-a"), Start("subnet-c")]
    assert decide(service(), [task("1")], NOW) == [Start("subnet-c")]


def test_a_rollout_is_complete_when_its_tasks_alone_are_there_and_healthy() -> None:
    tasks = [task("1"), task("2", zone="c")]
    assert decide(service(), tasks, NOW) == [Complete()]
    assert decide(service(), [tasks[0], replace(tasks[1], target="initial")], NOW) == []
    assert decide(service(deployments=(replace(NEW, completed=True),)), tasks, NOW) == []


def test_new_tasks_come_before_old_ones_go() -> None:
    both = service(deployments=(NEW, OLD))
    old = [task("1", "old"), task("2", "old", "c")]
    assert decide(both, old, NOW) == [Start("subnet-a"), Start("subnet-c")]
    coming = [*old, task("3", target="initial"), task("4", zone="c")]
    assert decide(both, coming, NOW) == [Stop("1")]
    assert decide(both, [replace(coming[0], stopping=True), *coming[1:]], NOW) == []


def test_at_one_hundred_percent_an_old_task_goes_first() -> None:
    tight = service(deployments=(NEW, OLD), min_healthy_percent=50, max_percent=100)
    old = [task("1", "old"), task("2", "old", "c")]
    assert decide(tight, old, NOW) == [Stop("1")]
    assert decide(tight, [replace(old[0], stopping=True), old[1]], NOW) == [Start("subnet-a")]


def test_an_unhealthy_task_is_stopped_after_the_grace_period_and_replaced() -> None:
    tasks = [task("1", target="unhealthy"), task("2", zone="c")]
    assert decide(service(grace_period=200), tasks, NOW) == []
    assert decide(service(grace_period=50), tasks, NOW) == [Stop("1", unhealthy=True), Start("subnet-a")]


def test_scaling_in_takes_from_the_fullest_zone_and_what_is_not_healthy_first() -> None:
    tasks = [task("1"), task("2", started=NOW - 200), task("3", zone="c", started=NOW - 300)]
    assert decide(service(), tasks, NOW) == [Stop("2")]
    assert decide(service(), [*tasks[:2], replace(tasks[2], target="initial")], NOW) == [Stop("3")]


def test_attempts_come_ever_more_slowly_while_tasks_fail() -> None:
    failing = service(deployments=(replace(NEW, failed=4, failed_at=NOW - 7),))
    assert decide(failing, [], NOW) == []
    assert decide(failing, [], NOW + 1) == [Start("subnet-a"), Start("subnet-c")]


@pytest.mark.parametrize(("desired", "failures"), [(1, 3), (2, 3), (7, 4), (1000, 200)])
def test_the_circuit_breakers_threshold(desired: int, failures: int) -> None:
    assert threshold(desired) == failures


@pytest.mark.parametrize("roll_back", [True, False])
def test_the_circuit_breaker_opens_after_three_failures(roll_back: bool) -> None:
    failing = service(deployments=(replace(NEW, failed=3), OLD), circuit_breaker=True, rollback_to=roll_back)
    assert decide(failing, [task("1", "old")], NOW) == [Fail(roll_back)]
    assert Fail(roll_back) not in decide(replace(failing, circuit_breaker=False), [task("1", "old")], NOW)


def test_a_deployment_that_was_given_up_starts_nothing_more() -> None:
    assert decide(service(deployments=(replace(NEW, failed=3, given_up=True),), circuit_breaker=True), [], NOW) == []
