"""The pages, as a browser meets them."""

from __future__ import annotations

import re
import socket

from django.test import Client, TestCase

from users.models import User


class Pages(TestCase):
    """List, add, edit, remove."""

    def test_the_first_users_are_there(self) -> None:
        page = self.client.get("/")
        self.assertContains(page, "Ada Lovelace")
        self.assertContains(page, "3 users")

    def test_every_page_says_which_machine_made_it(self) -> None:
        page = self.client.get("/")
        self.assertContains(page, f"<code>{socket.gethostname()}</code>")
        self.assertEqual(page["X-Served-By"], socket.gethostname())

    def test_add_edit_and_remove(self) -> None:
        self.assertRedirects(self.client.post("/users/add", {"user_name": " Alan ", "comment": "machines"}), "/")
        user = User.objects.get(user_name="Alan")
        self.client.post(f"/users/{user.pk}/edit", {"user_name": "Alan Turing", "comment": ""})
        self.assertContains(self.client.get("/"), "Alan Turing")
        self.assertContains(self.client.get(f"/users/{user.pk}/remove"), "Remove Alan Turing?")
        self.client.post(f"/users/{user.pk}/remove")
        self.assertNotContains(self.client.get("/"), "Alan Turing")

    def test_a_name_is_needed_and_has_an_end(self) -> None:
        self.assertContains(self.client.post("/users/add", {"user_name": "   "}), "This field is required")
        self.assertContains(self.client.post("/users/add", {"user_name": "x" * 101}), "at most 100")
        self.assertEqual(User.objects.count(), 3)

    def test_what_people_write_is_shown_as_text(self) -> None:
        User.objects.create(user_name="<script>alert(1)</script>")
        self.assertNotContains(self.client.get("/"), "<script>")

    def test_a_hundred_users_have_pages(self) -> None:
        User.objects.bulk_create(User(user_name=f"user {number}") for number in range(100))
        self.assertContains(self.client.get("/?page=3"), "Page 3 of 3")

    def test_unknown_users_are_404(self) -> None:
        for path in ("/users/99999/edit", "/users/99999999999999999999/edit", "/users/-1/edit"):
            self.assertEqual(self.client.get(path).status_code, 404, path)


class Security(TestCase):
    """Form tokens, headers and host names."""

    def test_a_form_without_its_token_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        self.assertEqual(client.post("/users/add", {"user_name": "Mallory"}).status_code, 403)

    def test_a_form_with_its_token_works_behind_a_load_balancer(self) -> None:
        client = Client(enforce_csrf_checks=True)
        hosts = {"http": "uda-alb-1.elb.amazonaws.com", "https": "uda-alb-1.elb.amazonaws.com:8443"}
        for scheme, host in hosts.items():
            with self.settings(ALLOWED_HOSTS=["uda-alb-1.elb.amazonaws.com"]):
                page = client.get("/users/add", headers={"host": host})
                token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
                assert token
                headers = {"host": host, "origin": f"{scheme}://{host}", "x-forwarded-proto": scheme}
                form = {"user_name": scheme, "csrfmiddlewaretoken": token[1]}
                self.assertEqual(client.post("/users/add", form, headers=headers).status_code, 302, scheme)

    def test_a_form_from_another_site_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        page = client.get("/users/add")
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
        assert token
        form = {"user_name": "Mallory", "csrfmiddlewaretoken": token[1]}
        self.assertEqual(client.post("/users/add", form, headers={"origin": "http://elsewhere.example"}).status_code, 403)

    def test_a_foreign_host_is_refused(self) -> None:
        self.assertEqual(self.client.get("/", headers={"host": "elsewhere.example"}).status_code, 400)

    def test_headers(self) -> None:
        page = self.client.get("/")
        self.assertEqual(page["X-Frame-Options"], "DENY")
        self.assertEqual(page["X-Content-Type-Options"], "nosniff")
        self.assertEqual(page["Referrer-Policy"], "same-origin")
        self.assertIn("default-src 'none'", page["Content-Security-Policy"])
