"""The pages, as a browser meets them."""

from __future__ import annotations

import re
import socket
from io import StringIO
from unittest import mock

from django.core.management import call_command
from django.test import Client, TestCase

from items.models import Item


class Pages(TestCase):
    """List, search, add, edit, remove."""

    @classmethod
    def setUpTestData(cls) -> None:
        call_command("seed", stdout=StringIO())

    def test_the_items_are_there(self) -> None:
        page = self.client.get("/")
        self.assertContains(page, "Hex bolt M8")
        self.assertContains(page, "5 items")

    def test_a_search_shows_what_it_finds_or_says_that_there_is_nothing(self) -> None:
        page = self.client.get("/", {"search": "bolt"})
        self.assertContains(page, "2 items for “bolt”")
        self.assertNotContains(page, "Work gloves")
        self.assertContains(self.client.get("/", {"search": "unicorn"}), "Nothing was found for “unicorn”.")

    def test_every_page_says_which_machine_made_it(self) -> None:
        page = self.client.get("/")
        self.assertContains(page, f"<code>{socket.gethostname()}</code>")
        self.assertEqual(page["X-Served-By"], socket.gethostname())

    def test_add_edit_and_remove(self) -> None:
        form = {"name": " Nail ", "store": "Osaka", "quantity": 9, "notes": ""}
        self.assertRedirects(self.client.post("/items/add", form), "/")
        item = Item.objects.get(name="Nail")
        self.client.post(f"/items/{item.pk}/edit", form | {"name": "Long nail"})
        self.assertContains(self.client.get("/"), "Long nail")
        self.assertContains(self.client.get(f"/items/{item.pk}/remove"), "Remove Long nail in Osaka?")
        self.client.post(f"/items/{item.pk}/remove")
        self.assertNotContains(self.client.get("/"), "Long nail")

    def test_forms_say_what_is_wrong(self) -> None:
        whole = {"name": "Nail", "store": "Osaka", "quantity": 1}
        self.assertContains(self.client.post("/items/add", whole | {"name": "   "}), "This field is required")
        self.assertContains(self.client.post("/items/add", whole | {"name": "x" * 101}), "at most 100")
        self.assertContains(self.client.post("/items/add", whole | {"name": "Hex bolt M8"}), "This item is in this store already.")
        self.assertEqual(Item.objects.count(), 5)

    def test_a_form_that_another_request_overtook_says_so(self) -> None:
        osaka, sendai = Item.objects.filter(name="Hex bolt M8").order_by("store")
        form = {"name": osaka.name, "store": osaka.store, "quantity": 1}
        with mock.patch.object(Item, "validate_constraints"):  # the other item is not there yet when the form is checked
            for path in ("/items/add", f"/items/{sendai.pk}/edit"):
                self.assertContains(self.client.post(path, form), "This item is in this store already.")
        self.assertEqual(Item.objects.count(), 5)

    def test_what_people_write_is_shown_as_text(self) -> None:
        Item.objects.create(name="<script>alert(1)</script>", store="Osaka")
        self.assertNotContains(self.client.get("/"), "<script>")
        self.assertNotContains(self.client.get("/", {"search": "<script>"}), "<script>")

    def test_a_hundred_items_have_pages_and_a_search_stays_a_search(self) -> None:
        Item.objects.bulk_create(Item(name=f"nut {number}", store="Osaka") for number in range(100))
        self.assertContains(self.client.get("/?page=3"), "Page 3 of 3")
        self.assertContains(self.client.get("/?search=nut"), 'href="?search=nut&amp;page=2"')

    def test_unknown_items_are_404(self) -> None:
        for path in ("/items/99999/edit", "/items/99999999999999999999/edit", "/items/-1/edit"):
            self.assertEqual(self.client.get(path).status_code, 404, path)


class Security(TestCase):
    """Form tokens, headers and host names."""

    def test_a_form_without_its_token_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        self.assertEqual(client.post("/items/add", {"name": "Mallory", "store": "Osaka"}).status_code, 403)

    def test_a_form_with_its_token_works_behind_a_load_balancer(self) -> None:
        client = Client(enforce_csrf_checks=True)
        hosts = {"http": "inventory-lb-1.elb.amazonaws.com", "https": "inventory-lb-1.elb.amazonaws.com:8443"}
        for scheme, host in hosts.items():
            with self.settings(ALLOWED_HOSTS=["inventory-lb-1.elb.amazonaws.com"]):
                page = client.get("/items/add", headers={"host": host})
                token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
                assert token
                headers = {"host": host, "origin": f"{scheme}://{host}", "x-forwarded-proto": scheme}
                form = {"name": scheme, "store": "Osaka", "quantity": 1, "csrfmiddlewaretoken": token[1]}
                self.assertEqual(client.post("/items/add", form, headers=headers).status_code, 302, scheme)

    def test_a_form_from_another_site_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        page = client.get("/items/add")
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
        assert token
        form = {"name": "Mallory", "store": "Osaka", "csrfmiddlewaretoken": token[1]}
        self.assertEqual(client.post("/items/add", form, headers={"origin": "http://elsewhere.example"}).status_code, 403)

    def test_a_foreign_host_is_refused(self) -> None:
        self.assertEqual(self.client.get("/", headers={"host": "elsewhere.example"}).status_code, 400)

    def test_headers(self) -> None:
        page = self.client.get("/")
        self.assertEqual(page["X-Frame-Options"], "DENY")
        self.assertEqual(page["X-Content-Type-Options"], "nosniff")
        self.assertEqual(page["Referrer-Policy"], "same-origin")
        self.assertIn("default-src 'none'", page["Content-Security-Policy"])
