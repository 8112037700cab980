"""Settings, all from the environment; nothing here differs between one machine and another.

DJANGO_SECRET_KEY     signs the form tokens; the same on all machines of a fleet
DJANGO_ALLOWED_HOSTS  names that the site answers for, separated by commas
DJANGO_HTTPS          1 when browsers reach the site by https: secure cookies and HSTS
DJANGO_DEBUG          1 at the desk only: SQLite, a throw-away key, pages that tell what broke
DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD    the PostgreSQL database
DB_SSLMODE            libpq's word: disable, allow, prefer, require, verify-ca or verify-full
DB_SSLROOTCERT        file of the authorities that the last two check against, by default libpq's own
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str) -> bool:
    """Whether the environment says 1 for this name."""
    return os.environ.get(name, "") == "1"


def _tls() -> dict[str, str]:
    """What libpq is told of TLS. It would refuse a wrong word too, but only when the first request asks for the database."""
    mode = os.environ.get("DB_SSLMODE") or "prefer"
    if mode not in SSL_MODES:
        raise ImproperlyConfigured(f"DB_SSLMODE is {mode!r}; choose one of {', '.join(SSL_MODES)}")
    authority = os.environ.get("DB_SSLROOTCERT")
    return {"sslmode": mode} | ({"sslrootcert": authority} if authority else {})


def _database() -> dict[str, Any]:
    """PostgreSQL as the environment says, else SQLite at the desk, else none: Django then says so at first use."""
    if os.environ.get("DB_HOST"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["DB_HOST"],
            "PORT": os.environ.get("DB_PORT", "5432"),
            "NAME": os.environ.get("DB_NAME", "uda"),
            "USER": os.environ.get("DB_USER", "uda"),
            "PASSWORD": os.environ.get("DB_PASSWORD", ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "connect_timeout": 3,
                "application_name": "uda",
                "options": "-c statement_timeout=10s",
            }
            | _tls(),
        }
    if DEBUG:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "uda.sqlite3"}
    return {}


DEBUG = _flag("DJANGO_DEBUG")
HTTPS = _flag("DJANGO_HTTPS")
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or (get_random_secret_key() if DEBUG else "")

# The web server asks for /health by this name, because load balancers ask by address.
HEALTH_HOST = "localhost"
ALLOWED_HOSTS = [HEALTH_HOST, *(host for host in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",") if host)]

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["django.contrib.staticfiles", "users"]
MIDDLEWARE = [
    "uda.middleware.answer_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "uda.urls"
WSGI_APPLICATION = "uda.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["uda.middleware.served_by"]},
    }
]

# Plain file names, not hashed ones: while a fleet is replaced, old and new machines answer for the same page.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True

# The load balancer ends TLS; the web server on this machine always sets this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "INFO", "propagate": False}},
}
