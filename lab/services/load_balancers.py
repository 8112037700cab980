"""Application load balancers: a haproxy per load balancer, with an address in each of its subnets.

Target changes go through haproxy's runtime API, everything else through a reload that loses no request. What haproxy's health checks
see becomes DescribeTargetHealth's answer.

Differs from AWS: a draining target is gone as soon as it has no request under way (AWS shows it for the whole
deregistration delay), the nodes of all availability zones are one haproxy, and a cookie of the application's own makes no client stick.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moto.elbv2.models import elbv2_backends

from .. import image, state
from ..aws import elbv2 as corrected
from ..engine.base import Engine, Status
from ..settings import Settings, write_secret
from ..world import Machine, World
from . import haproxy
from .access_delivery import AccessLogs
from .balancer import Balancer
from .balancer_state import addresses, configuration, groups_of, load_balancers, machine_id
from .base import Addresses, Published
from .haproxy_runtime import Runtime, Server

LOG = logging.getLogger(__name__)
COMMAND = ("haproxy", "-W", "-f", "/lab/haproxy.cfg", "-S", "/lab/master.sock")
CONFIGURATION, SERVER_STATE = "haproxy.cfg", "servers.state"
DRAIN_AT_LEAST = 1.0  # seconds, so that a request just accepted is seen under way


class LoadBalancers:
    """The service `elbv2`."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._running: set[str] | None = None  # machine ids; None until the lab has looked for the first time
        self._told: dict[str, Balancer] = {}  # machine id -> what its haproxy has been told
        self._access_logs = AccessLogs(settings)

    def machines(self) -> Iterable[Machine]:
        if self._running is None:
            self._begin()
        for elbv2, balancer in load_balancers():
            self._withdraw(elbv2, balancer)  # before the machine of an ended instance is taken away
            enis = [elbv2.ec2_backend.enis.get(eni_id) for eni_id in balancer.lab_interface_ids.values()]
            interfaces = tuple(state.interface(eni) for eni in enis if eni)
            if interfaces:
                wanted = configuration(elbv2, balancer)
                yield Machine(
                    id=machine_id(balancer),
                    kind="load_balancer",
                    image=image.SERVICES_IMAGE,
                    interfaces=interfaces,
                    hostname=balancer.name,
                    command=COMMAND,
                    files={CONFIGURATION: haproxy.render(wanted), SERVER_STATE: haproxy.initial_state(wanted)},
                    secret_files={certificate.file: certificate.pem for certificate in wanted.certificates},
                )

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        self._running = {machine_id for machine_id, status in standing.items() if status == "running"}
        for gone in self._told.keys() - self._running:
            del self._told[gone]
        self._serve_all()

    def tick(self) -> bool:
        began = self._serve_all()
        for _account, _region, elbv2 in list(elbv2_backends.iter_backends()):
            for group in list(elbv2.target_groups.values()):
                _forget_drained(group)
        delivered = self._access_logs.deliver(self._running or set())
        return began or delivered  # a load balancer that is active now is to be published, what is in a bucket now to be saved

    def published(self) -> dict[str, Published]:
        """Every listener that the internet reaches: the first one by the load balancer's name, further ones with their port."""
        found: dict[str, Published] = {}
        for elbv2, balancer in load_balancers():
            public = addresses(elbv2, balancer).public
            if balancer.state != "active" or not public:
                continue
            for listener in sorted(balancer.listeners.values(), key=lambda listener: int(listener.port)):
                label = f"{balancer.name}:{listener.port}" if balancer.name in found else balancer.name
                found[label] = Published(public[0], int(listener.port), listener.protocol.lower())
        return found

    def names(self) -> dict[str, Addresses]:
        """DNS name -> addresses, for the lab's DNS."""
        return {balancer.dns_name.lower(): addresses(elbv2, balancer) for elbv2, balancer in load_balancers()}

    def _begin(self) -> None:
        """The lab itself has just been started: what its load balancers saw is no longer true."""
        self._running = set()
        for elbv2, balancer in load_balancers():
            balancer.state = "provisioning"
            _begin_checks_anew(elbv2, balancer)

    def _directory(self, balancer: Any) -> Path:
        return self._settings.machine_directory(machine_id(balancer))

    def _serve_all(self) -> bool:
        """Whether one of them has become active."""
        waiting = [balancer for _elbv2, balancer in load_balancers() if balancer.state != "active"]
        for elbv2, balancer in load_balancers():
            if machine_id(balancer) in (self._running or ()):
                self._serve(elbv2, balancer)
        return any(balancer.state == "active" for balancer in waiting)

    def _serve(self, elbv2: Any, balancer: Any) -> None:
        """Tell haproxy what is wanted and learn what it sees. One that does not answer is asked again a second later."""
        runtime = Runtime(self._directory(balancer))
        try:
            self._withdraw(elbv2, balancer)
            self._configure(elbv2, balancer, runtime)
            self._observe(elbv2, balancer, runtime)
        except OSError as error:
            LOG.debug("%s does not answer yet: %s", balancer.name, error)
        else:
            balancer.state = "active"

    def _withdraw(self, elbv2: Any, balancer: Any) -> None:
        """Take ended instances out of the load balancer's target groups, as AWS does, and out of haproxy at once."""
        for group in groups_of(elbv2, balancer):
            for target_id in list(group.targets):
                if corrected.instance_state(elbv2.ec2_backend, target_id) in ("shutting-down", "terminated"):
                    group.deregister([{"Id": target_id}])
                    try:
                        Runtime(self._directory(balancer)).drain(group.name, target_id)
                    except OSError as error:
                        LOG.debug("%s: %s not withdrawn: %s", balancer.name, target_id, error)

    def _configure(self, elbv2: Any, balancer: Any, runtime: Runtime) -> None:
        name, wanted = machine_id(balancer), configuration(elbv2, balancer)
        known = self._told.get(name)
        if wanted == known:
            return
        servers = runtime.state()  # raises while haproxy does not answer, before anything is written
        self._access_logs.listen(balancer, wanted)
        file = self._directory(balancer) / CONFIGURATION
        text = haproxy.render(wanted)
        if known is None:
            _begin_checks_anew(elbv2, balancer)
            if file.read_text() == text:  # it has been started with this
                self._told[name] = wanted
                return
            known = Balancer()
        self._told[name] = Balancer()  # should one of the steps fail, the next attempt reloads
        _change_targets(known, wanted, runtime)
        for certificate in wanted.certificates:
            write_secret(file.parent / certificate.file, certificate.pem)
        file.write_text(text)
        if known.without_targets() != wanted.without_targets():
            (file.parent / SERVER_STATE).write_text(haproxy.initial_state(wanted, runtime.state() if known.groups else servers))
            runtime.reload()
            _remove_old_certificates(file.parent, wanted, known)
        self._told[name] = wanted

    def _observe(self, elbv2: Any, balancer: Any, runtime: Runtime) -> None:
        servers = runtime.servers()
        for group in groups_of(elbv2, balancer):
            for target_id in list(group.targets):
                group.lab_health[target_id] = target_health(group, target_id, servers.get((group.name, target_id)))
            for target_id in {*group.lab_draining, *_leftovers(group, servers)}:
                sessions = sum(servers[key].sessions for key in _keys(group.name, target_id) if key in servers)
                since = group.lab_draining.get(target_id, 0.0)
                if _drained(group, since, sessions):
                    runtime.remove(group.name, target_id)
                    group.lab_draining.pop(target_id, None)


def target_health(group: Any, target_id: str, server: Server | None) -> tuple[str, str | None, str | None]:
    """State, reason code and description as DescribeTargetHealth gives them, from what haproxy says."""
    if server is None:
        return "initial", "Elb.RegistrationInProgress", None
    if server.status.startswith("UP"):
        return "healthy", None, None
    seen_before = group.lab_health.get(target_id, ("initial",))[0] != "initial"
    age = time.time() - group.lab_registered.get(target_id, 0.0)
    patience = int(group.unhealthy_threshold_count) * int(group.health_check_interval_seconds)
    if not seen_before and (server.check_status in ("INI", "L7OK") or age < patience):
        return "initial", "Elb.InitialHealthChecking", None
    if server.check_status == "L7STS":
        return (
            "unhealthy",
            "Target.ResponseCodeMismatch",
            f"Health checks failed with these codes: [{server.check_code}]",
        )
    if server.check_status in ("L4TOUT", "L7TOUT"):
        return "unhealthy", "Target.Timeout", None
    return "unhealthy", "Target.FailedHealthChecks", None


def _begin_checks_anew(elbv2: Any, balancer: Any) -> None:
    """This haproxy knows nothing of earlier checks."""
    for group in groups_of(elbv2, balancer):
        group.lab_health.clear()
        group.lab_registered.update(dict.fromkeys(group.targets, time.time()))


def _remove_old_certificates(directory: Path, wanted: Balancer, known: Balancer) -> None:
    """Those that the last configuration did not name either: a worker that is just being replaced may still read its own."""
    kept = {certificate.file for balancer in (wanted, known) for certificate in balancer.certificates}
    for file in directory.glob("*.pem"):
        if file.name not in kept:
            file.unlink()


def _change_targets(known: Balancer, wanted: Balancer, runtime: Runtime) -> None:
    """Add and drain targets in the groups that both have."""
    before = {group.name: group for group in known.groups}
    for group in wanted.groups:
        if group.name in before:
            old, new = set(before[group.name].targets), set(group.targets)
            for target in old - new:
                runtime.drain(group.name, target.id)
            for target in new - old:
                runtime.remove(group.name, target.id)  # one of that name may still be draining
                runtime.add(group, target)


def _leftovers(group: Any, servers: Mapping[tuple[str, str], Server]) -> set[str]:
    """Targets that haproxy still has, though they are neither registered nor draining (a stopped instance, say)."""
    return {
        name for (backend, name), server in servers.items()
        if backend == group.name and name not in group.lab_draining and server.status.startswith(("DRAIN", "MAINT"))
    }  # fmt: skip


def _keys(group: str, target_id: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (group, target_id), (f"{group}-open", target_id)


def _drained(group: Any, since: float, sessions: int) -> bool:
    waited = time.time() - since
    return waited >= int(group.attributes["deregistration_delay.timeout_seconds"]) or (sessions == 0 and waited >= DRAIN_AT_LEAST)


def _forget_drained(group: Any) -> None:
    """For groups whose load balancer is gone: nobody is left to finish the draining."""
    if not group.load_balancer_arns:
        group.lab_draining.clear()
    for target_id, since in list(group.lab_draining.items()):
        if _drained(group, since, 1):
            del group.lab_draining[target_id]
