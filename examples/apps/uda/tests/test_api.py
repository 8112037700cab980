"""The JSON, as a program meets it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client, TestCase

from users.models import User


class Api(TestCase):
    """Every verb, and every refusal."""

    client_class = Client

    def send(self, verb: str, path: str, body: Any) -> HttpResponse:
        """Send JSON without any form token."""
        client = Client(enforce_csrf_checks=True)
        response: HttpResponse = getattr(client, verb)(path, body, content_type="application/json")
        return response

    def test_all_users(self) -> None:
        answer = self.client.get("/api/users").json()
        self.assertEqual(answer["count"], 3)
        self.assertEqual(answer["users"][0]["user_name"], "Ada Lovelace")
        self.assertEqual(set(answer["users"][0]), {"user_id", "user_name", "comment"})

    def test_a_user_from_birth_to_end(self) -> None:
        made = self.send("post", "/api/users", {"user_name": "Alan"})
        self.assertEqual(made.status_code, 201)
        path = made["Location"]
        self.assertEqual(self.send("patch", path, {"comment": "machines"}).json()["user_name"], "Alan")
        self.assertEqual(self.send("put", path, {"user_name": "Turing"}).json()["comment"], "")
        self.assertEqual(self.client.get(path).json()["user_name"], "Turing")
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assertEqual(self.client.get(path).status_code, 404)

    def test_refusals_say_what_is_wrong(self) -> None:
        refused = [
            ({"user_name": ""}, 400, "required"),
            ({"user_name": "x" * 101}, 400, "at most 100"),
            ({"user_name": "zero\0byte"}, 400, "Null characters"),
            ({"user_name": 7}, 400, "found int, expected text"),
            ({"user_name": "x", "password": "y"}, 400, "is not known"),
            ([], 400, "found list"),
            ('{"user_name": ', 400, "not JSON"),
            (b"\xff", 400, "not JSON"),
            ({"user_name": "x" * 70_000}, 413, "too large"),
        ]
        for body, status, words in refused:
            answer = self.send("post", "/api/users", body)
            self.assertEqual(answer.status_code, status, body)
            self.assertIn(words, answer.content.decode())
        self.assertEqual(User.objects.count(), 3)

    def test_only_json_is_taken(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/api/users", {"user_name": "Mallory"})
        self.assertEqual(answer.status_code, 415)

    def test_verbs_that_are_not_there(self) -> None:
        self.assertEqual(self.client.delete("/api/users").status_code, 405)
