"""The lab's process: puts the API, the networks, the machines and the services together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from . import api, aws, dns, imds, persistence, requests
from .certificates import Authority
from .engine.podman import Podman
from .errors import LabError
from .network import kernel
from .network.layout import DNS_ADDRESS, METADATA_ADDRESS
from .networks import Networks
from .proxy import Gateway
from .reconciler import Reconciler
from .services import databases, load_balancers
from .services.autoscaling import AutoScaling
from .services.base import Service
from .services.ec2 import Instances, instances
from .settings import API_ADDRESS, Settings
from .world import Vpc

LOG = logging.getLogger(__name__)


class Daemon:
    """One lab, from start to SIGTERM."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._authority = Authority(settings.home / "ca")
        self._credentials = imds.Credentials()
        self._ports: dict[str, int] = {}
        self._servers: dict[str, list[Any]] = {}
        self._networks = Networks(settings, self._vpc_added, self._vpc_removed)
        self._networks.add_internet()
        self._gateway = Gateway(settings.namespace("internet"), self._public_names)
        engine = Podman(settings)
        self._engine = engine
        self._load_balancers = load_balancers.LoadBalancers(settings, engine)
        self._databases = databases.Databases(settings, engine)
        services: list[Service] = [AutoScaling(settings, engine), Instances(settings, engine), self._databases, self._load_balancers]
        self._reconciler = Reconciler(settings, engine, self._networks, services, self._lock, self._publish)

    def run(self) -> None:
        """Serve until SIGTERM. The API answers before the first round has run."""
        signal.signal(signal.SIGTERM, lambda *_: self._reconciler.stop())
        signal.signal(signal.SIGINT, lambda *_: self._reconciler.stop())
        aws.install()
        persistence.load(self._settings.state_file)
        way_out = self._open_way_out()
        log = requests.Log(self._settings.request_log)
        application = api.Application(log, self._lock, self._reconciler.wake, {"status": self.status})
        internet = self._settings.namespace("internet")
        api.serve(application, _listen("127.0.0.1", self._settings.api_port))
        api.serve(application, kernel.inside(internet, lambda: _listen(API_ADDRESS, 443)), self._authority.context())
        self._gateway.start(self._settings.proxy_port)
        LOG.info("serving on %s", self._settings.endpoint_url)
        try:
            self._reconciler.run()
        finally:
            with self._lock:
                persistence.save(self._settings.state_file)
            way_out.terminate()

    def status(self) -> dict[str, Any]:
        """What stands, for `lab status`: endpoint, machines, published load balancers, problems."""
        standing = self._engine.machines()
        described = {instance.id: instance for instance in instances()}
        return {
            "name": self._settings.name,
            "endpoint_url": self._settings.endpoint_url,
            "proxy_url": self._settings.proxy_url,
            "pid": os.getpid(),
            "published": {name: f"http://127.0.0.1:{port}/" for name, port in self._ports.items()},
            "machines": [
                {"id": machine_id, "status": status, **_described(described.get(machine_id))}
                for machine_id, status in sorted(standing.items())
            ],
            "problems": dict(self._reconciler.problems),
            "settled": self._reconciler.settled,
        }

    def _publish(self, wanted: dict[str, tuple[str, int]]) -> None:
        self._ports = self._gateway.publish(wanted, self._settings.first_published_port)

    def _vpc_added(self, vpc: Vpc) -> None:
        """Start DNS and instance metadata at their link-local addresses in a VPC."""
        namespace = self._settings.namespace(vpc.id)
        resolver = dns.Server(kernel.inside(namespace, lambda: _datagrams(DNS_ADDRESS, 53)), lambda: self._private_names(vpc.id))
        resolver.start()
        handler = imds.handler(imds.finder(vpc.id), self._credentials)
        metadata = kernel.inside(namespace, lambda: ThreadingHTTPServer((METADATA_ADDRESS, 80), handler))
        threading.Thread(target=metadata.serve_forever, name=f"imds {vpc.id}", daemon=True).start()
        self._servers[vpc.id] = [resolver.stop, metadata.shutdown, metadata.server_close]

    def _vpc_removed(self, vpc_id: str) -> None:
        for stop in self._servers.pop(vpc_id, []):
            stop()

    def _public_names(self) -> Mapping[str, list[str]]:
        """The names that the operator's computer resolves: load balancers and instances by their public addresses."""
        names = {i.public_dns_name: [i.public_ip] for i in instances() if i.public_ip and i.public_dns_name}
        return names | {name: list(found.public) for name, found in self._load_balancers.names().items() if found.public}

    def _private_names(self, vpc_id: str) -> Mapping[str, list[str]]:
        """The names that a VPC's machines resolve. AWS's own names lead to the lab's API."""
        names: dict[str, list[str]] = _ApiNames()
        names |= {i.private_dns_name: [i.private_ip] for i in instances() if i.vpc_id == vpc_id and i.private_ip}
        for name, found in (self._load_balancers.names() | self._databases.names()).items():
            names[name] = list(found.public or found.private)
        return names

    def _open_way_out(self) -> subprocess.Popen[bytes]:
        """slirp4netns: the internet namespace's way out through ordinary sockets of the host, so nothing of the host is changed."""
        namespace = kernel.NAMESPACES / self._settings.namespace("internet")
        command = ["setpriv", "--pdeathsig", "KILL", "slirp4netns", "--configure", "--mtu=65520", "--cidr=198.18.1.0/24",
                   "--disable-host-loopback", "--netns-type=path", str(namespace), "tap0"]  # fmt: skip
        with self._settings.log_file.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 a list of our own, no shell


class _ApiNames(dict[str, list[str]]):
    """A dictionary of names that also holds every name of AWS's API."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.endswith((".amazonaws.com", ".api.aws")))

    def __missing__(self, name: str) -> list[str]:
        return [] if ".elb." in name or ".rds." in name else [API_ADDRESS]


def _described(instance: Any | None) -> dict[str, Any]:
    if instance is None:
        return {}
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    return {
        "name": tags.get("Name", ""), "state": instance.state, "image": instance.image_id, "az": instance.placement.zone,
        "private_address": instance.private_ip, "public_address": instance.public_ip,
    }  # fmt: skip


def _listen(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        raise LabError(f"{address}:{port} is taken ({error.strerror}): end what listens there, or choose another LAB_NAME") from error
    listening.listen(128)
    return listening


def _datagrams(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, port))
    return made


def main(settings: Settings) -> None:
    """Entry of `python -m lab daemon`."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    began = time.monotonic()
    Daemon(settings).run()
    LOG.info("stopped after %.0f s", time.monotonic() - began)
