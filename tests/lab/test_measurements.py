"""From counters, tables and files to AWS's metrics, on values."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.engine import cgroups
from lab.errors import LabError
from lab.services import measurements
from lab.services.measurements import Growth, Measurement
from lab.settings import pace

PLACE = ("123456789012", "ap-northeast-1")
GROUP = SimpleNamespace(
    name="web", arn="arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/0123",
    targets={"i-1": {}, "i-2": {}, "i-3": {}},
    lab_health={"i-1": ("healthy", None, None), "i-2": ("unhealthy", "Target.Timeout", None), "i-3": ("initial", None, None)},
)  # fmt: skip


def figures(grown: dict[tuple[str, str, str], float]) -> dict[tuple[str, int], float]:
    """Metric and number of dimensions -> value."""
    found: list[Measurement] = list(measurements.of_target_group(PLACE, "app/uda-alb/4567", GROUP, grown))
    return {(one.name, len(one.dimensions)): one.value for one in found}


def test_hosts_are_counted_by_what_the_load_balancer_sees() -> None:
    assert figures({}) == {("HealthyHostCount", 2): 1.0, ("UnHealthyHostCount", 2): 1.0}


def test_requests_and_answers_are_told_for_the_group_and_for_the_load_balancer() -> None:
    told = figures(
        {
            ("web", "BACKEND", "req_tot"): 100.0, ("web", "BACKEND", "hrsp_2xx"): 90.0, ("web", "BACKEND", "hrsp_5xx"): 10.0,
            ("web", "i-1", "hrsp_2xx"): 90.0, ("web", "i-1", "hrsp_5xx"): 7.0,
        }
    )  # fmt: skip
    assert told[("RequestCount", 2)] == told[("RequestCount", 1)] == 100.0
    assert told[("RequestCountPerTarget", 1)] == 100.0
    assert told[("HTTPCode_Target_2XX_Count", 2)] == 90.0
    assert told[("HTTPCode_Target_5XX_Count", 2)] == 7.0  # what the targets answered
    assert told[("HTTPCode_ELB_5XX_Count", 1)] == 3.0  # what nobody but the load balancer answered


def test_a_counter_grows_from_what_it_was_and_begins_anew_when_haproxy_does() -> None:
    growth = Growth()
    assert growth.of("requests", 100.0) is None
    growth.turn()
    assert growth.of("requests", 130.0) == 30.0
    assert growth.of("new", 5.0) == 5.0
    growth.turn()
    assert growth.of("requests", 4.0) == 4.0


CONNECTIONS = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   104        0 1 1 0 100 0 0 10 0
   1: 0202000A:1538 0100000A:D431 01 00000000:00000000 02:000A 00000000   104        0 2 2 0 20 4 30 10 -1
   2: 0202000A:1538 0200000A:D433 06 00000000:00000000 02:000A 00000000   104        0 3 2 0 20 4 30 10 -1
   3: 0202000A:A1B2 0200000A:1538 01 00000000:00000000 02:000A 00000000   104        0 4 2 0 20 4 30 10 -1
"""


def test_connections_are_those_established_at_the_servers_port() -> None:
    assert measurements.established(CONNECTIONS, 5432) == 1


def test_a_directory_takes_what_its_files_take_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/1").write_bytes(b"x" * 8192)
    assert 8192 <= measurements.size_of(tmp_path) <= 16384
    assert measurements.size_of(tmp_path / "missing") == 0


def test_a_containers_control_group_is_found_with_either_version() -> None:
    version_1 = "9:cpu,cpuacct:/libpod_parent/libpod-abc/init.scope\n8:memory:/libpod_parent/libpod-abc\n0::/unified\n"
    assert cgroups.place(version_1, "cpuacct", "abc") == "libpod_parent/libpod-abc"
    assert cgroups.place(version_1, "", "abc") is None
    version_2 = "0::/machine.slice/libpod-abc.scope/container/init.scope\n"
    assert cgroups.place(version_2, "", "abc") == "machine.slice/libpod-abc.scope"
    assert cgroups.place(version_2, "cpuacct", "abc") is None


@pytest.mark.parametrize("text", ["0", "61", "fast", "-1"])
def test_a_pace_that_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(LabError, match="LAB_PACE"):
        pace(text)
    assert pace("20") == 20.0
