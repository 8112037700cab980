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

from items.models import Item

LOCK = "migrate"


class Command(BaseCommand):
    """Wait for the database, take MySQL's named lock, migrate."""

    help = "Apply the migrations under a lock, so that several machines may do it at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=float, default=60, help="seconds to wait for the database and for the lock")
        parser.add_argument("--seed", action="store_true", help="add the first items to a database that had no table yet")

    def handle(self, *_args: Any, **options: Any) -> None:
        for limit in ("read_timeout", "write_timeout"):  # a request must end soon, a change of a table may take its time
            connection.settings_dict["OPTIONS"].pop(limit, None)
        self._wait_for_database(options["wait"])
        with _lock(options["wait"]):
            new = Item._meta.db_table not in connection.introspection.table_names()
            call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)
            if options["seed"] and new:
                call_command("seed", stdout=self.stdout)

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
    """Hold the lock; the server lets go of it by itself when this process dies. Other databases have one user only.

    The lock is the server's, not the database's, so the database's name is part of it. It outlives the commits that
    MySQL makes around every change of a table (MySQL manual, "Locking Functions").
    """
    if connection.vendor != "mysql":
        yield
        return
    name = f"{connection.settings_dict['NAME']}.{LOCK}"[:64]
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", [name, seconds])
        if cursor.fetchone() != (1,):
            raise CommandError(f"another machine has been migrating for more than {seconds:.0f} s")
        try:
            yield
        finally:
            cursor.execute("SELECT RELEASE_LOCK(%s)", [name])
