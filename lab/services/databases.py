"""RDS: a real server per DB instance, at its interface's address, with its data outside the container.

What differs between PostgreSQL and MySQL is in engines/. Here is what they share: status, changes, snapshots, failovers.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from .. import image, state
from ..aws import rds as corrected
from ..aws import rds_changes, rds_parameters, rds_standby
from ..engine.base import Engine, Status
from ..errors import LabError
from ..settings import Settings
from ..world import Machine, World
from .base import Addresses, Published
from .engines import SERVERS, Server, ServerEngine
from .engines.base import Command

LOG = logging.getLogger(__name__)


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
            self._bring_data(database)
            yield Machine(
                id=machine_id(database),
                kind="database",
                image=image.SERVICES_IMAGE,
                interfaces=(state.interface(eni),),
                hostname=database.db_instance_identifier,
                running=database.lab_wanted in ("available", "reboot"),
                command=("sh", "/lab/start.sh"),
                files=engine_of(database).files(server_of(database)),
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
            if database.lab_wanted == "failover":
                # The primary ends as a failed one does; its data appears under the standby's machine in the next round.
                self._engine.remove(machine_id(database))
                rds_standby.fail_over(database)
                database.lab_wanted, ask = "available", True
                continue
            if rds_changes.due(database, datetime.now(UTC)):
                self._change(rds, database)
            if database.lab_wanted == "reboot":
                self._write_files(database)
                self._engine.restart(machine_id(database))
                database.lab_wanted = "available"
            if database.lab_wanted == "available":
                self._follow(rds, database)
            ask = ask or database.status in ("stopping", "deleting")
        return ask

    def published(self) -> dict[str, Published]:
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

    def _bring_data(self, database: Any) -> None:
        """The data that a server begins with: its other side's after a failover, a copy of a snapshot's, or what it had."""
        data, other = self._data(database), self._settings.machine_directory(machine_id(database, other_side=True))
        if other.exists() and not data.exists():
            shutil.rmtree(data.parent, ignore_errors=True)
            shutil.move(other, data.parent)
        source = getattr(database, "lab_restored_from", None)
        if source and not data.exists():
            data.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "--archive", self._settings.directory / "snapshots" / source, data], check=True)  # noqa: S603, S607 no shell; cp is coreutils' own, and a snapshot's name holds no path
        if data.exists() and machine_id(database) not in (self._running or ()):
            self._write_files(database)

    def _write_files(self, database: Any) -> None:
        for name, text in engine_of(database).files(server_of(database)).items():
            (self._data(database).parent / name).write_text(text)

    def _change(self, rds: Any, database: Any) -> None:
        """Apply what is pending; what needs it starts the server anew, and the status follows the server."""
        anew = rds_changes.apply(rds, database)
        if database.lab_wanted == "stopped":
            database.status = "stopped"
        elif database.lab_wanted == "available":
            database.status = "modifying"
            if anew:
                rds_parameters.at_start(database)
                database.lab_wanted = "reboot"

    def _data(self, database: Any) -> Path:
        return self._settings.machine_directory(machine_id(database)) / "data"

    def _snapshot(self, snapshot: Any) -> Path:
        return self._settings.directory / "snapshots" / str(snapshot.db_snapshot_identifier)

    def _ready(self, database: Any) -> bool:
        running = machine_id(database) in (self._running or ())
        return running and engine_of(database).ready(self._data(database).parent)

    def _follow(self, rds: Any, database: Any) -> None:
        """Bring the status up to the server's, and what was asked for into the server."""
        if not self._ready(database):
            return
        try:
            if not getattr(database, "lab_ready", False) or database.lab_password_changed:
                self._run(database, engine_of(database).bootstrap(server_of(database), password_of(database)))
            self._apply_settings(database)
            for snapshot in _waiting(rds, database):
                self._run(database, [engine_of(database).copy()])
                self._keep(snapshot, self._data(database).with_name("snapshot"))
        except LabError as error:
            LOG.warning("database %s: %s", database.db_instance_identifier, error)
        else:
            database.lab_ready, database.lab_password_changed, database.status = True, False, "available"
            rds_changes.show(database)

    def _apply_settings(self, database: Any) -> None:
        """What the parameter group has been given since, as far as it comes into force without a reboot."""
        before, changed = rds_parameters.in_force(database), rds_parameters.at_once(database)
        if changed:
            database.lab_in_force = before | changed
            try:
                self._write_files(database)
                self._run(database, engine_of(database).apply(server_of(database), changed))
            except LabError:  # the server does not take it: it goes on with what it has, also when it starts again
                database.lab_in_force = before
                self._write_files(database)
                raise

    def _run(self, database: Any, commands: Iterable[Command]) -> None:
        for command in commands:
            self._engine.run(machine_id(database), list(command.arguments), stdin=command.stdin)

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


def machine_id(database: Any, other_side: bool = False) -> str:
    """The machine of the primary. After a failover it is another one, which has another address."""
    side = database.lab_side ^ other_side
    return str(database.dbi_resource_id).lower() + ("-b" if side else "")


def engine_of(database: Any) -> ServerEngine:
    return SERVERS[database.engine]


def server_of(database: Any) -> Server:
    """The instance as its server's engine sees it."""
    return Server(
        address=database.address,
        port=int(database.port),
        user=database.master_username,
        database=database.db_name,
        parameters=rds_parameters.in_force(database),
    )


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
