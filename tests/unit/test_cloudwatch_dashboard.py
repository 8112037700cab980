"""The module cloudwatch_dashboard, on moto in process."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

MODULE = Path(__file__).parents[2] / "plugins/modules/cloudwatch_dashboard.py"
WIDGET = {"type": "metric", "properties": {"title": "requests"}}


def load() -> Any:
    specification = importlib.util.spec_from_file_location("cloudwatch_dashboard", MODULE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


dashboard = load()


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="ap-northeast-1")


def run(cloudwatch: Any, body: dict[str, Any] | None, state: str = "present", check_mode: bool = False) -> dict[str, Any]:
    parameters = {"name": "uda", "body": body, "state": state}
    return dict(dashboard.bring_about(SimpleNamespace(params=parameters, check_mode=check_mode, warn=print), cloudwatch))


def test_a_dashboard_is_made_changed_left_alone_and_deleted(cloudwatch: Any) -> None:
    made = run(cloudwatch, {"widgets": [WIDGET]})
    assert made["changed"]
    assert made["dashboard_arn"].endswith(":dashboard/uda")
    assert not run(cloudwatch, {"widgets": [dict(reversed(WIDGET.items()))]})["changed"]
    assert run(cloudwatch, {"widgets": []})["changed"]
    assert run(cloudwatch, None, "absent") == {
        "changed": True, "dashboard_arn": "", "diff": {"before": {"widgets": []}, "after": {}},
    }  # fmt: skip
    assert not run(cloudwatch, None, "absent")["changed"]


def test_in_check_mode_the_change_is_told_and_not_made(cloudwatch: Any) -> None:
    told = run(cloudwatch, {"widgets": [WIDGET]}, check_mode=True)
    assert (told["changed"], told["diff"]["before"]) == (True, {})
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_widgets_get_the_region_that_aws_wants_to_be_named(cloudwatch: Any) -> None:
    text = {"type": "text", "properties": {"markdown": "hello"}}
    other = {"type": "log", "properties": {"region": "eu-west-1"}}
    assert dashboard.located({"widgets": [WIDGET, text, other]}, "ap-northeast-1")["widgets"] == [
        {"type": "metric", "properties": {"region": "ap-northeast-1", "title": "requests"}},
        text,
        other,
    ]
