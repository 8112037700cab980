"""The table `items`."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import migrations, models

from items.models import ALREADY


class Migration(migrations.Migration):
    """Make it."""

    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.CreateModel(
            name="Item",
            fields=[
                ("item_id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("store", models.CharField(max_length=100)),
                ("quantity", models.PositiveIntegerField(default=0, validators=[MaxValueValidator(999_999)])),
                ("notes", models.CharField(blank=True, default="", max_length=1000)),
            ],
            options={
                "db_table": "items",
                "ordering": ["name", "store", "item_id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "store"),
                        name="one_row_per_name_and_store",
                        violation_error_message=ALREADY,
                    )
                ],
            },
        )
    ]
