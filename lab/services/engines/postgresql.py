"""PostgreSQL. The master user is no superuser, as on RDS, but may create databases and roles.

The lab's own `rdsadmin` exists only on the server's socket. A password reaches the server as a SCRAM verifier: it is in no file, no log
and no command line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .base import Command, Server, checked

START_SCRIPT = (Path(__file__).parent / "postgresql.sh").read_text()
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
SCRAM_ITERATIONS = 4096


class PostgreSql:
    """The engine `postgres`."""

    def files(self, server: Server) -> dict[str, str]:
        return {
            "start.sh": START_SCRIPT,
            "settings.conf": settings_text(server),
            "access.conf": access_text(server),
            "name": server.address,
        }

    def ready(self, directory: Path) -> bool:
        """PostgreSQL writes the state of its postmaster into the last line of a file."""
        try:
            lines = (directory / "data/postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def bootstrap(self, server: Server, password: str) -> Sequence[Command]:
        return [psql(name, sql) for name, sql in bootstrap_sql(server.user, password, server.database or "postgres")]

    def apply(self, server: Server, changed: Mapping[str, str]) -> Sequence[Command]:
        return [psql("postgres", "DO $$ BEGIN PERFORM pg_reload_conf(); END $$;\n")]

    def copy(self) -> Command:
        target = "/lab/snapshot"
        backup = f"pg_basebackup --username=rdsadmin --pgdata={target} --checkpoint=fast --wal-method=fetch"
        script = f"rm -rf {target} && install -d -o postgres -g postgres -m 0700 {target} && {' '.join(AS_POSTGRES)} {backup}"
        return Command(("sh", "-c", script))


def psql(database: str, sql: str) -> Command:
    """SQL for one database, as the lab's own user on the server's socket."""
    arguments = ("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--username=rdsadmin", f"--dbname={database}")
    return Command((*AS_POSTGRES, *arguments), sql)


def settings_text(server: Server) -> str:
    """postgresql.conf: small, reachable, encrypted; then the parameter group's values."""
    given = {name: value for name, value in server.parameters.items() if not name.startswith("rds.")}
    settings = {
        "listen_addresses": "*", "port": str(server.port), "ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key",
        "hba_file": "/lab/access.conf", "password_encryption": "scram-sha-256", "max_connections": "90", "shared_buffers": "32MB",
        "max_wal_size": "256MB", "timezone": "UTC", "log_timezone": "UTC", "log_destination": "stderr", "log_min_error_statement": "panic",
    } | given  # fmt: skip
    return "".join(f"{name} = {literal(value)}\n" for name, value in settings.items())


def access_text(server: Server) -> str:
    """pg_hba.conf. RDS for PostgreSQL 15 and later demands TLS unless the parameter group sets rds.force_ssl to 0."""
    kind = "host" if server.parameters.get("rds.force_ssl") == "0" else "hostssl"
    return (
        "local all rdsadmin trust\nlocal replication rdsadmin trust\nlocal all all reject\nhost all rdsadmin all reject\n"
        f"{kind} all all all scram-sha-256\n"
    )


def bootstrap_sql(user: str, password: str, database: str) -> list[tuple[str, str]]:
    """(database to connect to, SQL): the master user and the first database. May be run again; the password is then renewed."""
    role, name = f'"{checked(user)}"', f'"{checked(database)}"'
    verifier = literal(scram_verifier(password, os.urandom(16)))
    create = f"""\
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser') THEN
    CREATE ROLE rds_superuser; GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(user)}) THEN
    CREATE ROLE {role} LOGIN CREATEDB CREATEROLE; GRANT rds_superuser TO {role} WITH ADMIN OPTION;
  END IF;
END $$;
ALTER ROLE {role} PASSWORD {verifier};
SELECT 'CREATE DATABASE {name} OWNER {role}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal(database)}) \\gexec
ALTER DATABASE {name} OWNER TO {role};
"""  # noqa: S608 names are checked and quoted, values are literals
    return [("postgres", create), (database, f"ALTER SCHEMA public OWNER TO {role};\n")]


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL stores for a password (RFC 5803), so that the password itself never has to be sent."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(value).decode() for value in (salt, stored, server)]
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def literal(text: str) -> str:
    """A value between quotes, for SQL and for postgresql.conf."""
    return "'" + text.replace("'", "''") + "'"
