"""What haproxy is told so that it behaves like an application load balancer. Pure: values in, text out.

One frontend for each listener (haproxy_listeners.py). Two backends for each target group: `<group>` sends to healthy targets,
`<group>-open` to all of them, because a load balancer whose targets are all unhealthy "fails open" on AWS.
"""

from __future__ import annotations

from .balancer import Balancer, Group
from .haproxy_listeners import frontend
from .haproxy_words import NOT_ENDING, SERVER, WORKING, quoted

SLOW_MS = 2900  # a connection that failed sooner was refused (502), later it was dropped (504)
CONNECT_SECONDS = 10  # how long AWS waits for a target to accept a connection
PAGE = "<html>\\r\\n<head><title>{0}</title></head>\\r\\n<body>\\r\\n<center><h1>{0}</h1></center>\\r\\n</body>\\r\\n</html>\\r\\n"
ACCESS_RING = """
ring access
  format raw
  maxlen 16384
  size 4194304
  timeout connect 5s
  timeout server 10s
  server lab unix@/lab/access.sock
"""
STATE_HEADER = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change"
    " srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn"
    " srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
)


def render(balancer: Balancer) -> str:
    """The text of haproxy.cfg."""
    sections = [_global(balancer)]
    sections += [frontend(listener, balancer) for listener in balancer.listeners]
    for group in balancer.groups:
        sections += [_backend(group), _open_backend(group)]
    return "\n".join(sections)


def server_options(group: Group) -> str:
    """The part of a `server` line that says how it is checked and reached; the runtime API's `add server` takes the same words.

    Like AWS's, this load balancer does not verify the certificate of an HTTPS target.
    """
    check, words = group.check, ["check"]
    if check.port:
        words.append(f"port {check.port}")
    words.append(f"inter {check.interval}s rise {check.healthy_threshold} fall {check.unhealthy_threshold}")
    if group.protocol == "HTTPS":
        words.append("ssl")
    if "HTTPS" in (group.protocol, check.protocol):
        words.append(f"verify none {'check-ssl' if check.protocol == 'HTTPS' else 'no-check-ssl'}")
    if group.slow_start:
        words.append(f"slowstart {group.slow_start}s")
    return " ".join(words)


def transport(group: Group) -> str:
    """How a server of the group is spoken to: empty for plain HTTP."""
    return "ssl verify none" if group.protocol == "HTTPS" else ""


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
  stats socket /lab/stats.sock mode 600 level admin expose-fd listeners
  server-state-file /lab/servers.state
  hard-stop-after 300s
{ACCESS_RING if balancer.access_logs else ""}
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

backend {WORKING}
  server always unix@/lab/none.sock
"""


def _error(status: int, reason: str) -> str:
    page = quoted(PAGE.format(f"{status} {reason}"), raw=False)
    return f"  http-error status {status} content-type text/html string {page} hdr Server {SERVER}"


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
            f"  http-check send meth GET uri {quoted(check.path)} ver HTTP/1.1 hdr Host %si hdr User-Agent ELB-HealthChecker/2.0"
            " hdr Connection close",
            f"  http-check expect status {check.matcher}",
            f"  timeout check {check.timeout}s",
            *_stickiness(group),
            *_connection_errors(),
            *(f"  server {target.id} {target.address}:{target.port} {server_options(group)}" for target in group.targets),
            "",
        ]
    )


def _open_backend(group: Group) -> str:
    """Sends to every target, healthy or not; without any target there is nothing but 503."""
    page = quoted(PAGE.format("503 Service Temporarily Unavailable"), raw=False)
    return "\n".join(
        [
            f"backend {group.name}-open",
            f"  acl deserted nbsrv({group.name}-open) eq 0",
            f"  http-request return status 503 content-type text/html string {page} hdr Server {SERVER} if deserted {NOT_ENDING}",
            f"  balance {'leastconn' if group.least_outstanding else 'roundrobin'}",
            "  retries 0",
            *_connection_errors(),
            *(f"  server {target.id} {target.address}:{target.port} {transport(group)}".rstrip() for target in group.targets),
            "",
        ]
    )


def _stickiness(group: Group) -> list[str]:
    """The load balancer's own cookie. Its value follows from the target's address, so that targets may come and go at run time."""
    if not group.sticky:
        return []
    return [f"  cookie AWSALB insert indirect nocache dynamic maxlife {group.sticky}s", "  dynamic-cookie-key lab"]


def _connection_errors() -> list[str]:
    """haproxy says 503 when no connection came about; an ALB says 502 when it was refused and 504 when nobody answered."""
    slow = f"date(0,ms),sub(txn.start),div({SLOW_MS})"
    page = quoted(PAGE.format(f"%[{slow},bool,iif(504 Gateway Time-out,502 Bad Gateway)]"), raw=False)
    return [
        "  http-request set-var(txn.start) date(0,ms)",
        f"  http-error status 503 content-type text/html lf-string {page} hdr Server {SERVER} hdr X-Lab-Connection failed",
        "  acl unconnected res.hdr(X-Lab-Connection) -m found",
        f"  acl slow {slow} gt 0",
        '  http-after-response set-status 504 reason "Gateway Time-out" if unconnected slow',
        '  http-after-response set-status 502 reason "Bad Gateway" if unconnected !slow',
        "  http-after-response del-header X-Lab-Connection if unconnected",
    ]
