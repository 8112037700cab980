"""`migrate` for machines that boot together: one does it, the others wait and find it done."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

# Any number will do, as long as every machine asks for the same one.
LOCK = 0x75_64_61


class Command(BaseCommand):
    """Wait for the database, take PostgreSQL's advisory lock, migrate."""

    help = "Apply the migrations under a lock, so that several machines may do it at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=float, default=60, help="seconds to wait for the database and for the lock")

    def handle(self, *_args: Any, **options: Any) -> None:
        # A request must end soon; a change of a table, and the wait for the lock, may take their time.
        connection.settings_dict["OPTIONS"].pop("options", None)
        self._wait_for_database(options["wait"])
        with _lock(options["wait"]):
            call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)

    def _wait_for_database(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while error := _connection_error():
            if time.monotonic() >= deadline:
                host = connection.settings_dict["HOST"]
                raise CommandError(f"the database at {host} did not answer within {seconds:.0f} s: {error}") from error
            self.stdout.write(f"waiting for the database: {error}")
            time.sleep(min(2, max(0, deadline - time.monotonic())))


def _connection_error() -> OperationalError | None:
    """Connect; None when the database answers."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        return error
    return None


@contextmanager
def _lock(seconds: float) -> Iterator[None]:
    """Hold the lock; the server lets go of it by itself when this process dies. Other databases have one user only."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds * 1000:.0f}"])
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        except OperationalError as error:
            raise CommandError(f"another machine has been migrating for more than {seconds:.0f} s: {error}") from error
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
