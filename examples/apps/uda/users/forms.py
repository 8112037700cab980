"""What a user may look like; pages and API check the same way."""

from __future__ import annotations

from django import forms

from users.models import User


class UserForm(forms.ModelForm):
    """Name and comment."""

    class Meta:
        """The id is the database's to give."""

        model = User
        fields = ("user_name", "comment")
        widgets = {"comment": forms.Textarea(attrs={"rows": 4})}
