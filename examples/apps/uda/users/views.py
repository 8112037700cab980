"""Pages for people."""

from __future__ import annotations

from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, ListView, UpdateView

from users.forms import UserForm
from users.models import User


class UserList(ListView):
    """All users, fifty to a page."""

    model = User
    paginate_by = 50


class UserAdd(CreateView):
    """Add a user."""

    model = User
    form_class = UserForm
    success_url = reverse_lazy("users")


class UserEdit(UpdateView):
    """Change a user."""

    model = User
    form_class = UserForm
    success_url = reverse_lazy("users")


class UserRemove(DeleteView):
    """Ask, then remove a user."""

    model = User
    success_url = reverse_lazy("users")
