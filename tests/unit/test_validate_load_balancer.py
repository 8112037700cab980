"""Wrong listeners, rules, certificates and access logs are told by variable, value and remedy: the table is what users see."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.stack.validate import validate

from .wanted import served

HTTPS = "alb_listeners.https"
RULE = f"{HTTPS}.rules.closed"
GROUP = "alb_target_groups.web"
ACTIONS = "fixed_response, redirect, target_group, weights"


def changed(path: str, value: Any) -> dict[str, Any]:
    """The same with one value replaced, or taken away when it is None; missing maps on the way are made."""
    result = served()
    *parents, last = path.split(".")
    place: Any = result
    for key in parents:
        place = place.setdefault(key, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


WRONG = [
    (f"{HTTPS}.certificate", None,
     f"{HTTPS} is HTTPS and has no certificate. Set {HTTPS}.certificate to a key of certificate_map or to an ARN"),
    (f"{HTTPS}.certificate", "sight",
     f"{HTTPS}.certificate is 'sight': no such certificate in certificate_map. Choose one of api, site"),
    (f"{HTTPS}.certificate", "arn:aws:acm:us-east-1:123456789012:certificate/1",
     f"{HTTPS}.certificate is 'arn:aws:acm:us-east-1:123456789012:certificate/1': a certificate of us-east-1; "
     "a load balancer takes those of its own region. Use one of ap-northeast-1"),
    (f"{HTTPS}.protocol", "HTTP",
     f"{HTTPS}.certificate is 'site': an HTTP listener has none. Set protocol to HTTPS, or take it away"),
    (f"{HTTPS}.port", 80, f"{HTTPS}.port is 80: alb_listeners.http has this port already. Give each listener a port of its own"),
    (f"{HTTPS}.port", 70000, f"{HTTPS}.port is 70000: no port. Choose 1 to 65535"),
    (f"{HTTPS}.target_group", None, f"{HTTPS} does nothing with a request. Give it exactly one of {ACTIONS}"),
    (f"{HTTPS}.redirect", "http", f"{HTTPS} has redirect, target_group. Give it exactly one of {ACTIONS}"),
    ("alb_listeners.http.redirect", "tls",
     "alb_listeners.http.redirect is 'tls': no such listener in alb_listeners. Choose one of http, https, or give a map"),
    ("alb_listeners.http.redirect", "http",
     "alb_listeners.http.redirect is 'http': a redirect to itself never ends. Redirect to another listener"),
    ("alb_listeners.http.redirect", {"code": 302},
     "alb_listeners.http.redirect is {'code': 302}: the client would come back for ever. Change protocol, host, port or path"),
    ("alb_listeners.http.redirect", {"host": "example.com", "code": 307},
     "alb_listeners.http.redirect.code is 307: not a redirect of AWS's. Choose 301 or 302"),
    ("alb_listeners.http.redirect", {"hosts": "example.com"},
     "alb_listeners.http.redirect is 'hosts': a redirect has no such part. Choose among code, host, path, port, protocol, query"),
    (f"{HTTPS}.rules.post.priority", 10,
     f"{HTTPS}.rules.post.priority is 10: {RULE} has this priority already. Give each rule of a listener a priority of its own"),
    (f"{RULE}.priority", 0, f"{RULE}.priority is 0: out of range. Choose 1 to 50000"),
    (f"{RULE}.paths", None, f"{RULE} has no condition. Give it some of headers, hosts, methods, paths, source_ips; "
     "what holds for every request is the listener's own"),
    (f"{RULE}.paths", ["admin"], f"{RULE}.paths is 'admin': no path of a request is like this. Begin it with /"),
    (f"{RULE}.paths", [f"/{n}" for n in range(6)],
     f"{RULE} is 6: a rule has 5 values at most, those of all its conditions together. Make two rules of it"),
    (f"{RULE}.fixed_response.status", 302, f"{RULE}.fixed_response.status is 302: not allowed by AWS. Choose 2xx, 4xx or 5xx"),
    (f"{HTTPS}.rules.post.methods", ["post"],
     f"{HTTPS}.rules.post.methods is 'post': not a method that AWS takes. Use capital letters, such as GET"),
    (f"{HTTPS}.rules.inside.source_ips", ["10.0.0.1/8"],
     f"{HTTPS}.rules.inside.source_ips is '10.0.0.1/8': not a range of addresses. Use a form such as 203.0.113.0/24"),
    (f"{HTTPS}.rules.api.hosts", ["shop.example.com"],
     f"{HTTPS}.rules.api.hosts is 'shop.example.com': the listener's certificates cover api.example.com, "
     "example.com, www.example.com alone. Add it to certificate_map"),
    (f"{HTTPS}.rules.split.weights", {"web": 1, "blue": 1},
     f"{HTTPS}.rules.split.weights is 'blue': no such group in alb_target_groups. Choose one of spare, web"),
    (f"{HTTPS}.rules.split.weights", {"web": 1000},
     f"{HTTPS}.rules.split.weights is {{'web': 1000}}: AWS takes one to five groups with weights from 0 to 999. Correct them"),
    (f"{GROUP}.slow_start", 10, f"{GROUP}.slow_start is 10: out of range. Choose 30 to 900 seconds, or 0 for none"),
    (f"{GROUP}.algorithm", "least_outstanding_requests",
     f"{GROUP}.slow_start is 30: AWS lets no group start slowly that looks at outstanding requests. "
     "Set it to 0, or algorithm to round_robin"),
    (f"{GROUP}.deregistration_delay", 4000, f"{GROUP}.deregistration_delay is 4000: out of range. Choose 0 to 3600 seconds"),
    (f"{GROUP}.health_check.port", 0, f"{GROUP}.health_check.port is 0: no port. Choose 1 to 65535"),
    ("alb_idle_timeout", 5000, "alb_idle_timeout is 5000: out of range. Choose 1 to 4000 seconds"),
    ("certificate_map.site.names", ["www_example"],
     "certificate_map.site.names is 'www_example': not a DNS name. Use a form such as www.example.com or *.example.com, in small letters"),
    ("certificate_map.api", {}, "certificate_map.api says neither whom it is for nor where it is. "
     "Give it names, file and key_file, or arn"),
    ("certificate_map.api.file", "/etc/hostname",
     "certificate_map.api is '/etc/hostname': a certificate and its private key go together. Give both file and key_file"),
    ("certificate_map.api", {"file": "/none", "key_file": "/etc/hostname"},
     "certificate_map.api.file is '/none': no such file on this computer. Correct the path"),
    ("certificate_map.api.arn", "arn:aws:acm:us-east-1:123456789012:certificate/1",
     "certificate_map.api.arn is 'arn:aws:acm:us-east-1:123456789012:certificate/1': a certificate of us-east-1; "
     "a load balancer takes those of its own region. Ask for one in ap-northeast-1"),
    ("certificate_map.api.arn", "api", "certificate_map.api.arn is 'api': not the ARN of a certificate. Copy it from Certificate Manager"),
    ("log_bucket_name", "logs", "log_bucket_name is 'logs': does not begin with uda-, by which the stack finds its buckets. "
     "Use uda-logs-..."),
    ("log_bucket_name", "uda_logs", "log_bucket_name is 'uda_logs': not a name that AWS takes. "
     "Use 3 to 63 lower-case letters, digits and hyphens, no hyphen at either end, "
     "none of the beginnings and ends that S3 keeps for itself"),
    ("log_bucket_prefix", "other",
     "alb_access_logs_prefix is 'alb': the bucket lets log delivery write below log_bucket_prefix 'other'. Give both the same prefix"),
    ("alb_access_logs_bucket", "", "alb_access_logs_bucket is '': nothing would write into log_bucket_name. Set it to the bucket's name"),
    ("alb_listeners.https.certificate", "arn:aws", "alb_listeners.https.certificate is 'arn:aws': not the ARN of a certificate. "
     "Copy it from Certificate Manager"),
    ("alb_listeners.https.rules.post.headers", {"X-Kind": "robots"},
     "alb_listeners.https.rules.post.headers.X-Kind is 'robots': not a list. Give a list of values"),
    ("alb_access_logs_prefix", "/alb", "alb_access_logs_prefix is '/alb': AWS adds slashes and AWSLogs itself. Take them out"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[f"{path}={value}"[:60] for path, value, _ in WRONG])
def test_a_wrong_value_is_told(path: str, value: Any, message: str) -> None:
    assert message in validate(changed(path, value))


def test_an_unknown_condition_is_told_with_those_that_there_are() -> None:
    (line,) = [line for line in validate(changed(f"{RULE}.cookies", ["a"])) if RULE in line]
    assert "cookies" in line
    assert "headers, hosts, methods, paths" in line


def test_a_renewal_must_come_before_the_end() -> None:
    wrong = served() | {"certificate_days": 90, "certificate_renew_days": 90}
    assert "certificate_renew_days is 90: not between 0 and certificate_days 90. Choose fewer days" in validate(wrong)


def test_https_with_rules_and_access_logs_is_right() -> None:
    assert validate(served()) == []


def test_hosts_are_not_compared_with_certificates_that_are_not_known_here() -> None:
    given = changed(f"{HTTPS}.certificate", "arn:aws:acm:ap-northeast-1:123456789012:certificate/1")
    given["alb_listeners"]["https"]["rules"]["api"]["hosts"] = ["shop.example.com"]
    assert validate(given) == []


def test_a_stack_whose_name_has_an_underscore_has_buckets_with_a_hyphen_in_its_place() -> None:
    stack = changed("stack_name", "uda_blue") | {"log_bucket_name": "uda-blue-logs", "alb_access_logs_bucket": "uda-blue-logs"}
    assert [line for line in validate(stack) if line.startswith("log_bucket")] == []
