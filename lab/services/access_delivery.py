"""Takes what haproxy tells of requests and delivers it to the load balancers' buckets, as AWS's log delivery does."""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from ..aws import access_logs as delivery
from ..settings import Settings
from .access_logs import INTERVAL, Identity, Receiver, entry, file, object_key
from .balancer import Balancer
from .balancer_state import addresses, groups_of, load_balancers, machine_id

LOG = logging.getLogger(__name__)


class AccessLogs:
    """One receiver for each load balancer that has its access logs on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._receivers: dict[str, Receiver] = {}
        self._told: dict[str, Balancer] = {}  # by which the lines are read: what haproxy was told last
        self._next = time.monotonic() + INTERVAL

    def listen(self, balancer: Any, wanted: Balancer) -> None:
        """Have somebody listen before haproxy begins to tell."""
        name = machine_id(balancer)
        self._told[name] = wanted
        if wanted.access_logs and name not in self._receivers:
            self._receivers[name] = Receiver(self._settings.machine_directory(name))

    def deliver(self, running: set[str]) -> bool:
        """Now and then write what has come since the last time; whether anything was written."""
        for gone in self._receivers.keys() - running:
            self._receivers.pop(gone).close()
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + INTERVAL
        written = [self._write(elbv2, balancer) for elbv2, balancer in load_balancers() if machine_id(balancer) in self._receivers]
        return any(written)

    def _write(self, elbv2: Any, balancer: Any) -> bool:
        """A bucket that no longer takes them costs the entries, as on AWS."""
        name = machine_id(balancer)
        identity = _identity(elbv2, balancer)
        entries = [found for told in self._receivers[name].take() if (found := entry(told, self._told[name], identity))]
        bucket, prefix = balancer.attrs["access_logs.s3.bucket"], balancer.attrs["access_logs.s3.prefix"]
        if not entries or balancer.attrs["access_logs.s3.enabled"] != "true":
            return False
        if not delivery.may_deliver(elbv2, balancer.arn, bucket, prefix):
            LOG.warning("%s: %d access log entries are lost, the bucket %s does not take them", balancer.name, len(entries), bucket)
            return False
        key = object_key(delivery.folder(prefix, elbv2.account_id), identity, datetime.now(UTC), secrets.token_hex(4))
        return delivery.put(bucket, key, file(entries))


def _identity(elbv2: Any, balancer: Any) -> Identity:
    return Identity(
        account_id=elbv2.account_id,
        region=elbv2.region_name,
        name=balancer.arn.split(":loadbalancer/")[1],
        address=next(iter(addresses(elbv2, balancer).private), "-"),
        group_arns={group.name: group.arn for group in groups_of(elbv2, balancer)},
    )
