"""The planner finds the way from what stands to what should stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.engine.base import Status
from lab.engine.memory import Memory
from lab.plan import plan
from lab.world import Interface, Machine, World


def machine(identity: str, running: bool = True) -> Machine:
    interface = Interface(f"eni-{identity}", "vpc-1", "subnet-1", "10.0.0.4", "02:00:00:00:00:01", frozenset())
    return Machine(identity, "instance", "image", (interface,), identity, running=running)


def world(*machines: Machine) -> World:
    return World({}, {}, {found.id: found for found in machines})


def test_a_new_instance_is_created() -> None:
    steps = plan(world(machine("i-1")), {})
    assert [found.id for found in steps.create] == ["i-1"]


def test_a_terminated_instance_is_removed() -> None:
    assert plan(world(), {"i-1": "running"}).remove == ("i-1",)


def test_a_stopped_instance_stops_and_a_started_one_starts() -> None:
    steps = plan(world(machine("i-1", running=False), machine("i-2")), {"i-1": "running", "i-2": "stopped"})
    assert (steps.stop, steps.start) == (("i-1",), ("i-2",))


def test_a_machine_that_ended_by_itself_is_started_again() -> None:
    assert plan(world(machine("i-1")), {"i-1": "stopped"}).start == ("i-1",)


def test_a_stopped_instance_without_a_machine_waits_for_its_start() -> None:
    assert not plan(world(machine("i-1", running=False)), {})


statuses: st.SearchStrategy[Status] = st.sampled_from(["running", "stopped"])
identities = st.sampled_from([f"i-{number}" for number in range(6)])


@given(wanted=st.dictionaries(identities, st.booleans()), standing=st.dictionaries(identities, statuses))
def test_following_the_plan_leaves_nothing_to_plan(wanted: dict[str, bool], standing: dict[str, Status]) -> None:
    target = world(*(machine(identity, running) for identity, running in wanted.items()))
    engine = Memory()
    engine.standing = dict(standing)
    steps = plan(target, engine.machines())
    for identity in steps.remove:
        engine.remove(identity)
    for identity in steps.stop:
        engine.stop(identity)
    for found in steps.create:
        engine.create(found)
    for identity in steps.start:
        engine.start(identity)
    assert not plan(target, engine.machines())
    assert {identity for identity, status in engine.machines().items() if status == "running"} == {
        i for i, running in wanted.items() if running
    }
