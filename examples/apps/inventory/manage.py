#!/usr/bin/env python3
"""Django's command line for this application."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command; the tests have settings of their own."""
    testing = sys.argv[1:2] == ["test"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory.settings_test" if testing else "inventory.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
