"""What is changed on a DB instance that stands: at once, now, or in its maintenance window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.aws.rds_changes import in_window
from lab.aws.rds_engines import ENGINES, family, version

NAME = "uda-psql-db"


def found(cloud: Any) -> dict[str, Any]:
    return dict(cloud.rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0])


def modify(cloud: Any, **changes: Any) -> dict[str, Any]:
    return dict(cloud.rds.modify_db_instance(DBInstanceIdentifier=NAME, **changes)["DBInstance"])


@pytest.fixture
def mysql(cloud: Any) -> Any:
    """A MySQL instance on magnetic storage that is available."""
    cloud.database(Engine="mysql", StorageType="standard", AllocatedStorage=5)
    cloud.round()
    cloud.answer()
    cloud.round()
    return cloud


def test_mysql_has_the_defaults_of_rds(mysql: Any) -> None:
    instance = found(mysql)
    assert (instance["Engine"], instance["EngineVersion"], instance["LicenseModel"]) == ("mysql", "8.0.43", "general-public-license")
    assert instance["DBParameterGroups"] == [{"DBParameterGroupName": "default.mysql8.0", "ParameterApplyStatus": "in-sync"}]
    assert instance["OptionGroupMemberships"][0]["OptionGroupName"] == "default:mysql-8-0"
    assert instance["Endpoint"]["Port"] == 3306


@pytest.mark.parametrize(
    ("engine", "asked", "got"),
    [("mysql", "8.0", "8.0.43"), ("mysql", "8.4", "8.4.6"), ("mariadb", None, "10.11.13"), ("postgres", "15", "15.12")],
)
def test_a_major_version_means_its_newest_minor_one(engine: str, asked: str | None, got: str) -> None:
    assert version(engine, asked) == got
    assert family(engine, got) == f"{engine}{ENGINES[engine].major(got)}"


def test_an_instance_is_changed_by_its_name_and_not_by_its_arn(mysql: Any, refused: Any) -> None:
    arn = found(mysql)["DBInstanceArn"]
    assert refused(mysql.rds.modify_db_instance, DBInstanceIdentifier=arn, BackupRetentionPeriod=3) == "InvalidParameterValue"
    assert modify(mysql, BackupRetentionPeriod=3)["DBInstanceIdentifier"] == NAME


def test_changes_wait_for_the_window_unless_they_are_wanted_at_once(mysql: Any) -> None:
    modify(mysql, PreferredMaintenanceWindow=closed_now())
    asked = modify(mysql, DBInstanceClass="db.t3.small", AllocatedStorage=10)
    assert asked["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.small", "AllocatedStorage": 10}
    mysql.round(2)
    assert (found(mysql)["DBInstanceClass"], found(mysql)["DBInstanceStatus"]) == ("db.t3.micro", "available")
    assert modify(mysql, ApplyImmediately=True)["DBInstanceStatus"] == "modifying"
    mysql.engine.log.clear()
    mysql.round(2)
    instance = found(mysql)
    assert (instance["PendingModifiedValues"], instance["DBInstanceStatus"]) == ({}, "available")
    assert (instance["DBInstanceClass"], instance["AllocatedStorage"]) == ("db.t3.small", 10)
    assert [verb for verb, _machine in mysql.engine.log if verb != "run"] == ["restart"]  # another class is another computer


def closed_now() -> str:
    """A window that is half a week away."""
    return window(datetime.now(UTC).replace(hour=10, minute=0) + timedelta(days=3))


def window(start: datetime) -> str:
    return "-".join(f"{moment:%a:%H:%M}".lower() for moment in (start, start + timedelta(minutes=40)))


def test_what_waits_is_applied_in_the_maintenance_window(mysql: Any) -> None:
    modify(mysql, PreferredMaintenanceWindow=closed_now())
    modify(mysql, AllocatedStorage=10)
    mysql.round()
    assert found(mysql)["AllocatedStorage"] == 5
    now = datetime.now(UTC)
    backup = "-".join(f"{now + timedelta(hours=hours):%H:%M}" for hours in (6, 7))  # the two windows must not overlap
    modify(mysql, PreferredBackupWindow=backup, PreferredMaintenanceWindow=window(now - timedelta(minutes=5)))
    mysql.round(2)
    assert (found(mysql)["AllocatedStorage"], found(mysql)["PendingModifiedValues"]) == (10, {})


def test_what_is_asked_back_waits_no_longer(mysql: Any) -> None:
    modify(mysql, PreferredMaintenanceWindow=closed_now())
    modify(mysql, DBInstanceClass="db.t3.small")
    assert modify(mysql, DBInstanceClass="db.t3.micro")["PendingModifiedValues"] == {}


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        ("wed:06:38-wed:07:08", "2026-11-25T06:38", True),
        ("wed:06:38-wed:07:08", "2026-11-25T07:08", False),
        ("wed:06:38-wed:07:08", "2026-11-26T06:40", False),
        ("sun:23:30-mon:00:30", "2026-11-23T00:10", True),
        ("sun:23:30-mon:00:30", "2026-11-22T23:40", True),
        ("sun:23:30-mon:00:30", "2026-11-23T00:30", False),
    ],
)
def test_the_window_is_weekly_and_may_lie_over_the_weeks_end(window: str, moment: str, inside: bool) -> None:
    assert in_window(window, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is inside


def test_storage_does_not_shrink_and_grows_by_a_tenth(mysql: Any, refused: Any) -> None:
    change = mysql.rds.modify_db_instance
    assert refused(change, DBInstanceIdentifier=NAME, AllocatedStorage=4, ApplyImmediately=True) == "InvalidParameterCombination"
    modify(mysql, AllocatedStorage=20, ApplyImmediately=True)
    mysql.round(2)
    assert modify(mysql, AllocatedStorage=21)["PendingModifiedValues"] == {"AllocatedStorage": 22}


def test_each_kind_of_storage_has_its_least_size(cloud: Any, refused: Any) -> None:
    assert refused(cloud.database, Engine="mysql", StorageType="gp2", AllocatedStorage=5) == "InvalidParameterValue"
    assert cloud.database(Engine="mysql", StorageType="standard", AllocatedStorage=5)["AllocatedStorage"] == 5


def test_another_major_version_has_to_be_allowed(mysql: Any, refused: Any) -> None:
    change = mysql.rds.modify_db_instance
    assert modify(mysql, EngineVersion="8.0", ApplyImmediately=True)["EngineVersion"] == "8.0.43"
    assert refused(change, DBInstanceIdentifier=NAME, EngineVersion="8.4") == "InvalidParameterCombination"
    assert refused(change, DBInstanceIdentifier=NAME, EngineVersion="5.5") == "InvalidParameterCombination"


def test_a_new_password_reaches_the_server_and_is_told_as_stars_until_then(mysql: Any) -> None:
    mysql.engine.log.clear()
    asked = modify(mysql, MasterUserPassword="four-five-six")
    assert (asked["DBInstanceStatus"], asked["PendingModifiedValues"]) == ("resetting-master-credentials", {"MasterUserPassword": "****"})
    mysql.round()
    assert "run" in [verb for verb, _machine in mysql.engine.log]
    assert (found(mysql)["DBInstanceStatus"], found(mysql)["PendingModifiedValues"]) == ("available", {})


def test_a_standby_stands_in_another_zone_of_the_subnet_group(mysql: Any) -> None:
    modify(mysql, MultiAZ=True, ApplyImmediately=True)
    mysql.round(2)
    instance = found(mysql)
    assert (instance["MultiAZ"], instance["DBInstanceStatus"]) == (True, "available")
    zones = {instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"]}
    assert zones == {interface["AvailabilityZone"] for interface in mysql.interfaces("RDSNetworkInterface")}
    assert len(zones) == 2
    modify(mysql, MultiAZ=False, ApplyImmediately=True)
    mysql.round(2)
    assert "SecondaryAvailabilityZone" not in found(mysql)
    assert len(mysql.interfaces("RDSNetworkInterface")) == 1


def test_a_failover_keeps_the_name_and_the_data_and_changes_the_address(mysql: Any) -> None:
    modify(mysql, MultiAZ=True, ApplyImmediately=True)
    mysql.round(2)
    before, [name] = found(mysql), mysql.services[2].names()
    [address] = mysql.services[2].names()[name].private
    machine = next(machine for machine in mysql.services[2].machines())
    (mysql.settings.machine_directory(machine.id) / "data/rows").write_text("kept")
    mysql.rds.reboot_db_instance(DBInstanceIdentifier=NAME, ForceFailover=True)
    assert found(mysql)["DBInstanceStatus"] == "rebooting"
    mysql.round(3)
    after, [other] = found(mysql), mysql.services[2].machines()
    assert (after["DBInstanceStatus"], after["Endpoint"]) == ("available", before["Endpoint"])
    assert (after["AvailabilityZone"], after["SecondaryAvailabilityZone"]) == (
        before["SecondaryAvailabilityZone"], before["AvailabilityZone"],
    )  # fmt: skip
    assert mysql.services[2].names()[name].private != (address,)
    assert (mysql.settings.machine_directory(other.id) / "data/rows").read_text() == "kept"
    assert list(mysql.engine.machines()) == [other.id]


def test_what_has_no_standby_cannot_fail_over(mysql: Any, refused: Any) -> None:
    reboot = mysql.rds.reboot_db_instance
    assert refused(reboot, DBInstanceIdentifier=NAME, ForceFailover=True) == "InvalidParameterCombination"


def test_no_zone_can_be_chosen_for_an_instance_in_two(cloud: Any, refused: Any) -> None:
    assert refused(cloud.database, MultiAZ=True, AvailabilityZone="ap-northeast-1a") == "InvalidParameterCombination"


def test_a_restored_instance_stands_in_one_zone_with_the_snapshots_data(mysql: Any) -> None:
    modify(mysql, MultiAZ=True, ApplyImmediately=True)
    mysql.round(2)
    mysql.rds.create_db_snapshot(DBInstanceIdentifier=NAME, DBSnapshotIdentifier="first")
    (mysql.settings.machine_directory(next(iter(mysql.engine.machines()))) / "snapshot").mkdir()  # what the copy leaves there
    mysql.round()
    mysql.rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="copy", DBSnapshotIdentifier="first")
    mysql.round()
    copy = mysql.rds.describe_db_instances(DBInstanceIdentifier="copy")["DBInstances"][0]
    assert (copy["MultiAZ"], copy["Engine"]) == (False, "mysql")
    assert len(mysql.engine.machines()) == 2
