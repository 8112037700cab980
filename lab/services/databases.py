"""RDS for PostgreSQL: a real server per DB instance, at its interface's address, with its data outside the container.

The master user is no superuser, as on RDS, but may create databases and roles; the lab's own `rdsadmin` exists only on the server's
socket. A password reaches the server as a SCRAM verifier: it is in no file, no log and no command line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from .. import image, state
from ..aws import rds as corrected
from ..engine.base import Engine, Status
from ..errors import LabError
from ..settings import Settings
from ..world import Machine, World
from .base import Addresses

LOG = logging.getLogger(__name__)
START_SCRIPT = (Path(__file__).parent / "postgresql.sh").read_text()
SCRAM_ITERATIONS = 4096
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")


class Databases:
    """The service `rds`."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._running: set[str] | None = None  # machine ids; None until the lab has looked for the first time

    def machines(self) -> Iterable[Machine]:
        if self._running is None:
            self._begin()
        for rds, database in databases():
            eni = ec2_backends[rds.account_id][rds.region_name].enis.get(database.lab_interface_id)
            if eni is None or (database.lab_wanted == "deleted" and getattr(database, "lab_stopped", False)):
                continue
            self._restore(database)
            yield Machine(
                id=machine_id(database),
                kind="database",
                image=image.SERVICES_IMAGE,
                interfaces=(state.interface(eni),),
                hostname=database.db_instance_identifier,
                running=database.lab_wanted in ("available", "reboot"),
                command=("sh", "/lab/start.sh"),
                files=files_of(database),
            )

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        self._running = {machine_id for machine_id, status in standing.items() if status == "running"}
        for rds, database in databases():
            status = standing.get(machine_id(database))
            if database.lab_wanted == "deleted":
                self._delete(rds, database, status)
            elif database.lab_wanted == "stopped" and status != "running":
                database.status = "stopped"
        self._discard_snapshots()

    def tick(self) -> bool:
        ask = False
        for rds, database in databases():
            if database.lab_wanted == "reboot":
                self._engine.restart(machine_id(database))
                database.lab_wanted = "available"
            if database.lab_wanted == "available":
                self._follow(rds, database)
            ask = ask or database.status in ("stopping", "deleting")
        return ask

    def published(self) -> dict[str, tuple[str, int]]:
        return {}

    def names(self) -> dict[str, Addresses]:
        """DNS name -> addresses, for the lab's DNS."""
        found = {}
        for rds, database in databases():
            eni = ec2_backends[rds.account_id][rds.region_name].enis.get(database.lab_interface_id)
            if eni:
                found[database.address] = Addresses((eni.private_ip_address,), (eni.public_ip,) if eni.public_ip else ())
        return found

    def _begin(self) -> None:
        """The lab itself has just been started, its servers have not."""
        self._running = set()
        for _rds, database in databases():
            if database.status == "available":
                database.status = "starting"

    def _restore(self, database: Any) -> None:
        """An instance made from a snapshot begins with a copy of its data."""
        source, data = getattr(database, "lab_restored_from", None), self._data(database)
        if source and not data.exists():
            data.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "--archive", self._settings.directory / "snapshots" / source, data], check=True)  # noqa: S603, S607 no shell; a snapshot's name holds no path

    def _data(self, database: Any) -> Path:
        return self._settings.machine_directory(machine_id(database)) / "data"

    def _snapshot(self, snapshot: Any) -> Path:
        return self._settings.directory / "snapshots" / str(snapshot.db_snapshot_identifier)

    def _ready(self, database: Any) -> bool:
        """PostgreSQL writes the state of its postmaster into the last line of a file, which costs nothing to read."""
        if machine_id(database) not in (self._running or ()):
            return False
        try:
            lines = (self._data(database) / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _follow(self, rds: Any, database: Any) -> None:
        """Bring the status up to the server's, and what was asked for into the server."""
        if not self._ready(database):
            return
        try:
            if not getattr(database, "lab_ready", False) or getattr(database, "lab_password_changed", False):
                self._prepare(database)
            self._apply_settings(database)
            for snapshot in _waiting(rds, database):
                self._copy(database, snapshot)
        except LabError as error:
            LOG.warning("database %s: %s", database.db_instance_identifier, error)
        else:
            database.lab_ready, database.lab_password_changed, database.status = True, False, "available"

    def _prepare(self, database: Any) -> None:
        for name, sql in bootstrap_sql(database.master_username, password_of(database), database.db_name or "postgres"):
            self._psql(database, name, sql)

    def _apply_settings(self, database: Any) -> None:
        """What the parameter group sets. Settings that PostgreSQL reads at its start only wait for a reboot, as on AWS."""
        directory = self._settings.machine_directory(machine_id(database))
        changed = {name: text for name, text in files_of(database).items() if (directory / name).read_text() != text}
        for name, text in changed.items():
            (directory / name).write_text(text)
        if changed:
            self._psql(database, "postgres", "DO $$ BEGIN PERFORM pg_reload_conf(); END $$;\n")

    def _psql(self, database: Any, name: str, sql: str) -> None:
        command = ("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--username=rdsadmin", f"--dbname={name}")
        self._engine.run(machine_id(database), [*AS_POSTGRES, *command], stdin=sql)

    def _copy(self, database: Any, snapshot: Any) -> None:
        """A consistent copy of a running server's data."""
        target = "/lab/snapshot"
        backup = f"pg_basebackup --username=rdsadmin --pgdata={target} --checkpoint=fast --wal-method=fetch"
        script = f"rm -rf {target} && install -d -o postgres -g postgres -m 0700 {target} && {' '.join(AS_POSTGRES)} {backup}"
        self._engine.run(machine_id(database), ["sh", "-c", script])
        self._keep(snapshot, self._data(database).with_name("snapshot"))

    def _keep(self, snapshot: Any, data: Path) -> None:
        kept = self._snapshot(snapshot)
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(data, kept)
        snapshot.status = "available"

    def _delete(self, rds: Any, database: Any, status: Status | None) -> None:
        """First the server stops, then its data is kept as the final snapshot, then the machine goes, then the instance."""
        if status == "running":
            return
        if not getattr(database, "lab_stopped", False):
            for snapshot in _waiting(rds, database):
                if self._data(database).exists():
                    self._keep(snapshot, self._data(database))
            database.lab_stopped = True
        elif status is None:
            shutil.rmtree(self._data(database).parent, ignore_errors=True)
            corrected.forget(rds, database)

    def _discard_snapshots(self) -> None:
        directory = self._settings.directory / "snapshots"
        if directory.exists():
            known = {
                snapshot.db_snapshot_identifier
                for _account, _region, rds in list(rds_backends.iter_backends())
                for snapshot in list(rds.database_snapshots.values())
            }
            for kept in directory.iterdir():
                if kept.name not in known:
                    shutil.rmtree(kept)


def databases() -> Iterator[tuple[Any, Any]]:
    """Every DB instance of every account and region, with its backend."""
    for _account, _region, rds in list(rds_backends.iter_backends()):
        for database in list(rds.databases.values()):
            if getattr(database, "lab_interface_id", None):
                yield rds, database


def machine_id(database: Any) -> str:
    return str(database.dbi_resource_id).lower()


def _waiting(rds: Any, database: Any) -> list[Any]:
    """The instance's snapshots that have not been made yet."""
    return [
        snapshot
        for snapshot in list(rds.database_snapshots.values())
        if snapshot.status == "creating" and snapshot.dbi_resource_id == database.dbi_resource_id
    ]


def password_of(database: Any) -> str:
    if database.manage_master_user_password:
        return str(json.loads(database.master_user_secret.secret.secret_string)["password"])
    return str(database._master_user_password)  # moto only hands it out under this name


def parameters(database: Any) -> dict[str, str]:
    """What the instance's parameter group sets."""
    return {
        name: str(values["ParameterValue"])
        for group in database.db_parameter_groups()
        for name, values in group.parameters.items()
        if values.get("ParameterValue") is not None
    }


def files_of(database: Any) -> dict[str, str]:
    """What the server reads from its directory."""
    return {
        "start.sh": START_SCRIPT,
        "settings.conf": settings_text(database),
        "access.conf": access_text(database),
        "name": database.address,
    }


def settings_text(database: Any) -> str:
    """postgresql.conf: small, reachable, encrypted; then the parameter group's values."""
    given = {name: value for name, value in parameters(database).items() if not name.startswith("rds.")}
    settings = {
        "listen_addresses": "*", "port": str(database.port), "ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key",
        "hba_file": "/lab/access.conf", "password_encryption": "scram-sha-256", "max_connections": "90", "shared_buffers": "32MB",
        "max_wal_size": "256MB", "timezone": "UTC", "log_timezone": "UTC", "log_destination": "stderr", "log_min_error_statement": "panic",
    } | given  # fmt: skip
    return "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())


def access_text(database: Any) -> str:
    """pg_hba.conf. RDS for PostgreSQL 15 and later demands TLS unless the parameter group sets rds.force_ssl to 0."""
    kind = "host" if parameters(database).get("rds.force_ssl") == "0" else "hostssl"
    return (
        "local all rdsadmin trust\nlocal replication rdsadmin trust\nlocal all all reject\nhost all rdsadmin all reject\n"
        f"{kind} all all all scram-sha-256\n"
    )


def bootstrap_sql(user: str, password: str, database: str) -> list[tuple[str, str]]:
    """(database to connect to, SQL): the master user and the first database. May be run again; the password is then renewed."""
    role, name = _identifier(user), _identifier(database)
    verifier = _literal(scram_verifier(password, os.urandom(16)))
    create = f"""\
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser') THEN
    CREATE ROLE rds_superuser; GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(user)}) THEN
    CREATE ROLE {role} LOGIN CREATEDB CREATEROLE; GRANT rds_superuser TO {role} WITH ADMIN OPTION;
  END IF;
END $$;
ALTER ROLE {role} PASSWORD {verifier};
SELECT 'CREATE DATABASE {name.replace("'", "''")} OWNER {role.replace("'", "''")}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {_literal(database)}) \\gexec
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


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
        raise LabError(f"'{name}' is no name for a user or a database: expected letters, digits, underscores and hyphens")
    return f'"{name}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
