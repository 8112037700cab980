"""A few rows, so that a new site has something to show."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FIRST = {
    "Ada Lovelace": "wrote the first program",
    "Grace Hopper": "made the first compiler",
    "Radia Perlman": "gave bridges their spanning tree",
}


def add(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Add the rows."""
    user = apps.get_model("users", "User")
    user.objects.bulk_create(user(user_name=name, comment=comment) for name, comment in FIRST.items())


class Migration(migrations.Migration):
    """Going back leaves the rows to whoever owns them by then."""

    dependencies = [("users", "0001_users")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
