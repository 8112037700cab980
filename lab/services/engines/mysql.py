"""MySQL and MariaDB: MariaDB stands in for both. The master user has the rights that RDS gives, not SUPER.

RDS User Guide, "Master user account privileges" and "Using SSL/TLS with a MySQL DB instance": TLS is offered and only demanded when the
parameter group sets require_secure_transport. The lab's own user is `root` on the server's socket. A password reaches the server as the
hash that it stores: it is in no file, no log and no command line.

RDS also keeps the master user from writing into the tables of the database `mysql`; MariaDB has no such limit for who may write everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import LabError
from .base import Command, Server, checked

START_SCRIPT = (Path(__file__).parent / "mysql.sh").read_text()
MASTER_RIGHTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, "
    "LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, "
    "EVENT, TRIGGER"
)


class MySql:
    """The engines `mysql` and `mariadb`."""

    def files(self, server: Server) -> dict[str, str]:
        return {"start.sh": START_SCRIPT, "settings.cnf": settings_text(server), "name": server.address}

    def ready(self, directory: Path) -> bool:
        """The start script makes this file when the server has answered, and takes it away when it has ended."""
        return (directory / "ready").exists()

    def bootstrap(self, server: Server, password: str) -> Sequence[Command]:
        return [mariadb(bootstrap_sql(server.user, password, server.database))]

    def apply(self, server: Server, changed: Mapping[str, str]) -> Sequence[Command]:
        return [mariadb(f"SET GLOBAL {checked(name)} = {value_sql(value)};\n") for name, value in changed.items()]

    def copy(self) -> Command:
        target = "/lab/snapshot"
        backup = f"mariadb-backup --user=root --target-dir={target}"
        script = (
            f"rm -rf {target} && install -d -m 0700 {target} && {backup} --backup && {backup} --prepare && chown -R mysql:mysql {target}"
        )
        return Command(("sh", "-c", script))


def mariadb(sql: str) -> Command:
    """SQL as the lab's own user on the server's socket."""
    return Command(("mariadb", "--no-defaults", "--protocol=socket", "--user=root", "--batch"), sql)


def settings_text(server: Server) -> str:
    """The server's option file: small, reachable, TLS on offer; then the parameter group's values."""
    settings = {
        "datadir": "/lab/data", "socket": "/run/mysqld/mysqld.sock", "pid-file": "/run/mysqld/mysqld.pid", "bind-address": "0.0.0.0",  # noqa: S104 its security groups decide
        "port": str(server.port), "user": "mysql", "skip-name-resolve": "1", "ssl-cert": "/lab/tls/server.crt",
        "ssl-key": "/lab/tls/server.key", "character-set-server": "utf8mb4", "max_connections": "90", "innodb_buffer_pool_size": "64M",
        "innodb_log_file_size": "32M", "performance_schema": "0", "default-time-zone": "+00:00",
    }  # fmt: skip
    names = {name.replace("_", "-"): name for name in settings}  # the server takes both spellings
    for name, value in server.parameters.items():
        settings[names.get(name.replace("_", "-"), name)] = plain(value)
    return "[mariadbd]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def bootstrap_sql(user: str, password: str, database: str | None) -> str:
    """The master user and the first database. May be run again; the password is then renewed."""
    account = f"'{checked(user)}'@'%'"
    lines = [
        f"CREATE USER IF NOT EXISTS {account} IDENTIFIED VIA mysql_native_password USING '{native_hash(password)}';",
        f"ALTER USER {account} IDENTIFIED VIA mysql_native_password USING '{native_hash(password)}';",
        f"GRANT {MASTER_RIGHTS} ON *.* TO {account} WITH GRANT OPTION;",
    ]
    if database:
        lines.append(f"CREATE DATABASE IF NOT EXISTS `{checked(database)}`;")
    return "\n".join(lines) + "\n"


def native_hash(password: str) -> str:
    """What the server stores for a password (MySQL's mysql_native_password), so that the password itself never has to be sent."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()


def value_sql(value: str) -> str:
    """A parameter's value in SQL: numbers bare, everything else between quotes."""
    if value.replace(".", "", 1).removeprefix("-").isdigit():
        return value
    return "'" + plain(value).replace("\\", "\\\\").replace("'", "''") + "'"


def plain(value: str) -> str:
    """The same value, when it is one line. Raises LabError for others, which would add lines to the option file."""
    if "\n" in value or "\r" in value:
        raise LabError("a parameter's value has more than one line; expected one")
    return value
