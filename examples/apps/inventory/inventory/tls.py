"""PostgreSQL's well-known words for TLS, put into what the MySQL driver takes."""

from __future__ import annotations

import ssl
from typing import Any

from django.core.exceptions import ImproperlyConfigured

MODES = ("disable", "prefer", "require", "verify-full")


def tls(mode: str, authority: str | None) -> dict[str, Any]:
    """Options of PyMySQL's connect(). With a context given the driver refuses a server that offers no TLS."""
    if mode not in MODES:
        raise ImproperlyConfigured(f"DB_SSLMODE is {mode!r}; choose one of {', '.join(MODES)}")
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode == "prefer":
        return {}
    context = ssl.create_default_context(cafile=authority)
    if mode == "require":  # against eavesdroppers; who the server is stays unproven
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}
