"""What haproxy is told so that it behaves like an application load balancer. Pure: values in, text out.

One frontend for each listener; its rules are tried in order of priority and the first that holds decides. Two backends for each
target group: `<group>` sends to healthy targets, `<group>-open` to all of them, because a load balancer whose targets are
all unhealthy "fails open" on AWS. Conditions and actions keep the shape of the AWS API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SLOW_MS = 2900  # a connection that failed sooner was refused (502), later it was dropped (504)
SERVER = "awselb/2.0"
CONNECT_SECONDS = 10  # how long AWS waits for a target to accept a connection
PAGE = "<html>\\r\\n<head><title>{0}</title></head>\\r\\n<body>\\r\\n<center><h1>{0}</h1></center>\\r\\n</body>\\r\\n</html>\\r\\n"
STATE_HEADER = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change"
    " srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn"
    " srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a target listens."""

    id: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How the targets of a group are asked whether they are well."""

    path: str = "/"
    port: int | None = None  # None: the port that the target serves on
    interval: int = 30
    timeout: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    matcher: str = "200"


@dataclass(frozen=True, slots=True)
class Group:
    """A target group."""

    name: str
    check: HealthCheck = HealthCheck()
    least_outstanding: bool = False
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Conditions (all must hold; none for the default rule) and one action, in the shape of the AWS API."""

    conditions: tuple[Mapping[str, Any], ...]
    action: Mapping[str, Any]


@dataclass(frozen=True)
class Listener:
    """A port and the rules that decide about its requests."""

    port: int
    rules: tuple[Rule, ...]  # in order of priority, the default rule last


@dataclass(frozen=True)
class Balancer:
    """A load balancer."""

    listeners: tuple[Listener, ...] = ()
    groups: tuple[Group, ...] = ()
    idle_timeout: int = 60


def render(balancer: Balancer) -> str:
    """The text of haproxy.cfg."""
    sections = [_global(balancer)]
    sections += [_frontend(listener) for listener in balancer.listeners]
    for group in balancer.groups:
        sections += [_backend(group), _open_backend(group)]
    return "\n".join(sections)


def server_options(check: HealthCheck) -> str:
    """The part of a `server` line that says how it is checked; the runtime API's `add server` takes the same words."""
    port = f" port {check.port}" if check.port else ""
    return f"check{port} inter {check.interval}s rise {check.healthy_threshold} fall {check.unhealthy_threshold}"


def initial_state(balancer: Balancer, known: str = "") -> str:
    """A server-state file in which every target that is not in `known` (`show servers state`) is down until its checks pass.

    Without it haproxy 2.6 sends requests to a new server before the first check has answered.
    """
    lines = [line for line in known.splitlines() if len(line.split()) > 1 and not line.startswith("#")]
    present = {tuple(line.split()[1:4:2]) for line in lines}
    lines += [
        f"0 {group.name} 0 {target.id} {target.address} 0 0 1 1 0 1 0 0 6 0 0 0 - {target.port} - 0 0 - - 0"
        for group in balancer.groups
        for target in group.targets
        if (group.name, target.id) not in present
    ]
    return STATE_HEADER + "".join(f"{line}\n" for line in lines)


def _global(balancer: Balancer) -> str:
    return f"""\
global
  log stdout format raw daemon notice
  stats socket /lab/stats.sock mode 600 level admin
  server-state-file /lab/servers.state
  hard-stop-after 300s

defaults
  mode http
  load-server-state-from-file global
  option http-server-close
  timeout connect {CONNECT_SECONDS}s
  timeout client {balancer.idle_timeout}s
  timeout server {balancer.idle_timeout}s
  timeout http-keep-alive {balancer.idle_timeout}s
{_error(500, "Internal Server Error")}
{_error(502, "Bad Gateway")}
{_error(504, "Gateway Time-out")}

frontend none
  bind unix@/lab/none.sock
"""


def _error(status: int, reason: str) -> str:
    page = _quote(PAGE.format(f"{status} {reason}"), raw=False)
    return f"  http-error status {status} content-type text/html string {page} hdr Server {SERVER}"


def _quote(text: str, raw: bool = True) -> str:
    """A word of haproxy.cfg. Between double quotes haproxy reads `\\r` and `\\n`; `raw` text is taken as it is."""
    if raw:
        return "'" + text.replace("'", "'\\''") + "'"
    return '"' + text.replace('"', '\\"') + '"'


# Listeners


def _frontend(listener: Listener) -> str:
    lines = [
        f"frontend listener-{listener.port}",
        f"  bind :{listener.port}",
        '  http-request set-header X-Forwarded-For "%[req.fhdr(X-Forwarded-For)], %[src]" if { req.fhdr(X-Forwarded-For) -m found }',
        "  http-request set-header X-Forwarded-For %[src] if !{ req.fhdr(X-Forwarded-For) -m found }",
        "  http-request set-header X-Forwarded-Proto http",
        "  http-request set-header X-Forwarded-Port %[dst_port]",
        '  http-request set-header X-Amzn-Trace-Id "Root=1-%[date,hex,bytes(8,8),lower]-%[uuid,regsub(-,,g),bytes(0,24)]"'
        " if !{ req.fhdr(X-Amzn-Trace-Id) -m found }",
    ]
    for number, rule in enumerate(listener.rules, 1):
        for index, condition in enumerate(rule.conditions, 1):
            lines += [f"  acl rule-{number}-{index} {test}" for test in _tests(condition)]
        holds = " ".join(f"rule-{number}-{index}" for index in range(1, len(rule.conditions) + 1))
        lines.append(f"  http-request set-var(txn.rule) int({number}) if !{{ var(txn.rule) -m found }} {holds}".rstrip())
    for number, rule in enumerate(listener.rules, 1):
        lines += [f"  {line}" for line in _action(rule.action, f"{{ var(txn.rule) -m int {number} }}")]
    return "\n".join(lines) + "\n"


def _tests(condition: Mapping[str, Any]) -> list[str]:
    """haproxy's tests for one condition; lines of one name are alternatives."""
    field = condition["Field"]
    if field == "path-pattern":
        return [f"path -m reg {_quote(pattern(value))}" for value in _values(condition, "PathPatternConfig")]
    if field == "host-header":
        return [f"req.hdr(host),field(1,:) -m reg -i {_quote(pattern(value))}" for value in _values(condition, "HostHeaderConfig")]
    if field == "http-header":
        name = condition["HttpHeaderConfig"]["HttpHeaderName"]
        return [f"req.fhdr({name}) -m reg -i {_quote(pattern(value))}" for value in _values(condition, "HttpHeaderConfig")]
    if field == "http-request-method":
        return [f"method {_quote(value)}" for value in _values(condition, "HttpRequestMethodConfig")]
    if field == "source-ip":
        return [f"src {_quote(value)}" for value in _values(condition, "SourceIpConfig")]
    pairs = condition["QueryStringConfig"]["Values"]
    return [
        f"url_param({pair['Key']}) -m reg {_quote(pattern(pair['Value']))}" if pair.get("Key") else
        f"query -m reg {_quote('(^|&)[^=&]*=' + pattern(pair['Value'])[1:-1] + '(&|$)')}"
        for pair in pairs
    ]  # fmt: skip


def _values(condition: Mapping[str, Any], key: str) -> Iterable[str]:
    return (condition.get(key) or {}).get("Values") or condition.get("Values") or ()


def pattern(value: str) -> str:
    """AWS's wildcards (`*` any run of characters, `?` one character) as a regular expression."""
    return "^" + "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in value) + "$"


def _action(action: Mapping[str, Any], condition: str) -> list[str]:
    if action["Type"] == "forward":
        return _forward(weights(action), condition)
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        content = f"content-type {_quote(fixed.get('ContentType') or 'text/plain')} string {_quote(fixed.get('MessageBody') or '')}"
        return [f"http-request return status {fixed['StatusCode']} {content} hdr Server {SERVER} if {condition}"]
    if action["Type"] == "redirect":
        return _redirect(action["RedirectConfig"], condition)
    return [f"http-request return status 500 hdr Server {SERVER} if {condition}"]


def weights(action: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Target group (ARN or name) -> weight, for both ways in which a forward action names its groups."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    return [(group["TargetGroupArn"].split(":targetgroup/")[-1].split("/")[0], int(group.get("Weight", 1))) for group in groups]


def _forward(groups: list[tuple[str, int]], condition: str) -> list[str]:
    total = sum(weight for _name, weight in groups)
    if len(groups) == 1 or total == 0:
        return _use(groups[0][0], condition)
    lines, reached = [f"http-request set-var(txn.share) rand({total}) if {condition}"], 0
    for name, weight in groups:
        reached += weight
        if weight:
            lines += _use(name, f"{condition} {{ var(txn.share) -m int lt {reached} }}")
    return lines


def _use(name: str, condition: str) -> list[str]:
    return [f"use_backend {name}-open if {condition} {{ nbsrv({name}) eq 0 }}", f"use_backend {name} if {condition}"]


def _redirect(config: Mapping[str, Any], condition: str) -> list[str]:
    """AWS writes the port always, and keeps what the configuration does not change."""
    parts = {
        "protocol": config.get("Protocol") or "#{protocol}", "host": config.get("Host") or "#{host}",
        "port": config.get("Port") or "#{port}", "path": config.get("Path") or "/#{path}", "query": config.get("Query", "#{query}"),
    }  # fmt: skip
    location = "{protocol}://{host}:{port}{path}".format_map(parts)
    code = str(config["StatusCode"]).removeprefix("HTTP_")
    found = {
        "#{protocol}": "http", "#{host}": "%[req.hdr(host),field(1,:)]", "#{port}": "%[dst_port]", "/#{path}": "%[path]",
        "#{path}": "%[path,regsub(^/,)]", "#{query}": "%[query]",
    }  # fmt: skip
    query = parts["query"]
    for placeholder, value in found.items():
        location, query = location.replace(placeholder, value), query.replace(placeholder, value)
    location = re.sub(r"^HTTPS?", lambda match: match.group().lower(), location)
    if query == "%[query]":
        return [
            f'http-request redirect location "{location}?%[query]" code {code} if {condition} {{ query -m len gt 0 }}',
            f'http-request redirect location "{location}" code {code} if {condition}',
        ]
    return [f'http-request redirect location "{location}{"?" + query if query else ""}" code {code} if {condition}']


# Target groups


def _backend(group: Group) -> str:
    """Sends to healthy targets; a connection that fails is tried on another target, so that one that just ended costs no request."""
    check = group.check
    return "\n".join(
        [
            f"backend {group.name}",
            f"  balance {'leastconn' if group.least_outstanding else 'roundrobin'}",
            "  timeout connect 3s",
            "  retries 2",
            "  option redispatch 1",
            "  option httpchk",
            f"  http-check send meth GET uri {_quote(check.path)} ver HTTP/1.1 hdr Host %si hdr User-Agent ELB-HealthChecker/2.0"
            " hdr Connection close",
            f"  http-check expect status {check.matcher}",
            f"  timeout check {check.timeout}s",
            *_connection_errors(),
            *(f"  server {target.id} {target.address}:{target.port} {server_options(check)}" for target in group.targets),
            "",
        ]
    )


def _open_backend(group: Group) -> str:
    """Sends to every target, healthy or not; without any target there is nothing but 503."""
    page = _quote(PAGE.format("503 Service Temporarily Unavailable"), raw=False)
    return "\n".join(
        [
            f"backend {group.name}-open",
            f"  acl deserted nbsrv({group.name}-open) eq 0",
            f"  http-request return status 503 content-type text/html string {page} hdr Server {SERVER} if deserted",
            f"  balance {'leastconn' if group.least_outstanding else 'roundrobin'}",
            "  retries 0",
            *_connection_errors(),
            *(f"  server {target.id} {target.address}:{target.port}" for target in group.targets),
            "",
        ]
    )


def _connection_errors() -> list[str]:
    """haproxy says 503 when no connection came about; an ALB says 502 when it was refused and 504 when nobody answered."""
    slow = f"date(0,ms),sub(txn.start),div({SLOW_MS})"
    page = _quote(PAGE.format(f"%[{slow},bool,iif(504 Gateway Time-out,502 Bad Gateway)]"), raw=False)
    return [
        "  http-request set-var(txn.start) date(0,ms)",
        f"  http-error status 503 content-type text/html lf-string {page} hdr Server {SERVER} hdr X-Lab-Connection failed",
        "  acl unconnected res.hdr(X-Lab-Connection) -m found",
        f"  acl slow {slow} gt 0",
        '  http-after-response set-status 504 reason "Gateway Time-out" if unconnected slow',
        '  http-after-response set-status 502 reason "Bad Gateway" if unconnected !slow',
        "  http-after-response del-header X-Lab-Connection if unconnected",
    ]
