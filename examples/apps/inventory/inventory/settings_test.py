"""Settings of the tests: SQLite in memory, or the MySQL that DB_HOST names."""

from __future__ import annotations

from inventory.settings import *  # noqa: F403 all settings, but for those below
from inventory.settings import DATABASES

SECRET_KEY = "only-for-tests"  # noqa: S105 it signs nothing that leaves a test

if not DATABASES["default"]:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
