"""What a wrong environment says at start."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

from django.test import SimpleTestCase

from inventory.tls import tls

HERE = Path(__file__).parent.parent
WHOLE = {"DJANGO_SECRET_KEY": "only-for-tests", "DJANGO_ALLOWED_HOSTS": "inventory.example", "DB_HOST": "127.0.0.1"}


class Environment(SimpleTestCase):
    """The application starts with all of it and names what is missing."""

    def start(self, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Import the WSGI module in a process of its own."""
        clean = {"PATH": os.environ["PATH"], **environment}
        return subprocess.run(
            [sys.executable, "-c", "import inventory.wsgi"], cwd=HERE, env=clean, capture_output=True, text=True, check=False
        )

    def test_whole(self) -> None:
        self.assertEqual(self.start(WHOLE).returncode, 0)

    def test_each_missing_name_is_told(self) -> None:
        for name in WHOLE:
            told = self.start({key: value for key, value in WHOLE.items() if key != name})
            self.assertNotEqual(told.returncode, 0, name)
            self.assertIn(name.removeprefix("DJANGO_"), told.stderr)

    def test_an_unknown_word_for_tls_is_told_with_those_that_are_known(self) -> None:
        told = self.start(WHOLE | {"DB_SSLMODE": "always"})
        self.assertIn("DB_SSLMODE is 'always'; choose one of disable, prefer, require, verify-full", told.stderr)


class Tls(SimpleTestCase):
    """What each word makes of the driver's options."""

    def test_require_encrypts_and_verify_full_checks_the_server_too(self) -> None:
        require, full = tls("require", None)["ssl"], tls("verify-full", None)["ssl"]
        self.assertEqual((require.verify_mode, require.check_hostname), (ssl.CERT_NONE, False))
        self.assertEqual((full.verify_mode, full.check_hostname), (ssl.CERT_REQUIRED, True))

    def test_the_others_leave_it_to_the_driver_or_switch_it_off(self) -> None:
        self.assertEqual((tls("prefer", None), tls("disable", None)), ({}, {"ssl_disabled": True}))
