from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.services.balancer import Balancer, Certificate, Group, HealthCheck, Listener, Rule, Target, Tls
from lab.services.haproxy import initial_state, render
from lab.services.haproxy_listeners import pattern, weights

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
    fails_open = lines.index("use_backend web-open if { var(txn.rule) -m int 1 } { nbsrv(web) eq 0 } { nbsrv(lab_working) gt 0 }")
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


def test_a_fixed_response_may_be_without_a_body() -> None:
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "400", "ContentType": "text/plain"}}
    assert "http-request return status 400 hdr Server" in text(Rule((), fixed))


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


CERTIFICATES = (Certificate("arn:one", "0A", "one"), Certificate("arn:two", "0B", "two"))
TLS = Tls(CERTIFICATES, ("TLSv1.3", "TLSv1.2"), ("TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"))


def served(tls: Tls, *rules: Rule) -> str:
    return render(Balancer((Listener(443, (*rules, Rule((), FORWARD)), tls),), (WEB,)))


def test_an_https_listener_has_its_certificates_in_order_and_what_its_policy_allows() -> None:
    one, two = (certificate.file for certificate in CERTIFICATES)
    assert (
        f"bind :443 ssl crt /lab/{one} crt /lab/{two} ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3 alpn h2,http/1.1"
        " ciphers ECDHE-RSA-AES128-GCM-SHA256 ciphersuites TLS_AES_128_GCM_SHA256\n"
    ) in served(TLS)
    assert "alpn http/1.1" in served(replace(TLS, http2=False))


def test_a_policy_with_old_protocols_is_served_at_openssls_lowest_level() -> None:
    assert "ssl-min-ver TLSv1.0" in served(replace(TLS, protocols=("TLSv1.2", "TLSv1.1", "TLSv1")))
    assert "GCM-SHA256:@SECLEVEL=0" in served(replace(TLS, protocols=("TLSv1.2", "TLSv1.1", "TLSv1")))
    assert "SECLEVEL" not in served(TLS)


def test_a_certificates_file_is_named_by_what_is_in_it() -> None:
    renewed = replace(CERTIFICATES[0], pem="renewed")
    assert renewed.file != CERTIFICATES[0].file
    assert renewed.file in served(replace(TLS, certificates=(renewed,)))


def test_the_target_is_told_that_the_client_came_over_https() -> None:
    assert "set-header X-Forwarded-Proto https" in served(TLS)
    assert "X-Amzn-Tls-Version" not in served(TLS)
    assert "set-header X-Amzn-Tls-Version %[ssl_fc_protocol]" in served(replace(TLS, tell_target=True))


def test_a_redirect_that_keeps_the_protocol_knows_it() -> None:
    elsewhere = {"Type": "redirect", "RedirectConfig": {"Host": "www.example.com", "StatusCode": "HTTP_302"}}
    assert 'redirect location "https://www.example.com:%[dst_port]%[path]" code 302' in served(TLS, Rule((), elsewhere))


@pytest.mark.parametrize(
    ("targets", "checks", "words"),
    [
        ("HTTPS", "HTTPS", "rise 5 fall 2 ssl verify none check-ssl"),
        ("HTTPS", "HTTP", "rise 5 fall 2 ssl verify none no-check-ssl"),
        ("HTTP", "HTTPS", "rise 5 fall 2 verify none check-ssl"),
        ("HTTP", "HTTP", "rise 5 fall 2"),
    ],
)
def test_targets_are_spoken_to_and_checked_by_their_groups_protocols(targets: Any, checks: Any, words: str) -> None:
    group = Group("web", HealthCheck(protocol=checks), targets=WEB.targets, protocol=targets)
    assert f"server i-1 10.0.0.5:80 check inter 30s {words}\n" in text(group=group)


def test_stickiness_is_a_cookie_that_follows_from_the_target() -> None:
    found = text(group=replace(WEB, sticky=3600))
    assert "cookie AWSALB insert indirect nocache dynamic maxlife 3600s" in found
    assert "cookie" not in text()


def test_a_slow_start_gives_a_new_target_its_share_little_by_little() -> None:
    assert "fall 2 slowstart 60s\n" in text(group=replace(WEB, slow_start=60))


def test_invalid_header_fields_are_dropped_when_asked() -> None:
    assert "del-header '[^-A-Za-z0-9]' -m reg" in render(Balancer((Listener(80, (Rule((), FORWARD),)),), (WEB,), drop_invalid_headers=True))
    assert "del-header '" not in text()


def test_requests_are_told_for_the_access_logs_when_these_are_on() -> None:
    found = render(Balancer((Listener(80, (Rule((), FORWARD),)),), (WEB,), access_logs=True))
    assert "server lab unix@/lab/access.sock" in found
    assert "log ring@access local0 info" in found
    assert "ring@access" not in text()
