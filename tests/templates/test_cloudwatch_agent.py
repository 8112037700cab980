"""The files of role cloudwatch_agent."""

from __future__ import annotations

import json
from collections.abc import Callable

Render = Callable[..., str]
CONFIGURATION = "opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d/hastack.json"


def test_each_log_goes_to_its_group_with_a_stream_for_each_instance(render: Render) -> None:
    given = {"cloudwatch_agent_app_group": "/uda/app", "cloudwatch_agent_nginx_group": "/uda/nginx"}
    files = json.loads(render("cloudwatch_agent", CONFIGURATION, **given))["logs"]["logs_collected"]["files"]["collect_list"]
    assert [(file["log_group_name"], file["file_path"], file["log_stream_name"]) for file in files] == [
        ("/uda/app", "/var/log/cloudwatch/app.log", "{instance_id}"),
        ("/uda/nginx", "/var/log/nginx/access.log", "{instance_id}/access"),
        ("/uda/nginx", "/var/log/nginx/error.log", "{instance_id}/error"),
    ]


def test_memory_and_disk_are_told_for_the_instance_and_for_the_group(render: Render) -> None:
    metrics = json.loads(render("cloudwatch_agent", CONFIGURATION, cloudwatch_agent_namespace="uda"))["metrics"]
    assert metrics["namespace"] == "uda"
    assert set(metrics["metrics_collected"]) == {"mem", "disk"}
    assert metrics["aggregation_dimensions"] == [["AutoScalingGroupName"]]


def test_the_agent_is_not_root(render: Render) -> None:
    assert json.loads(render("cloudwatch_agent", CONFIGURATION))["agent"]["run_as_user"] == "cwagent"


def test_the_applications_lines_are_parted_from_the_systems(render: Render) -> None:
    names = {"cloudwatch_agent_app_group": "/uda/app", "cloudwatch_agent_system_group": "/uda/system"}
    text = render("cloudwatch_agent", "etc/rsyslog.d/30-cloudwatch.conf", cloudwatch_agent_app_identifiers=["node", "worker"], **names)
    assert 'if $programname == ["node", "worker"] then {' in text
    assert text.index("app.log") < text.index("    stop") < text.index("system.log")


def test_what_has_no_group_is_not_written(render: Render) -> None:
    assert "omfile" not in render("cloudwatch_agent", "etc/rsyslog.d/30-cloudwatch.conf")
