"""Machines that boot together."""

from __future__ import annotations

import threading
from io import StringIO
from unittest import mock, skipUnless

from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import TransactionTestCase

from items.management.commands import migrate_once
from items.models import Item


class MigrateOnce(TransactionTestCase):
    """One migrates, the others find it done."""

    def test_a_table_that_stands_is_not_seeded(self) -> None:
        call_command("migrate_once", "--seed", verbosity=0)
        self.assertEqual(Item.objects.count(), 0)

    def test_a_new_table_is_seeded_once(self) -> None:
        call_command("migrate", "items", "zero", verbosity=0)
        try:
            call_command("migrate_once", "--seed", verbosity=0, stdout=StringIO())
            self.assertEqual(Item.objects.count(), 5)
            Item.objects.first().delete()
            call_command("migrate_once", "--seed", verbosity=0)
            self.assertEqual(Item.objects.count(), 4)
        finally:
            call_command("migrate", verbosity=0)

    def test_seeding_twice_adds_nothing_and_changes_nothing(self) -> None:
        told = StringIO()
        call_command("seed", stdout=told)
        Item.objects.filter(name="Step ladder").update(quantity=2)
        call_command("seed", stdout=told)
        self.assertEqual(told.getvalue().splitlines(), ["5 items added", "0 items added"])
        self.assertEqual(Item.objects.get(name="Step ladder").quantity, 2)

    def test_no_database_is_told(self) -> None:
        gone = OperationalError("connection refused")
        with (
            mock.patch.object(connection, "ensure_connection", side_effect=gone),
            self.assertRaisesMessage(CommandError, "did not answer"),
        ):
            call_command("migrate_once", wait=0, stdout=StringIO())

    @skipUnless(connection.vendor == "mysql", "only MySQL has the lock")
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
            call_command("migrate_once", wait=1, verbosity=0)
        done.set()
        other.join()
        call_command("migrate_once", wait=5, verbosity=0)
