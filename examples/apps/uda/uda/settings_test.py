"""Settings of the tests: SQLite in memory, or the PostgreSQL that DB_HOST names."""

from __future__ import annotations

from uda.settings import *  # noqa: F403
from uda.settings import DATABASES

SECRET_KEY = "only-for-tests"

if not DATABASES["default"]:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
