"""The filters of alarms and dashboards, on values."""

from __future__ import annotations

from .filters import load

PARTS = {
    "load_balancer_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/1", "group_name": "shop",
    "target_group_arns": {"web": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/2"},
    "database_identifier": "shop-db", "cluster_name": "", "service_name": "",
}  # fmt: skip
NO_PARTS = dict.fromkeys(PARTS, "") | {"target_group_arns": {}}
THRESHOLDS = {
    "minutes": 5, "cpu_percent": 80, "unhealthy_hosts": 0, "healthy_hosts": 0, "server_errors": 10, "database_cpu_percent": 80,
    "database_connections": 60, "database_free_storage_gib": 2,
}  # fmt: skip


def test_there_is_an_alarm_for_each_part_that_is_given_and_none_for_others() -> None:
    alarms = load("watch", "watch_alarms")
    assert list(alarms(PARTS, THRESHOLDS)) == [
        "unhealthy_hosts_web", "server_errors", "balancer_errors", "cpu", "database_cpu", "database_connections", "database_storage",
    ]  # fmt: skip
    assert alarms(NO_PARTS, THRESHOLDS) == {}
    service = alarms(NO_PARTS | {"cluster_name": "meibo", "service_name": "api"}, THRESHOLDS)
    assert service["cpu"]["dimensions"] == {"ClusterName": "meibo", "ServiceName": "api"}
    assert service["cpu"]["namespace"] == "AWS/ECS"


def test_too_few_healthy_targets_are_an_alarm_where_asked_for_and_so_is_silence() -> None:
    alarms = load("watch", "watch_alarms")(PARTS, THRESHOLDS | {"healthy_hosts": 2})
    found = alarms["healthy_hosts_web"]
    assert (found["metric"], found["below"], found["missing"]) == ("HealthyHostCount", 2, "breaching")
    assert found["dimensions"] == alarms["unhealthy_hosts_web"]["dimensions"]


def test_alarms_name_their_metrics_as_aws_does() -> None:
    alarms = load("watch", "watch_alarms")(PARTS, THRESHOLDS)
    assert alarms["unhealthy_hosts_web"]["dimensions"] == {"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/shop/2"}
    assert (alarms["database_storage"]["metric"], alarms["database_storage"]["below"]) == ("FreeStorageSpace", 2 * 2**30)


def test_a_dashboard_shows_a_graph_for_each_alarm_and_a_table_for_each_log() -> None:
    alarms = load("watch", "watch_alarms")(PARTS, THRESHOLDS)
    widgets = load("watch", "watch_dashboard")(PARTS, alarms, ["/shop/app"])["widgets"]
    titles = [widget["properties"]["title"] for widget in widgets]
    assert titles == ["requests", "instances", *(key.replace("_", " ") for key in alarms), "/shop/app"]
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(places)) == len(places)
    assert widgets[2]["properties"]["annotations"]["horizontal"][0]["value"] == 0
