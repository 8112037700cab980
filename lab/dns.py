"""The VPC's resolver at 169.254.169.253: the lab's own names from the API's state, everything else from the host's resolver."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from dnslib import QTYPE, RCODE, RR, A, DNSRecord

Names = Callable[[], Mapping[str, list[str]]]  # name without the last dot -> addresses
UPSTREAM_SECONDS = 4.0


def resolve(query: DNSRecord, names: Mapping[str, list[str]]) -> DNSRecord | None:
    """The answer to a query about one of the lab's names, or None when it is not the lab's to answer. Pure."""
    name = str(query.q.qname).rstrip(".").lower()
    if name not in names:
        return None
    reply = query.reply()
    if query.q.qtype == QTYPE.A:
        for address in names[name]:
            reply.add_answer(RR(query.q.qname, QTYPE.A, rdata=A(address), ttl=5))
    return reply  # other types: the name exists and has none


def upstream_server() -> str:
    """The host's first resolver; machines reach it through the lab, never directly."""
    for line in Path("/etc/resolv.conf").read_text().splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            return words[1]
    return "127.0.0.1"


class Server:
    """Answers on a socket that was made inside a VPC's namespace; asks upstream from the host's."""

    def __init__(self, listening: socket.socket, names: Names) -> None:
        self._socket = listening
        self._names = names

    def start(self) -> None:
        threading.Thread(target=self._serve, name="dns", daemon=True).start()

    def stop(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                packet, client = self._socket.recvfrom(4096)
            except OSError:
                return  # closed by stop()
            threading.Thread(target=self._answer, args=(packet, client), daemon=True).start()

    def _answer(self, packet: bytes, client: tuple[str, int]) -> None:
        try:
            query = DNSRecord.parse(packet)
            own = resolve(query, self._names())
            self._socket.sendto(own.pack() if own else _forward(packet, query), client)
        except OSError:
            return  # the machine or the VPC is gone


def _forward(packet: bytes, query: DNSRecord) -> bytes:
    server = upstream_server()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as upstream:
        upstream.settimeout(UPSTREAM_SECONDS)
        try:
            upstream.sendto(packet, (server, 53))
            return upstream.recv(4096)
        except OSError:
            reply = query.reply()
            reply.header.rcode = RCODE.SERVFAIL
            return bytes(reply.pack())
