"""What a task says, on its way to the Logs API."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from lab.services.task_logs import Follower, Log, events
from lab.settings import ACCOUNT_ID

from .conftest import REGION, Cloud


def test_lines_become_events_and_parts_one_line() -> None:
    lines = [
        "2026-01-01T00:00:00.5+00:00 stdout P one ",
        "2026-01-01T00:00:00.6+00:00 stdout F line",
        "2026-01-01T00:00:01+00:00 stderr F two",
    ]
    assert list(events(lines)) == [
        {"timestamp": 1767225600600, "message": "one line"},
        {"timestamp": 1767225601000, "message": "two"},
    ]


def test_a_log_group_that_is_gone_takes_nothing_more_and_holds_nobody_up(cloud: Cloud, tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.write_text("2026-01-01T00:00:00.5+00:00 stdout F lost\n")
    follower, log = Follower(), Log(REGION, "/gone", "stream")
    follower.follow(ACCOUNT_ID, "task", console, log)
    cloud.client("logs").create_log_group(logGroupName="/gone")
    follower.follow(ACCOUNT_ID, "other", console, log)


def test_a_line_is_sent_when_it_has_ended_or_nothing_more_comes(cloud: Cloud, tmp_path: Path) -> None:
    console, log = tmp_path / "console", Log("us-west-2", "/site", "stream")
    logs = cloud.client("logs", "us-west-2")
    logs.create_log_group(logGroupName="/site")
    logs.create_log_stream(logGroupName="/site", logStreamName="stream")
    follower, moment = Follower(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
    console.write_text(f"{moment} stdout F 10%\r20%\r100%\n{moment} stdout P name: ")
    assert follower.follow(ACCOUNT_ID, "task", console, log)
    assert not follower.follow(ACCOUNT_ID, "task", console, log)
    with console.open("a") as file:
        file.write(f"\n{moment} stdout F Ada\n{moment} stdout P bye\n")
    follower.follow(ACCOUNT_ID, "task", console, log)
    follower.follow(ACCOUNT_ID, "task", console, log, last=True)
    told = [event["message"] for event in logs.get_log_events(logGroupName="/site", logStreamName="stream")["events"]]
    assert told == ["10%\r20%\r100%", "name: Ada", "bye"]
