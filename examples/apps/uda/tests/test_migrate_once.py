"""Machines that boot together."""

from __future__ import annotations

import threading
from io import StringIO
from unittest import mock, skipUnless

from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import TransactionTestCase

from users.management.commands import migrate_once
from users.models import User


class MigrateOnce(TransactionTestCase):
    """One migrates, the others find it done."""

    serialized_rollback = True

    def test_twice_adds_nothing(self) -> None:
        before = User.objects.count()
        call_command("migrate_once", verbosity=0)
        call_command("migrate_once", verbosity=0)
        self.assertEqual(User.objects.count(), before)

    def test_no_database_is_told(self) -> None:
        gone = OperationalError("connection refused")
        with (
            mock.patch.object(connection, "ensure_connection", side_effect=gone),
            self.assertRaisesMessage(CommandError, "did not answer"),
        ):
            call_command("migrate_once", wait=0, stdout=StringIO())

    @skipUnless(connection.vendor == "postgresql", "only PostgreSQL has the lock")
    def test_the_lock_is_waited_for(self) -> None:
        held, done = threading.Event(), threading.Event()

        def other_machine() -> None:
            with migrate_once._lock(5):
                held.set()
                done.wait(5)
            connection.close()

        other = threading.Thread(target=other_machine)
        other.start()
        held.wait(5)
        with self.assertRaisesMessage(CommandError, "another machine"):
            call_command("migrate_once", wait=0.2, verbosity=0)
        done.set()
        other.join()
        call_command("migrate_once", wait=5, verbosity=0)
