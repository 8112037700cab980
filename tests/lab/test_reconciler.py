"""The reconciler's rounds, over an engine that keeps machines in a dictionary."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.engine.base import Status
from lab.engine.memory import Memory
from lab.engine.podman import Podman
from lab.errors import LabError
from lab.reconciler import Reconciler
from lab.services.base import Published
from lab.settings import Settings
from lab.world import Interface, Machine, World


class Deaf(Memory):
    """A machine in it does not listen to its signal until `ends` is set; what then comes of its stop is in `refusals`."""

    def __init__(self) -> None:
        super().__init__()
        self.ends, self.asked = threading.Event(), 0
        self.refusals: list[str] = []

    def stop(self, machine_id: str) -> None:
        self.asked += 1
        assert self.ends.wait(10)
        if self.refusals:
            raise LabError(self.refusals.pop())
        super().stop(machine_id)


class Wanted:
    """A service that wants these machines: id -> whether it runs."""

    def __init__(self) -> None:
        self.wanted: dict[str, bool] = {}
        self.seen: Mapping[str, Status] = {}

    def machines(self) -> Iterable[Machine]:
        for name, running in self.wanted.items():
            interface = Interface(f"eni-{name}", "vpc-1", "subnet-1", "10.0.0.4", "02:00:00:00:00:01", frozenset())
            yield Machine(name, "task", "image", (interface,), name, running=running)

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        self.seen = dict(standing)

    def tick(self) -> bool:
        return False

    def published(self) -> dict[str, Published]:
        return {}


class Lab:
    def __init__(self, home: Path) -> None:
        settings = Settings("test", home)
        settings.directory.mkdir(parents=True)
        self.engine, self.service = Deaf(), Wanted()
        networks: Any = type("Networks", (), {"reconcile": lambda _self, _world: None})()
        self.reconciler = Reconciler(settings, self.engine, networks, [self.service], threading.RLock(), lambda _published: None)

    def round(self, **wanted: bool) -> Mapping[str, Status]:
        """What stands at the end of a round in which these are wanted."""
        self.service.wanted = wanted
        self.reconciler.round()
        return self.service.seen


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    lab.round(old=True)
    yield lab
    lab.engine.ends.set()
    until(nothing_stops)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def nothing_stops() -> bool:
    return not any(thread.name.startswith("stop ") for thread in threading.enumerate())


def test_a_machine_that_does_not_end_holds_up_no_other(deaf: Lab) -> None:
    assert deaf.round(old=False, new=True) == {"old": "running", "new": "running"}
    assert deaf.round(old=False, new=True)["old"] == "running"
    assert deaf.engine.asked == 1
    deaf.engine.ends.set()
    until(lambda: deaf.engine.standing["old"] == "stopped")
    assert deaf.round(old=False, new=True) == {"old": "stopped", "new": "running"}


def test_a_stop_that_is_refused_is_told_of_and_asked_for_again(deaf: Lab) -> None:
    deaf.engine.refusals.append("it does not stop")
    deaf.round(old=False)
    deaf.engine.ends.set()
    until(lambda: deaf.reconciler.problems == {"old": "it does not stop"})
    until(lambda: deaf.round(old=False) == {"old": "stopped"})
    until(lambda: not deaf.reconciler.problems)


def test_a_machine_may_be_removed_while_it_is_stopped(deaf: Lab) -> None:
    deaf.engine.refusals.append("no such machine")
    deaf.round(old=False)
    assert deaf.round() == {}
    deaf.engine.ends.set()
    until(nothing_stops)
    assert deaf.reconciler.problems == {}


def test_an_instance_that_stops_cannot_be_started_before_it_has(cloud: Any, refused: Any) -> None:
    instance = cloud.ec2.run_instances(ImageId=cloud.image_id, MinCount=1, MaxCount=1, SubnetId=cloud.subnet_ids[0])["Instances"][0]
    cloud.round()
    cloud.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    assert refused(cloud.ec2.start_instances, InstanceIds=[instance["InstanceId"]]) == "IncorrectInstanceState"
    cloud.round()
    cloud.ec2.start_instances(InstanceIds=[instance["InstanceId"]])


def test_what_podman_is_stopping_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"i-1": "running", "i-2": "stopping", "i-3": "exited"}
    listed = [{"Labels": {"hastack.lab.machine": name}, "Pid": 1, "Id": name, "State": state} for name, state in states.items()]
    monkeypatch.setattr(Podman, "_podman", lambda _self, command, *_: json.dumps(listed if command == "ps" else []))
    assert Podman(Settings("test", tmp_path)).machines() == {"i-1": "running", "i-2": "running", "i-3": "stopped"}
