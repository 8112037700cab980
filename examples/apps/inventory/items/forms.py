"""What an item may look like; pages and API check the same way."""

from __future__ import annotations

from django import forms
from django.db import IntegrityError, transaction

from items.models import ALREADY, Item


class ItemForm(forms.ModelForm):
    """Everything but the id, which is the database's to give."""

    class Meta:
        """In the order in which people fill it in."""

        model = Item
        fields = ("name", "store", "quantity", "notes")
        widgets = {"notes": forms.Textarea(attrs={"rows": 4})}

    def saved(self) -> Item | None:
        """Save a valid form; None, and the form says why, when another request was faster with the same item."""
        try:
            with transaction.atomic():
                saved: Item = self.save()
        except IntegrityError:
            self.add_error(None, ALREADY)
            return None
        return saved
