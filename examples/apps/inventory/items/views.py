"""Pages for people."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from items.forms import ItemForm
from items.models import Item, ItemQuerySet


class ItemList(ListView):
    """All items or those that were searched for, fifty to a page."""

    paginate_by = 50

    def get_queryset(self) -> ItemQuerySet:
        return Item.objects.search(self.request.GET.get("search", ""))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(search=self.request.GET.get("search", ""), **kwargs)


class _Save:
    """Keep what a valid form says, unless another request was faster."""

    def form_valid(self, form: ItemForm) -> HttpResponse:
        saved = form.saved()
        if saved is None:
            return self.form_invalid(form)
        self.object = saved
        return redirect(self.get_success_url())


class ItemAdd(_Save, CreateView):
    """Add an item."""

    model = Item
    form_class = ItemForm
    success_url = reverse_lazy("items")


class ItemEdit(_Save, UpdateView):
    """Change an item."""

    model = Item
    form_class = ItemForm
    success_url = reverse_lazy("items")


class ItemRemove(DeleteView):
    """Ask, then remove an item."""

    model = Item
    success_url = reverse_lazy("items")
