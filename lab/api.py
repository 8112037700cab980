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
from .iam import gate
from .iam.asked import Call
from .names import service_host
from .registry.api import is_for_registry

LOG = logging.getLogger(__name__)
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Page = Callable[[], object]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class Application:
    """WSGI. Mutating requests are taken one at a time under `lock`, as moto's state is not made for threads; reads are not held up.

    `registry` answers the clients of ECR's registry, whose requests are long and take the lock themselves.
    """

    def __init__(
        self, log: requests.Log, lock: threading.RLock, changed: Callable[[], None], pages: dict[str, Page], registry: Wsgi | None = None
    ) -> None:
        self._registry = registry
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
        if self._registry and is_for_registry(environ):
            return self._answer_registry(self._registry, environ, start)
        return self._answer(environ, start)

    def _answer_registry(self, registry: Wsgi, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        status: list[str] = []

        def started(line: str, *rest: Any, **more: Any) -> Any:
            status.append(line)
            return start(line, *rest, **more)

        began = time.perf_counter()
        content = registry(environ, started)
        action = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        self._note(environ, "ecr", action, status, began)
        return content

    def _answer(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        call = _call(environ)
        local = environ["REMOTE_ADDR"] == "127.0.0.1"  # what never leaves this computer counts as encrypted
        mutating = requests.is_mutating(call.action)
        status: list[str] = []

        def started(line: str, *rest: Any, **more: Any) -> Any:
            status.append(line)
            return start(line, *rest, **more)

        began = time.perf_counter()
        verdict = gate.judge(call, environ["REMOTE_ADDR"], local or environ["wsgi.url_scheme"] == "https")
        environ["HTTP_HOST"] = service_host(environ.get("HTTP_HOST", ""))  # by which moto finds service and region
        if verdict.refusal:
            started(verdict.refusal.status, verdict.refusal.headers)
            content = [verdict.refusal.body]
        elif mutating:
            with self._lock:
                content = list(self._moto(environ, started))
            self._changed()
        else:
            content = self._read(environ, call.body, started)
        self._note(environ, call.service, call.action, status, began, verdict)
        return content

    def _read(self, environ: Environ, body: bytes, start: StartResponse) -> list[bytes]:
        """Without the lock; and once more, under it, when moto breaks off: something may have changed while it was walked over."""
        try:
            return list(self._moto({**environ, "wsgi.input": io.BytesIO(body)}, start))
        except Exception:
            LOG.warning("%s %s broke off and is read again", environ["REQUEST_METHOD"], environ["PATH_INFO"], exc_info=True)
            with self._lock:
                return list(self._moto({**environ, "wsgi.input": io.BytesIO(body)}, start))

    def _note(
        self, environ: Environ, service: str, action: str, status: list[str], began: float, verdict: gate.Verdict | None = None
    ) -> None:
        self._log.add(
            requests.Request(
                at=requests.now(),
                source="controller" if environ["REMOTE_ADDR"] == "127.0.0.1" else environ["REMOTE_ADDR"],
                service=service,
                action=action,
                mutating=requests.is_mutating(action),
                status=int(status[-1].split(" ", 1)[0]) if status else 500,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
                principal=verdict.principal if verdict else "-",
                permissions=verdict.permissions if verdict else (),
            )
        )

    def _page(self, name: str, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        page = self._pages.get(name)
        # Machines reach this application too; what the lab says of itself is for the host only.
        if page is None or environ["REMOTE_ADDR"] != "127.0.0.1":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found\n"]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(page()).encode()]


def _call(environ: Environ) -> Call:
    """The request as IAM looks at it."""
    headers = {name.removeprefix("HTTP_").lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers |= {"content-type": environ.get("CONTENT_TYPE", ""), "content-length": environ.get("CONTENT_LENGTH", "")}
    path, query = str(environ.get("RAW_URI", environ["PATH_INFO"])).partition("?")[0], environ.get("QUERY_STRING", "")
    body = _read_body(environ)
    region, service = requests.scope_of(headers, query)
    if service == "-" and ".s3." in headers.get("host", ""):
        service = "s3"  # the one service that answers requests without a signature
    action = requests.action_of(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, headers, body)
    return Call(service, region, action, environ["REQUEST_METHOD"], headers.get("host", ""), path, query, headers, body)


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


class ForService:
    """WSGI: the application for requests to some hosts alone, as a VPC endpoint answers for its one service."""

    def __init__(self, application: Application, answers: Callable[[str], bool]) -> None:
        self._application = application
        self._answers = answers

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "").partition(":")[0].lower()
        if self._answers(host):
            return self._application(environ, start)
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [f"this endpoint does not answer for {host}\n".encode()]


def serve(application: Application | ForService, listening: socket.socket, context: ssl.SSLContext | None = None) -> Callable[[], None]:
    """Serve on a socket that listens already, in threads, until the process ends or the returned function is called."""
    host, port = listening.getsockname()[:2]
    server = ThreadedWSGIServer(host, port, application, handler=_Handler, ssl_context=context, fd=listening.fileno())
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name=f"api {host}:{port}", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        listening.close()  # until here its descriptor is in use

    return stop
