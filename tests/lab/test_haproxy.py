from __future__ import annotations

import pytest

from lab.services.haproxy import Balancer, Group, HealthCheck, Listener, Rule, Target, initial_state, pattern, render, weights

FORWARD = {"Type": "forward", "TargetGroupArn": "arn:aws:elasticloadbalancing:r:1:targetgroup/web/0123"}
WEB = Group("web", HealthCheck("/health", None, 10, 5, 3, 2, "200-299"), False, (Target("i-1", "10.0.0.5", 80),))


def text(*rules: Rule, group: Group = WEB) -> str:
    return render(Balancer((Listener(80, (*rules, Rule((), FORWARD))),), (group,)))


def test_a_target_is_checked_with_its_groups_own_path_pace_and_thresholds() -> None:
    found = text()
    assert "server i-1 10.0.0.5:80 check inter 10s rise 3 fall 2" in found
    assert "http-check send meth GET uri '/health' ver HTTP/1.1 hdr Host %si" in found
    assert "http-check expect status 200-299" in found
    assert "timeout check 5s" in found


def test_a_health_check_port_of_its_own_is_used() -> None:
    assert "check port 8081 inter" in text(group=Group("web", HealthCheck(port=8081), False, WEB.targets))


def test_unhealthy_targets_get_the_requests_when_there_are_no_others() -> None:
    lines = [line.strip() for line in text().splitlines()]
    fails_open = lines.index("use_backend web-open if { var(txn.rule) -m int 1 } { nbsrv(web) eq 0 }")
    assert lines[fails_open + 1] == "use_backend web if { var(txn.rule) -m int 1 }"
    assert "server i-1 10.0.0.5:80" in lines[lines.index("backend web-open") :]


def test_a_group_without_targets_answers_503_and_failed_connections_502_or_504() -> None:
    found = text()
    assert "http-request return status 503" in found
    assert 'http-after-response set-status 504 reason "Gateway Time-out" if unconnected slow' in found
    assert 'http-after-response set-status 502 reason "Bad Gateway" if unconnected !slow' in found


def test_the_client_is_told_to_the_target_and_the_host_header_is_left_alone() -> None:
    found = text()
    assert "set-header X-Forwarded-For %[src]" in found
    assert '"%[req.fhdr(X-Forwarded-For)], %[src]" if { req.fhdr(X-Forwarded-For) -m found }' in found
    assert "set-header X-Forwarded-Proto http" in found
    assert "set-header Host" not in found


def test_the_first_rule_that_holds_decides() -> None:
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain", "MessageBody": "it's no"}}
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/admin*", "/x?"]}}
    found = text(Rule((condition, {"Field": "host-header", "Values": ["*.example.com"]}), fixed))
    assert "acl rule-1-1 path -m reg '^/admin.*$'" in found
    assert "acl rule-1-1 path -m reg '^/x.$'" in found
    assert "acl rule-1-2 req.hdr(host),field(1,:) -m reg -i '^.*\\.example\\.com$'" in found
    assert "set-var(txn.rule) int(1) if !{ var(txn.rule) -m found } rule-1-1 rule-1-2" in found
    assert "return status 403 content-type 'text/plain' string 'it'\\''s no'" in found
    assert "set-var(txn.rule) int(2) if !{ var(txn.rule) -m found }\n" in found


def test_a_redirect_keeps_what_it_does_not_change_and_writes_the_port_as_aws_does() -> None:
    to_https = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    found = render(Balancer((Listener(80, (Rule((), to_https),)),)))
    assert 'redirect location "https://%[req.hdr(host),field(1,:)]:443%[path]?%[query]" code 301' in found
    assert "{ query -m len gt 0 }" in found


def test_weights_share_the_requests() -> None:
    groups = [{"TargetGroupArn": "arn:targetgroup/blue/1", "Weight": 9}, {"TargetGroupArn": "arn:targetgroup/green/2", "Weight": 1}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    assert weights(action) == [("blue", 9), ("green", 1)]
    found = render(Balancer((Listener(80, (Rule((), action),)),), (Group("blue"), Group("green"))))
    assert "set-var(txn.share) rand(10)" in found
    assert "use_backend blue if { var(txn.rule) -m int 1 } { var(txn.share) -m int lt 9 }" in found


@pytest.mark.parametrize(("wildcard", "expected"), [("/a*", "^/a.*$"), ("/a.b", "^/a\\.b$"), ("/?", "^/.$")])
def test_aws_wildcards_become_regular_expressions(wildcard: str, expected: str) -> None:
    assert pattern(wildcard) == expected


def test_a_new_target_starts_down_and_a_known_one_keeps_its_state_over_a_reload() -> None:
    balancer = Balancer((), (Group("web", WEB.check, False, (*WEB.targets, Target("i-2", "10.0.3.5", 80))),))
    known = "1\n# be_id be_name\n14 web 1 i-1 10.0.0.5 2 0 1 1 9 6 3 4 6 0 0 0 - 80 - 0 0 - - 0\n"
    lines = initial_state(balancer, known).splitlines()
    assert lines[2].startswith("14 web 1 i-1 10.0.0.5 2 0")
    assert lines[3].startswith("0 web 0 i-2 10.0.3.5 0 0")
    assert len(lines) == 4
