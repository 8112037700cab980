"""The health check, with the database there, gone and not migrated."""

from __future__ import annotations

from unittest import mock

from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import TestCase

from inventory import health


class Health(TestCase):
    """200 only when requests would succeed."""

    def setUp(self) -> None:
        health._seen["migrated"] = False

    def test_ok(self) -> None:
        answer = self.client.get("/health")
        self.assertEqual((answer.status_code, answer.json()["database"]), (200, "ok"))
        self.assertIn("no-store", answer["Cache-Control"])

    def test_the_database_is_gone(self) -> None:
        secret = OperationalError("connection to db.internal failed for user admin")
        with mock.patch.object(connection, "cursor", side_effect=secret), self.assertLogs("inventory.health", "WARNING"):
            answer = self.client.get("/health")
        self.assertEqual((answer.status_code, answer.json()["database"]), (503, "unreachable"))
        self.assertNotContains(answer, "db.internal", status_code=503)

    def test_a_migration_is_missing(self) -> None:
        MigrationRecorder(connection).record_unapplied("items", "0001_items")
        answer = self.client.get("/health")
        self.assertEqual((answer.status_code, answer.json()["database"]), (503, "migrations missing"))

    def test_posting_is_refused(self) -> None:
        self.assertEqual(self.client.post("/health").status_code, 405)
