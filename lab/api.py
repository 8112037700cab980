"""The AWS API: moto's WSGI application with a request log in front and the lab's own pages under /_lab/."""

from __future__ import annotations

import io
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer

from . import requests

LOG = logging.getLogger(__name__)
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Page = Callable[[], object]


class Application:
    """WSGI. Mutating requests are taken one at a time under `lock`, as moto's state is not made for threads; reads are not held up."""

    def __init__(self, log: requests.Log, lock: threading.RLock, changed: Callable[[], None], pages: dict[str, Page]) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._log = log
        self._lock = lock
        self._changed = changed
        self._pages = pages

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/_lab/"):
            return self._page(path.removeprefix("/_lab/"), environ, start)
        if path.startswith("/moto-api"):  # moto's own pages could reset the account below standing machines
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"the lab does not offer moto's own pages\n"]
        return self._answer(environ, start)

    def _answer(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        body = _read_body(environ)
        headers = {
            "authorization": environ.get("HTTP_AUTHORIZATION", ""),
            "x-amz-target": environ.get("HTTP_X_AMZ_TARGET", ""),
        }
        action = requests.action_of(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), headers, body)
        mutating = requests.is_mutating(action)
        status: list[str] = []

        def started(line: str, *rest: Any, **more: Any) -> Any:
            status.append(line)
            return start(line, *rest, **more)

        began = time.perf_counter()
        if mutating:
            with self._lock:
                content = list(self._moto(environ, started))
            self._changed()
        else:
            content = list(self._moto(environ, started))
        self._log.add(
            requests.Request(
                at=requests.now(),
                source="controller" if environ["REMOTE_ADDR"] == "127.0.0.1" else environ["REMOTE_ADDR"],
                service=requests.service_of(headers),
                action=action,
                mutating=mutating,
                status=int(status[-1].split(" ", 1)[0]) if status else 500,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )
        )
        return content

    def _page(self, name: str, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        page = self._pages.get(name)
        # Machines reach this application too; what the lab says of itself is for the host only.
        if page is None or environ["REMOTE_ADDR"] != "127.0.0.1":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found\n"]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(page()).encode()]


def _read_body(environ: Environ) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not length:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


class _Handler(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Requests have a log of their own."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ssl.SSLError, ConnectionError) as error:
            LOG.info("a client left: %s", error)


def serve(application: Application, listening: socket.socket, context: ssl.SSLContext | None = None) -> None:
    """Serve on a socket that listens already, in threads, until the process ends."""
    host, port = listening.getsockname()[:2]
    server = ThreadedWSGIServer(host, port, application, handler=_Handler, ssl_context=context, fd=listening.fileno())
    server.daemon_threads = True
    server._held = listening  # its descriptor is in use as long as the server is
    threading.Thread(target=server.serve_forever, name=f"api {host}:{port}", daemon=True).start()
