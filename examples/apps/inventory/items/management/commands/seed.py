"""Some items, so that a new site has something to show."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from items.models import Item

FIRST = [
    Item(name="Hex bolt M8", store="Osaka", quantity=400, notes="stainless, box of 100"),
    Item(name="Hex bolt M8", store="Sendai", quantity=120, notes="stainless, box of 100"),
    Item(name="Work gloves", store="Osaka", quantity=36, notes="size 9"),
    Item(name="Tape measure", store="Sendai", quantity=14),
    Item(name="Step ladder", store="Sapporo", quantity=3, notes="four steps"),
]


class Command(BaseCommand):
    """Safe to run twice: what is there already stays as it is."""

    help = "Add the first items, unless they are there."

    def handle(self, *_args: Any, **_options: Any) -> None:
        before = Item.objects.count()
        Item.objects.bulk_create(FIRST, ignore_conflicts=True)
        self.stdout.write(f"{Item.objects.count() - before} items added")
