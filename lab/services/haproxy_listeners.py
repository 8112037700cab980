"""What haproxy is told of listeners and their rules. Pure: values in, text out.

One frontend for each listener; its rules are tried in order of priority and the first that holds decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .balancer import Balancer, Listener, Tls
from .haproxy_words import NOT_ENDING, SERVER, quoted

# What is told of a request for the access logs, one line with tabs between: access_logs.py reads it by these names.
ACCESS_FIELDS = {
    "ended": "%[date(0,ms)]", "active": "%Ta", "waited": "%Tw", "connected": "%Tc", "answered": "%Tr", "sent": "%Td",
    "client": "%ci:%cp", "target": "%si:%sp", "port": "%fp", "status": "%ST", "target_status": "%[var(txn.target_status)]",
    "received_bytes": "%U", "sent_bytes": "%B", "method": "%HM", "uri": "%[var(txn.uri)]", "version": "%HV", "host": "%[var(txn.host)]",
    "agent": "%[var(txn.agent)]", "cipher": "%sslc", "protocol": "%sslv", "sni": "%[ssl_fc_sni]", "serial": "%[ssl_f_serial,hex]",
    "backend": "%b", "trace": "%[var(txn.trace)]", "rule": "%[var(txn.rule)]", "location": "%[var(txn.location)]",
}  # fmt: skip
TLS_VERSIONS = {"TLSv1": "TLSv1.0", "TLSv1.1": "TLSv1.1", "TLSv1.2": "TLSv1.2", "TLSv1.3": "TLSv1.3"}  # AWS's name -> haproxy's
OLD = {"TLSv1", "TLSv1.1"}  # OpenSSL speaks them at its lowest security level alone


def frontend(listener: Listener, balancer: Balancer) -> str:
    """The section of one listener."""
    scheme = "https" if listener.tls else "http"
    lines = [
        f"frontend listener-{listener.port}",
        f"  bind :{listener.port}{_tls(listener.tls) if listener.tls else ''}",
        *(["  http-request del-header '[^-A-Za-z0-9]' -m reg"] if balancer.drop_invalid_headers else []),
        '  http-request set-header X-Forwarded-For "%[req.fhdr(X-Forwarded-For)], %[src]" if { req.fhdr(X-Forwarded-For) -m found }',
        "  http-request set-header X-Forwarded-For %[src] if !{ req.fhdr(X-Forwarded-For) -m found }",
        f"  http-request set-header X-Forwarded-Proto {scheme}",
        "  http-request set-header X-Forwarded-Port %[dst_port]",
        '  http-request set-header X-Amzn-Trace-Id "Root=1-%[date,hex,bytes(8,8),lower]-%[uuid,regsub(-,,g),bytes(0,24)]"'
        " if !{ req.fhdr(X-Amzn-Trace-Id) -m found }",
    ]
    if listener.tls and listener.tls.tell_target:
        lines += [
            "  http-request set-header X-Amzn-Tls-Version %[ssl_fc_protocol]",
            "  http-request set-header X-Amzn-Tls-Cipher-Suite %[ssl_fc_cipher]",
        ]
    if balancer.access_logs:
        lines += [f"  {line}" for line in _access_log()]
    for number, rule in enumerate(listener.rules, 1):
        for index, condition in enumerate(rule.conditions, 1):
            lines += [f"  acl rule-{number}-{index} {test}" for test in _tests(condition)]
        holds = " ".join(f"rule-{number}-{index}" for index in range(1, len(rule.conditions) + 1))
        lines.append(f"  http-request set-var(txn.rule) int({number}) if !{{ var(txn.rule) -m found }} {holds}".rstrip())
    for number, rule in enumerate(listener.rules, 1):
        lines += [f"  {line}" for line in _action(rule.action, f"{{ var(txn.rule) -m int {number} }}", scheme)]
    return "\n".join(lines) + "\n"


def _tls(tls: Tls) -> str:
    """The first certificate is the one of clients that ask for no name, or for one that no certificate has."""
    certificates = " ".join(f"crt /lab/{certificate.file}" for certificate in tls.certificates)
    versions = sorted(TLS_VERSIONS[name] for name in tls.protocols)
    words = f" ssl {certificates} ssl-min-ver {versions[0]} ssl-max-ver {versions[-1]} alpn {'h2,http/1.1' if tls.http2 else 'http/1.1'}"
    suites = [cipher for cipher in tls.ciphers if cipher.startswith("TLS_")]
    ciphers = [cipher for cipher in tls.ciphers if not cipher.startswith("TLS_")]
    if ciphers:
        words += f" ciphers {':'.join(ciphers)}{':@SECLEVEL=0' if OLD & set(tls.protocols) else ''}"
    return words + (f" ciphersuites {':'.join(suites)}" if suites else "")


def _access_log() -> list[str]:
    return [
        "log ring@access local0 info",
        'log-format "' + "\\t".join(ACCESS_FIELDS.values()) + '"',
        "http-request set-var(txn.uri) pathq",
        "http-request set-var(txn.host) req.hdr(host)",
        "http-request set-var(txn.agent) req.fhdr(User-Agent)",
        "http-request set-var(txn.trace) req.fhdr(X-Amzn-Trace-Id)",
        "http-response set-var(txn.target_status) status",
        "http-after-response set-var(txn.location) res.fhdr(Location)",
    ]


def _tests(condition: Mapping[str, Any]) -> list[str]:
    """haproxy's tests for one condition; lines of one name are alternatives."""
    field = condition["Field"]
    if field == "path-pattern":
        return [f"path -m reg {quoted(pattern(value))}" for value in _values(condition, "PathPatternConfig")]
    if field == "host-header":
        return [f"req.hdr(host),field(1,:) -m reg -i {quoted(pattern(value))}" for value in _values(condition, "HostHeaderConfig")]
    if field == "http-header":
        name = condition["HttpHeaderConfig"]["HttpHeaderName"]
        return [f"req.fhdr({name}) -m reg -i {quoted(pattern(value))}" for value in _values(condition, "HttpHeaderConfig")]
    if field == "http-request-method":
        return [f"method {quoted(value)}" for value in _values(condition, "HttpRequestMethodConfig")]
    if field == "source-ip":
        return [f"src {quoted(value)}" for value in _values(condition, "SourceIpConfig")]
    pairs = condition["QueryStringConfig"]["Values"]
    return [
        f"url_param({pair['Key']}) -m reg {quoted(pattern(pair['Value']))}" if pair.get("Key") else
        f"query -m reg {quoted('(^|&)[^=&]*=' + pattern(pair['Value'])[1:-1] + '(&|$)')}"
        for pair in pairs
    ]  # fmt: skip


def _values(condition: Mapping[str, Any], key: str) -> Iterable[str]:
    return (condition.get(key) or {}).get("Values") or condition.get("Values") or ()


def pattern(value: str) -> str:
    """AWS's wildcards (`*` any run of characters, `?` one character) as a regular expression."""
    return "^" + "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in value) + "$"


def _action(action: Mapping[str, Any], condition: str, scheme: str) -> list[str]:
    if action["Type"] == "forward":
        return _forward(weights(action), condition)
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        kind, body = fixed.get("ContentType") or "text/plain", fixed.get("MessageBody")
        content = f" content-type {quoted(kind)} string {quoted(body)}" if body else ""  # haproxy takes no empty string
        return [f"http-request return status {fixed['StatusCode']}{content} hdr Server {SERVER} if {condition}"]
    if action["Type"] == "redirect":
        return _redirect(action["RedirectConfig"], condition, scheme)
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
    return [f"use_backend {name}-open if {condition} {{ nbsrv({name}) eq 0 }} {NOT_ENDING}", f"use_backend {name} if {condition}"]


def _redirect(config: Mapping[str, Any], condition: str, scheme: str) -> list[str]:
    """AWS writes the port always, and keeps what the configuration does not change."""
    parts = {
        "protocol": config.get("Protocol") or "#{protocol}", "host": config.get("Host") or "#{host}",
        "port": config.get("Port") or "#{port}", "path": config.get("Path") or "/#{path}", "query": config.get("Query", "#{query}"),
    }  # fmt: skip
    location = "{protocol}://{host}:{port}{path}".format_map(parts)
    code = str(config["StatusCode"]).removeprefix("HTTP_")
    found = {
        "#{protocol}": scheme, "#{host}": "%[req.hdr(host),field(1,:)]", "#{port}": "%[dst_port]", "/#{path}": "%[path]",
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
