"""The one table of the site."""

from __future__ import annotations

from django.db import models


class User(models.Model):
    """A person that the site knows by name. There is no password: nobody logs in here."""

    user_id = models.BigAutoField(primary_key=True)
    user_name = models.CharField("name", max_length=100)
    comment = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        """The table's name is part of the site's contract with its database."""

        db_table = "users"
        ordering = ["user_id"]

    def __str__(self) -> str:
        return self.user_name
