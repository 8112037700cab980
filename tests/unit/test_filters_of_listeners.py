"""The filters of listeners, their rules, target groups and certificates, on values."""

from __future__ import annotations

from .filters import load

GROUPS = {"web": "arn:web", "api": "arn:api"}


def test_listeners_name_target_groups() -> None:
    listeners = load("alb_listeners", "alb_listeners")
    assert listeners({"http": {"port": 80, "target_group": "web"}}, GROUPS, {}) == [
        {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:web"}], "Rules": []}
    ]


def test_an_https_listener_names_certificates_by_key_or_arn() -> None:
    wanted = {"port": 443, "protocol": "HTTPS", "certificate": "site", "more_certificates": ["arn:aws:acm:::other"], "target_group": "web"}
    (listener,) = load("alb_listeners", "alb_listeners")({"https": wanted}, GROUPS, {"site": "arn:site"})
    assert listener["Certificates"] == [{"CertificateArn": "arn:site"}, {"CertificateArn": "arn:aws:acm:::other"}]
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_a_redirect_to_a_listener_is_spelled_out_as_aws_gives_it_back() -> None:
    wanted = {
        "http": {"port": 80, "redirect": "https"},
        "https": {"port": 8443, "protocol": "HTTPS", "certificate": "site", "target_group": "web"},
    }
    http, _https = load("alb_listeners", "alb_listeners")(wanted, GROUPS, {"site": "arn:site"})
    assert http["DefaultActions"][0]["RedirectConfig"] == {
        "Protocol": "HTTPS", "Host": "#{host}", "Port": "8443", "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301",
    }  # fmt: skip


def test_rules_come_by_priority_with_all_their_conditions() -> None:
    rules = {
        "later": {"priority": 20, "paths": ["/b", "/a"], "headers": {"X-Kind": ["robot"]}, "fixed_response": {"status": 403}},
        "first": {"priority": 5, "hosts": ["api.example.com"], "weights": {"web": 9, "api": 1}},
    }
    (listener,) = load("alb_listeners", "alb_listeners")({"http": {"port": 80, "target_group": "web", "rules": rules}}, GROUPS, {})
    first, later = listener["Rules"]
    assert (first["Priority"], later["Priority"]) == ("5", "20")
    assert first["Actions"][0]["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": "arn:api", "Weight": 1},
        {"TargetGroupArn": "arn:web", "Weight": 9},
    ]
    assert later["Conditions"] == [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["robot"]}},
    ]
    assert later["Actions"] == [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"}}]


def test_group_attributes_say_off_too() -> None:
    attributes = load("alb_listeners", "alb_group_attributes")
    assert attributes({}) == {
        "deregistration_delay.timeout_seconds": "30",
        "load_balancing.algorithm.type": "round_robin",
        "slow_start.duration_seconds": "0",
        "stickiness.enabled": "false",
    }
    assert attributes({"stickiness": 60})["stickiness.lb_cookie.duration_seconds"] == "60"


def test_rules_that_answer_by_themselves_are_probed_with_a_request_that_they_match() -> None:
    rules = {
        "closed": {"priority": 10, "paths": ["/admin/*"], "fixed_response": {"status": 403}},
        "old": {"priority": 20, "hosts": ["*.example.com"], "methods": ["POST"], "redirect": {"path": "/new", "code": 302}},
        "inside": {"priority": 30, "source_ips": ["10.0.0.0/8"], "fixed_response": {"status": 200}},
        "api": {"priority": 40, "paths": ["/api"], "target_group": "api"},
    }
    itself, closed, old = load("alb_listeners", "alb_probes")({"http": {"port": 80, "redirect": "https", "rules": rules}})
    assert (itself["name"], itself["path"], itself["status"]) == ("http", "/", 301)
    assert closed == {
        "name": "http.closed", "scheme": "http", "port": 80, "path": "/admin/x", "method": "GET", "headers": {}, "status": 403,
    }  # fmt: skip
    assert (old["method"], old["headers"], old["status"]) == ("POST", {"Host": "x.example.com"}, 302)


def test_no_request_is_asked_that_a_rule_of_an_earlier_priority_would_take() -> None:
    gone = {"status": 410}
    rules = {
        "api": {"priority": 10, "paths": ["/api/*"], "target_group": "api"},
        "shadowed": {"priority": 20, "paths": ["/api/old"], "fixed_response": gone},
        "second": {"priority": 30, "paths": ["/api/new", "/new"], "fixed_response": gone},
        "hosts": {"priority": 40, "hosts": ["*.example.com"], "target_group": "api"},
        "named": {"priority": 50, "hosts": ["API.EXAMPLE.COM", "api.example.org"], "fixed_response": gone},
        "robots": {"priority": 60, "headers": {"User-Agent": ["robot*"]}, "methods": ["GET"], "target_group": "api"},
        "robot": {"priority": 70, "headers": {"user-agent": ["Robot?", "spider"]}, "fixed_response": gone},
        "inside": {"priority": 80, "paths": ["/", "/inside"], "source_ips": ["10.0.0.0/8"], "fixed_response": gone},
        "maybe": {"priority": 90, "paths": ["/inside", "/outside"], "fixed_response": gone},
    }
    probes = load("alb_listeners", "alb_probes")
    found = {
        probe["name"]: probe for probe in probes({"http": {"port": 80, "redirect": "https", "rules": rules}}, "balancer", ["10.1.0.0/16"])
    }
    assert list(found) == ["http", "http.second", "http.named", "http.robot", "http.maybe"]
    assert [found[name]["path"] for name in ("http", "http.second", "http.maybe")] == ["/x", "/new", "/outside"]
    assert found["http.named"]["headers"] == {"Host": "api.example.org"}
    assert found["http.robot"]["headers"] == {"user-agent": "spider"}


def test_a_rule_for_the_load_balancers_own_name_takes_what_names_no_other() -> None:
    rules = {"own": {"priority": 1, "hosts": ["*.elb.amazonaws.com"], "target_group": "web"}}
    probes = load("alb_listeners", "alb_probes")
    assert probes({"http": {"port": 80, "redirect": "https", "rules": rules}}, "uda.ap-northeast-1.elb.amazonaws.com") == []
    assert len(probes({"http": {"port": 80, "redirect": "https", "rules": rules}}, "uda.internal")) == 1


def test_certificates_are_looked_at_under_all_their_names() -> None:
    served = load("alb_listeners", "alb_served_certificates")
    listeners = {
        "https": {"port": 443, "protocol": "HTTPS", "certificate": "site", "more_certificates": ["own", "arn:aws:acm:::1"]},
        "http": {"port": 80},
    }
    certificates = {"site": {"names": ["www.example.com", "example.com"]}, "own": {"arn": "arn:1", "names": ["own.example.com"]}}
    assert served(listeners, certificates) == [
        {"port": 443, "name": "www.example.com", "first": True, "made_here": True},
        {"port": 443, "name": "example.com", "first": False, "made_here": True},
        {"port": 443, "name": "own.example.com", "first": True, "made_here": False},
    ]


def test_a_wildcard_covers_one_label() -> None:
    lacks = load("certificates", "certificate_lacks")
    assert lacks(["www.example.com", "a.b.example.com", "example.com"], ["*.example.com"]) == ["a.b.example.com", "example.com"]
