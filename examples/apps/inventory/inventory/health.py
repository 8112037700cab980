"""The health check: is this machine fit to be sent requests?"""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from inventory.middleware import HOSTNAME

log = logging.getLogger(__name__)


@never_cache
@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers and has every table of this release, 503 with the reason otherwise."""
    database = _database()
    healthy = database == "ok"
    body = {"status": "ok" if healthy else "unavailable", "database": database, "host": HOSTNAME}
    return JsonResponse(body, status=200 if healthy else 503)


def _database() -> str:
    """One word on the database. Its own error may name hosts and users, so that goes to the log only."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok" if _migrated() else "migrations missing"
    except DatabaseError as error:
        log.warning("health check: %s", error)
        connection.close()
        return "unreachable"


def _migrated() -> bool:
    """Whether every migration is applied. What has been applied stays so, hence one good answer is kept."""
    if not _seen["migrated"]:
        executor = MigrationExecutor(connection)
        _seen["migrated"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _seen["migrated"]


_seen = {"migrated": False}
