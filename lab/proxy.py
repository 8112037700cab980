"""Ways into the lab's internet from the host's loopback, all as the operator's computer (OPERATOR_ADDRESS):

an HTTP proxy (GET and CONNECT) that reaches public addresses and the lab's public names and nothing else, and published ports.
Sockets are made by a thread that lives in the lab's internet namespace, and used by an event loop outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from .dns import Names
from .network.kernel import NAMESPACES
from .settings import OPERATOR_ADDRESS

CONNECT_SECONDS = 8.0
HEAD_LIMIT = 64 * 1024


class Unreachable(Exception):
    """The lab's internet gave no connection: `status` is what a proxy answers then."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Gateway:
    """The event loop that carries every connection between loopback and the lab's internet."""

    def __init__(self, namespace: str, names: Names) -> None:
        self._names = names
        self._loop = asyncio.new_event_loop()
        self._inside = ThreadPoolExecutor(1, "internet", initializer=_enter, initargs=(namespace,))
        self._published: dict[tuple[str, int], tuple[int, asyncio.Server]] = {}

    def start(self, proxy_port: int) -> None:
        """Begin to serve the HTTP proxy. Raises OSError when the port is taken."""
        threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True).start()
        self._call(asyncio.start_server(self._proxy, "127.0.0.1", proxy_port, limit=HEAD_LIMIT))

    def publish(self, wanted: Mapping[str, tuple[str, int]], first_port: int) -> dict[str, int]:
        """Listen on a loopback port for each label -> (public address, port); forget those no longer wanted. Label -> loopback port."""
        for target in [target for target in self._published if target not in wanted.values()]:
            _port, server = self._published.pop(target)
            self._loop.call_soon_threadsafe(server.close)
        for target in wanted.values():
            if target not in self._published:
                self._published[target] = self._call(self._listen(target, first_port))
        return {label: self._published[target][0] for label, target in wanted.items()}

    async def connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a public address or name of the lab. Raises Unreachable."""
        address = destination(host, self._names())
        if address is None:
            raise Unreachable("502 Bad Gateway")
        made = await self._loop.run_in_executor(self._inside, _socket)
        try:
            await asyncio.wait_for(self._loop.sock_connect(made, (address, port)), CONNECT_SECONDS)
        except TimeoutError as error:
            made.close()
            raise Unreachable("504 Gateway Timeout") from error
        except OSError as error:
            made.close()
            raise Unreachable("502 Bad Gateway") from error
        return await asyncio.open_connection(sock=made)

    async def _listen(self, target: tuple[str, int], first_port: int) -> tuple[int, asyncio.Server]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(Unreachable, OSError):
                await _relay(reader, writer, *await self.connect(*target))
            writer.close()

        for port in range(first_port, first_port + 200):
            try:
                return port, await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
            except OSError:
                continue
        raise OSError(f"no free loopback port from {first_port} to {first_port + 199}")

    async def _proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _version = head.split("\r\n", 1)[0].split(" ", 2)
            host, port, first = _destination(method, target, head)
            far_reader, far_writer = await self.connect(host, port)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far_writer.write(first)
            await _relay(reader, writer, far_reader, far_writer)
        except Unreachable as error:
            writer.write(f"HTTP/1.1 {error.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # a client that speaks no HTTP, or left
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    def _call[Result](self, coroutine: Coroutine[None, None, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


def destination(host: str, names: Mapping[str, list[str]]) -> str | None:
    """The lab's public address that a name or an address stands for, or None: nothing else is reached, no other resolver asked. Pure."""
    wanted = host.lower().rstrip(".")
    if names.get(wanted):
        return names[wanted][0]
    return wanted if any(wanted in addresses for addresses in names.values()) else None


def _destination(method: str, target: str, head: str) -> tuple[str, int, bytes]:
    """Host, port and the request's head as the far server wants it: origin form, one request a connection."""
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        return host, int(port), b""
    url = urlsplit(target)
    if url.scheme != "http" or not url.hostname:
        raise ValueError(target)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [line for line in head.split("\r\n")[1:] if line and not line.lower().startswith(("proxy-", "connection:"))]
    text = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "Connection: close", "", ""])
    return url.hostname, url.port or 80, text.encode("latin-1")


async def _relay(
    near_reader: asyncio.StreamReader,
    near_writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Carry bytes both ways until the far side ends; a near side that has only finished sending still gets its answer."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()

    async def send() -> None:
        await pump(near_reader, far_writer)
        if far_writer.can_write_eof():
            far_writer.write_eof()

    sending = asyncio.ensure_future(send())
    await pump(far_reader, near_writer)
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError, OSError):
        await sending
    far_writer.close()


def _enter(namespace: str) -> None:
    descriptor = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
    os.setns(descriptor, os.CLONE_NEWNET)
    os.close(descriptor)


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    made.bind((OPERATOR_ADDRESS, 0))
    return made
