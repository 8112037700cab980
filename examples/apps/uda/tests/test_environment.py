"""What a wrong environment says at start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.test import SimpleTestCase

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
