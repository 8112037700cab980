"""The one table of the site."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

ALREADY = "This item is in this store already."


class ItemQuerySet(models.QuerySet["Item"]):
    """Items, by what people look for."""

    def search(self, words: str) -> ItemQuerySet:
        """Items that have every word somewhere in their name, store or notes; no word finds all."""
        found = self
        for word in words.split():
            found = found.filter(Q(name__icontains=word) | Q(store__icontains=word) | Q(notes__icontains=word))
        return found


class Item(models.Model):
    """So many of a thing in one store."""

    item_id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    store = models.CharField(max_length=100)
    quantity = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(999_999)])
    notes = models.CharField(max_length=1000, blank=True, default="")

    objects = ItemQuerySet.as_manager()

    class Meta:
        """The table's name is part of the site's contract with its database."""

        db_table = "items"
        ordering = ["name", "store", "item_id"]
        constraints = [
            models.UniqueConstraint(fields=["name", "store"], name="one_row_per_name_and_store", violation_error_message=ALREADY)
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.store}"
