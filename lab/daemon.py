"""The lab's process: puts the API, the networks, the machines and the services together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from . import api, aws, dns, image, imds, persistence, registry, requests
from .aws import consoles, ecr
from .certificates import Authority
from .engine.podman import Podman
from .errors import LabError
from .names import VpcNames, is_s3, matches
from .network import kernel
from .network.layout import DNS_ADDRESS, METADATA_ADDRESS
from .network.router import GATEWAY_ENDPOINT_ADDRESS
from .networks import Networks
from .proxy import Gateway
from .reconciler import Reconciler
from .services import databases, load_balancers
from .services.autoscaling import AutoScaling
from .services.base import Published, Service
from .services.ec2 import Instances, instances
from .services.ecs import Services
from .services.gateways import Gateways
from .services.group_policies import Groups
from .services.service_policies import ServiceScaling
from .services.tasks import Tasks
from .services.watching import Watching
from .settings import API_ADDRESS, S3_ADDRESS, Settings
from .world import Machine, Vpc

LOG = logging.getLogger(__name__)


class Daemon:
    """One lab, from start to SIGTERM."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._authority = Authority(settings.home / "ca")
        self._credentials = imds.Credentials()
        self._urls: dict[str, str] = {}  # what is published on loopback
        self._servers: dict[str, list[Any]] = {}
        self._networks = Networks(settings, self._vpc_added, self._vpc_removed)
        self._networks.add_internet()
        self._gateway = Gateway(settings.namespace("internet"), self._public_names)
        engine = Podman(settings)
        self._engine = engine
        self._load_balancers = load_balancers.LoadBalancers(settings, engine)
        self._databases = databases.Databases(settings, engine)
        self._gateways = Gateways(self._answer_at)
        group_policies = Groups(settings.pace)
        tasks = Tasks(settings, engine)
        services: list[Service] = [
            AutoScaling(group_policies), Instances(settings, engine), self._databases, Services(), tasks, self._load_balancers,
            self._gateways, Watching(settings, engine, [group_policies, ServiceScaling(settings.pace)]),
        ]  # fmt: skip
        self._reconciler = Reconciler(settings, engine, self._networks, services, self._lock, self._publish)
        tasks.watch(self._reconciler.problems)
        self._application: api.Application  # its registry needs the state, which `run` loads

    def run(self) -> None:
        """Serve until SIGTERM. The API answers before the first round has run."""
        signal.signal(signal.SIGTERM, lambda *_: self._reconciler.stop())
        signal.signal(signal.SIGINT, lambda *_: self._reconciler.stop())
        aws.install()
        persistence.load(self._settings.state_file)
        ecr.serve_at(f"127.0.0.1:{self._settings.api_port}")
        consoles.read_by(self._engine.console)
        way_out = self._open_way_out()
        log = requests.Log(self._settings.request_log)
        self._application = api.Application(log, self._lock, self._reconciler.wake, {"status": self.status}, self._registry())
        api.serve(self._application, _listen("127.0.0.1", self._settings.api_port))
        self._serve_inside("internet", API_ADDRESS, lambda _name: True)
        self._serve_inside("internet", S3_ADDRESS, is_s3)
        self._gateway.start(self._settings.proxy_port)
        LOG.info("serving on %s", self._settings.endpoint_url)
        try:
            self._reconciler.run()
        finally:
            with self._lock:
                persistence.save(self._settings.state_file)
            way_out.terminate()

    def _registry(self) -> registry.Registry:
        """ECR's registry; Debian's image, which AWS has in ECR Public, is what the lab's machines boot from."""
        blobs = registry.Blobs(self._settings.directory / "registry")
        blobs.sweep(ecr.blobs_in_use())
        folder = self._settings.home / "public" / image.MACHINE_IMAGE.rsplit(":", 1)[1]
        debian = registry.Layout(folder, lambda new: image.export(self._settings.home, image.MACHINE_IMAGE, new))
        return registry.Registry(blobs, {"docker/library/debian": debian}, self._lock, self._reconciler.wake)

    def status(self) -> dict[str, Any]:
        """What stands, for `lab status`: endpoint, machines, published load balancers, problems."""
        standing = self._engine.machines()
        described = {instance.id: instance for instance in instances()}
        return {
            "name": self._settings.name,
            "endpoint_url": self._settings.endpoint_url,
            "proxy_url": self._settings.proxy_url,
            "pid": os.getpid(),
            "published": dict(self._urls),
            "machines": [
                {"id": machine_id, "status": status, **_described(described.get(machine_id))}
                for machine_id, status in sorted(standing.items())
            ],
            "problems": dict(self._reconciler.problems),
            "settled": self._reconciler.settled,
        }

    def _publish(self, wanted: dict[str, Published]) -> None:
        targets = {label: (found.address, found.port) for label, found in wanted.items()}
        ports = self._gateway.publish(targets, self._settings.first_published_port)
        self._urls = {label: f"{found.scheme}://127.0.0.1:{ports[label]}/" for label, found in wanted.items()}

    def _vpc_added(self, vpc: Vpc) -> None:
        """Start DNS, instance metadata and S3's gateway endpoint at their link-local addresses in a VPC."""
        namespace = self._settings.namespace(vpc.id)
        resolver = dns.Server(kernel.inside(namespace, lambda: _datagrams(DNS_ADDRESS, 53)), lambda: self._private_names(vpc.id))
        resolver.start()
        handler = imds.handler(imds.finder(vpc.id), self._credentials)
        metadata = kernel.inside(namespace, lambda: ThreadingHTTPServer((METADATA_ADDRESS, 80), handler))
        threading.Thread(target=metadata.serve_forever, name=f"imds {vpc.id}", daemon=True).start()
        s3 = self._serve_inside(vpc.id, GATEWAY_ENDPOINT_ADDRESS, is_s3)  # the router decides who gets there
        self._servers[vpc.id] = [resolver.stop, metadata.shutdown, metadata.server_close, s3]

    def _vpc_removed(self, vpc_id: str) -> None:
        for stop in self._servers.pop(vpc_id, []):
            stop()

    def _public_names(self) -> Mapping[str, list[str]]:
        """The names that the operator's computer resolves: load balancers and instances by their public addresses."""
        names = {i.public_dns_name: [i.public_ip] for i in instances() if i.public_ip and i.public_dns_name}
        return names | {name: list(found.public) for name, found in self._load_balancers.names().items() if found.public}

    def _private_names(self, vpc_id: str) -> Mapping[str, list[str]]:
        """The names that a VPC's machines resolve. AWS's own names lead to the lab's API."""
        names: dict[str, list[str]] = VpcNames(self._gateways.names(vpc_id))
        names |= {i.private_dns_name: [i.private_ip] for i in instances() if i.vpc_id == vpc_id and i.private_ip}
        for name, found in (self._load_balancers.names() | self._databases.names()).items():
            names[name] = list(found.public or found.private)
        return names

    def _answer_at(self, machine: Machine, hosts: Collection[str]) -> Callable[[], None]:
        """Answer as a VPC endpoint at a bare machine's address."""
        return self._serve_inside(machine.id, machine.addresses[0], lambda name: matches(name, hosts))

    def _serve_inside(self, what: str, address: str, answers: Callable[[str], bool]) -> Callable[[], None]:
        """Serve the AWS API over HTTPS at an address in one of the lab's namespaces, for the host names that `answers` says yes to."""
        listening = kernel.inside(self._settings.namespace(what), lambda: _listen(address, 443))
        return api.serve(api.ForService(self._application, answers), listening, self._authority.context())

    def _open_way_out(self) -> subprocess.Popen[bytes]:
        """slirp4netns: the internet namespace's way out through ordinary sockets of the host, so nothing of the host is changed."""
        namespace = kernel.NAMESPACES / self._settings.namespace("internet")
        command = ["setpriv", "--pdeathsig", "KILL", "slirp4netns", "--configure", "--mtu=65520", "--cidr=198.18.1.0/24",
                   "--disable-host-loopback", "--netns-type=path", str(namespace), "tap0"]  # fmt: skip
        with self._settings.log_file.open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 a list of our own, no shell


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
