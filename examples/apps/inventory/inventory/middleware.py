"""What every answer carries: the machine that made it, and a strict content policy."""

from __future__ import annotations

import socket
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HOSTNAME = socket.gethostname()
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def answer_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Add X-Served-By and the content policy to every answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Served-By"] = HOSTNAME
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return middleware


def served_by(_request: HttpRequest) -> dict[str, str]:
    """Give the pages the machine's name for their footer."""
    return {"served_by": HOSTNAME}
