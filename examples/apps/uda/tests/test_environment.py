"""What a wrong environment says at start."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import SimpleTestCase

from uda import settings

HERE = Path(__file__).parent.parent
WHOLE = {"DJANGO_SECRET_KEY": "only-for-tests", "DJANGO_ALLOWED_HOSTS": "uda.example", "DB_HOST": "127.0.0.1"}


class Environment(SimpleTestCase):
    """The application starts with all of it and names what is missing."""

    def start(self, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Import the WSGI module in a process of its own."""
        clean = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run([sys.executable, "-c", "import uda.wsgi"], cwd=HERE, env=clean, capture_output=True, text=True, check=False)

    def test_whole(self) -> None:
        self.assertEqual(self.start(WHOLE).returncode, 0)

    def test_each_missing_name_is_told(self) -> None:
        for name in WHOLE:
            told = self.start({key: value for key, value in WHOLE.items() if key != name})
            self.assertNotEqual(told.returncode, 0, name)
            self.assertIn(name.removeprefix("DJANGO_"), told.stderr)

    def test_an_unknown_word_for_tls_is_told_with_those_that_are_known(self) -> None:
        told = self.start(WHOLE | {"DB_SSLMODE": "always"})
        self.assertIn("DB_SSLMODE is 'always'; choose one of disable, allow, prefer, require, verify-ca, verify-full", told.stderr)


class Database(SimpleTestCase):
    """What the environment makes of the driver's options."""

    def options(self, **environment: str) -> dict[str, Any]:
        with mock.patch.dict(os.environ, {"DB_HOST": "127.0.0.1", **environment}):
            found: dict[str, Any] = settings._database()["OPTIONS"]
        return found

    def test_tls(self) -> None:
        full = self.options(DB_SSLMODE="verify-full", DB_SSLROOTCERT="/etc/ssl/rds.pem")
        self.assertEqual((full["sslmode"], full["sslrootcert"]), ("verify-full", "/etc/ssl/rds.pem"))
        plain = self.options(DB_SSLMODE="", DB_SSLROOTCERT="")
        self.assertEqual((plain["sslmode"], plain.get("sslrootcert")), ("prefer", None))

    def test_a_statement_has_an_end(self) -> None:
        self.assertEqual(self.options()["options"], "-c statement_timeout=10s")

    def test_but_not_one_of_a_migration(self) -> None:
        options = self.options()
        with (
            mock.patch.dict(connection.settings_dict, {"OPTIONS": options}),
            mock.patch.object(connection, "ensure_connection", side_effect=OperationalError),
            self.assertRaises(CommandError),
        ):
            call_command("migrate_once", wait=0, stdout=StringIO())
        self.assertNotIn("options", options)
