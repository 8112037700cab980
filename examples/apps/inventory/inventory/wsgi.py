"""The WSGI callable. What is missing in the environment is told here, before the first request."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory.settings")

_required = {
    "DJANGO_SECRET_KEY": settings.SECRET_KEY,  # Django itself raises when it is empty
    "DB_HOST": settings.DATABASES["default"],
    "DJANGO_ALLOWED_HOSTS": settings.DEBUG or settings.ALLOWED_HOSTS[1:],
}
for _name, _found in _required.items():
    if not _found:
        raise ImproperlyConfigured(f"{_name} is not set; the application takes all its settings from the environment")

application = get_wsgi_application()
