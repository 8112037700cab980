"""Settings, all from the environment; nothing here differs between one machine and another.

DJANGO_SECRET_KEY     signs the form tokens; the same on all machines of a fleet
DJANGO_ALLOWED_HOSTS  names that the site answers for, separated by commas
DJANGO_HTTPS          1 when browsers reach the site by https: secure cookies and HSTS
DJANGO_DEBUG          1 at the desk only: SQLite, a throw-away key, pages that tell what broke
DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD    the MySQL database
DB_SSLMODE            disable, prefer (where the server offers it), require, or verify-full (against DB_SSLROOTCERT)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.utils import get_random_secret_key

from inventory.tls import tls

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str) -> bool:
    """Whether the environment says 1 for this name."""
    return os.environ.get(name, "") == "1"


def _database() -> dict[str, Any]:
    """MySQL as the environment says, else SQLite at the desk, else none: Django then says so at first use."""
    if os.environ.get("DB_HOST"):
        return {
            "ENGINE": "django.db.backends.mysql",
            "HOST": os.environ["DB_HOST"],
            "PORT": os.environ.get("DB_PORT", "3306"),
            "NAME": os.environ.get("DB_NAME", "inventory"),
            "USER": os.environ.get("DB_USER", "inventory"),
            "PASSWORD": os.environ.get("DB_PASSWORD", ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"charset": "utf8mb4", "connect_timeout": 3, "read_timeout": 10, "write_timeout": 10}
            | tls(os.environ.get("DB_SSLMODE", "prefer"), os.environ.get("DB_SSLROOTCERT")),
        }
    if DEBUG:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "inventory.sqlite3"}
    return {}


DEBUG = _flag("DJANGO_DEBUG")
HTTPS = _flag("DJANGO_HTTPS")
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or (get_random_secret_key() if DEBUG else "")

# The web server asks for /health by this name, because load balancers ask by address.
HEALTH_HOST = "localhost"
ALLOWED_HOSTS = [HEALTH_HOST, *(host for host in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",") if host)]

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["django.contrib.staticfiles", "items"]
MIDDLEWARE = [
    "inventory.middleware.answer_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "inventory.urls"
WSGI_APPLICATION = "inventory.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["inventory.middleware.served_by"]},
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
