"""What scripts/load makes of ab's report, and what it prints."""

from __future__ import annotations

import load
import pytest

REPORT = """\
Complete requests:      4123
Failed requests:        7
   (Connect: 1, Receive: 2, Length: 3, Exceptions: 1)
Non-2xx responses:      12
Keep-Alive requests:    4123
Requests per second:    824.60 [#/sec] (mean)

Percentage of the requests served within a certain time (ms)
  50%     98
  95%    240
 100%    410 (longest request)
"""


def test_a_report_becomes_figures_and_a_page_of_another_length_is_no_failure() -> None:
    assert load.traffic_of(REPORT) == load.Traffic(824.6, 240, 16)


def test_a_report_without_figures_is_told() -> None:
    with pytest.raises(load.LoadError, match="Connection refused"):
        load.traffic_of("apr_socket_connect(): Connection refused (111)")


def test_a_row_stands_below_its_heading() -> None:
    fleet = load.Fleet(3, 2, ("TargetTracking-web-AlarmHigh",))
    lines = [load.HEAD, str(load.Row(5, load.Traffic(824.6, 240, 0), fleet)), str(load.Row(125, None, fleet))]
    assert len({line.index(last) for line, last in zip(lines, ("in alarm", "TargetTracking", "TargetTracking"), strict=True)}) == 1


def test_an_unknown_stack_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load.shutil, "which", lambda _command: "/usr/bin/ab")
    assert load.main(["none"]) == 1
    assert "there is no stack 'none' under inventories/" in capsys.readouterr().err


def test_a_stacks_variables_may_refer_to_each_other_as_the_templates_do() -> None:
    assert load.variables("template")["alb_name"] == "NAME-alb"
