"""The JSON, as a program meets it."""

from __future__ import annotations

from io import StringIO
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, TestCase

from items.models import Item

BOLT = {"name": "Hex bolt M10", "store": "Osaka"}


class Api(TestCase):
    """Every verb, and every refusal."""

    @classmethod
    def setUpTestData(cls) -> None:
        call_command("seed", stdout=StringIO())

    def send(self, verb: str, path: str, body: Any) -> HttpResponse:
        """Send JSON without any form token."""
        client = Client(enforce_csrf_checks=True)
        response: HttpResponse = getattr(client, verb)(path, body, content_type="application/json")
        return response

    def test_all_items(self) -> None:
        answer = self.client.get("/api/items").json()
        self.assertEqual(answer["count"], 5)
        self.assertEqual(set(answer["items"][0]), {"item_id", "name", "store", "quantity", "notes"})

    def test_search(self) -> None:
        found = {words: self.client.get("/api/items", {"search": words}).json()["count"] for words in ("bolt", "OSAKA bolt", "steps", "%")}
        self.assertEqual(found, {"bolt": 2, "OSAKA bolt": 1, "steps": 1, "%": 0})

    def test_an_item_from_birth_to_end(self) -> None:
        made = self.send("post", "/api/items", BOLT)
        self.assertEqual((made.status_code, made.json()["quantity"]), (201, 0))
        path = made["Location"]
        self.assertEqual(self.send("patch", path, {"quantity": 7}).json(), made.json() | {"quantity": 7})
        self.assertEqual(self.send("put", path, BOLT | {"notes": "black"}).json()["quantity"], 0)
        self.assertEqual(self.client.get(path).json()["notes"], "black")
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assertEqual(self.client.get(path).status_code, 404)

    def test_refusals_say_what_is_wrong(self) -> None:
        refused = [
            ({"name": "", "store": "Osaka"}, 400, "required"),
            ({"name": "x" * 101, "store": "Osaka"}, 400, "at most 100"),
            ({"name": "zero\0byte", "store": "Osaka"}, 400, "Null characters"),
            ({"name": "Hex bolt M8", "store": "Osaka"}, 400, "already"),
            (BOLT | {"quantity": -1}, 400, "greater than or equal to 0"),
            (BOLT | {"quantity": 1_000_000}, 400, "less than or equal"),
            (BOLT | {"quantity": "7"}, 400, "found str, expected int"),
            (BOLT | {"quantity": True}, 400, "found bool, expected int"),
            (BOLT | {"price": 1}, 400, "is not known"),
            ([], 400, "found list"),
            ('{"name": ', 400, "not JSON"),
            (b"\xff", 400, "not JSON"),
            (BOLT | {"notes": "x" * 70_000}, 413, "too large"),
        ]
        for body, status, words in refused:
            answer = self.send("post", "/api/items", body)
            self.assertEqual(answer.status_code, status, body)
            self.assertIn(words, answer.content.decode())
        self.assertEqual(Item.objects.count(), 5)

    def test_an_item_that_another_request_added_meanwhile_is_refused_like_one_that_was_there(self) -> None:
        with mock.patch.object(Item, "validate_constraints"):  # the other item is not there yet when this one is checked
            answer = self.send("post", "/api/items", {"name": "Hex bolt M8", "store": "Osaka"})
        self.assertEqual((answer.status_code, answer.json()), (400, {"errors": {"__all__": ["This item is in this store already."]}}))

    def test_only_json_is_taken(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/api/items", BOLT)
        self.assertEqual(answer.status_code, 415)

    def test_verbs_that_are_not_there(self) -> None:
        self.assertEqual(self.client.delete("/api/items").status_code, 405)
