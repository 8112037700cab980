"""What runs behind a DB instance: one file for each server, all with the interface of base.py."""

from __future__ import annotations

from .base import Server, ServerEngine
from .mysql import MySql
from .postgresql import PostgreSql

SERVERS: dict[str, ServerEngine] = {"postgres": PostgreSql(), "mysql": MySql(), "mariadb": MySql()}

__all__ = ["SERVERS", "Server", "ServerEngine"]
