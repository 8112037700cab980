"""The table `users`."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Make it."""

    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("user_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("user_name", models.CharField(max_length=100, verbose_name="name")),
                ("comment", models.CharField(blank=True, default="", max_length=1000)),
            ],
            options={"db_table": "users", "ordering": ["user_id"]},
        )
    ]
