"""Parameter groups: what may be set, and when it comes into force."""

from __future__ import annotations

from typing import Any

import pytest

from lab.aws import rds_parameters
from lab.services.databases import databases, server_of

NAME = "uda-psql-db"


def change(cloud: Any, name: str, value: str, method: str = "immediate") -> None:
    parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    cloud.rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=[parameter])


def in_force(cloud: Any) -> dict[str, str]:
    [(_rds, database)] = list(databases())
    return dict(server_of(database).parameters)


def status(cloud: Any) -> str:
    return str(cloud.rds.describe_db_instances()["DBInstances"][0]["DBParameterGroups"][0]["ParameterApplyStatus"])


@pytest.fixture
def mysql(cloud: Any) -> Any:
    """A MySQL instance with a parameter group of its own."""
    cloud.rds.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily="mysql8.0", Description="own")
    cloud.database(Engine="mysql", DBParameterGroupName="own")
    cloud.round()
    cloud.answer()
    cloud.round()
    return cloud


def test_the_familys_parameters_are_told_with_what_was_set(mysql: Any) -> None:
    change(mysql, "max_connections", "50")
    told = {entry["ParameterName"]: entry for entry in mysql.rds.describe_db_parameters(DBParameterGroupName="own")["Parameters"]}
    assert (told["max_connections"]["ParameterValue"], told["max_connections"]["Source"]) == ("50", "user")
    assert (told["performance_schema"]["ApplyType"], told["performance_schema"]["Source"]) == ("static", "engine-default")
    mine = mysql.rds.describe_db_parameters(DBParameterGroupName="own", Source="user")["Parameters"]
    assert [entry["ParameterName"] for entry in mine] == ["max_connections"]


def test_a_dynamic_parameter_reaches_the_running_server(mysql: Any) -> None:
    change(mysql, "max_connections", "50")
    assert status(mysql) == "applying"
    mysql.engine.log.clear()
    mysql.round()
    assert (in_force(mysql), status(mysql)) == ({"max_connections": "50"}, "in-sync")
    assert [verb for verb, _machine in mysql.engine.log] == ["run"]


@pytest.mark.parametrize(("name", "value"), [("performance_schema", "1"), ("max_connections", "50")])
def test_what_is_static_or_asked_to_wait_waits_for_a_reboot(mysql: Any, name: str, value: str) -> None:
    change(mysql, name, value, "pending-reboot")
    mysql.round()
    assert (in_force(mysql), status(mysql)) == ({}, "pending-reboot")
    mysql.rds.reboot_db_instance(DBInstanceIdentifier=NAME)
    mysql.round(2)
    assert (in_force(mysql), status(mysql)) == ({name: value}, "in-sync")


def test_another_group_waits_for_a_reboot(mysql: Any) -> None:
    mysql.rds.create_db_parameter_group(DBParameterGroupName="other", DBParameterGroupFamily="mysql8.0", Description="other")
    mysql.rds.modify_db_instance(DBInstanceIdentifier=NAME, DBParameterGroupName="other")
    mysql.round()
    assert status(mysql) == "pending-reboot"
    mysql.rds.reboot_db_instance(DBInstanceIdentifier=NAME)
    mysql.round(2)
    assert status(mysql) == "in-sync"


@pytest.mark.parametrize(
    ("name", "value", "method", "code"),
    [
        ("max_conections", "50", "immediate", "InvalidParameterValue"),
        ("max_connections", "0", "immediate", "InvalidParameterValue"),
        ("max_connections", "many", "immediate", "InvalidParameterValue"),
        ("general_log", "2", "immediate", "InvalidParameterValue"),
        ("performance_schema", "1", "immediate", "InvalidParameterCombination"),
    ],
)
def test_wrong_parameters_are_refused(mysql: Any, refused: Any, name: str, value: str, method: str, code: str) -> None:
    parameter = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    assert refused(mysql.rds.modify_db_parameter_group, DBParameterGroupName="own", Parameters=[parameter]) == code


def test_a_group_in_use_stays(mysql: Any, refused: Any) -> None:
    assert refused(mysql.rds.delete_db_parameter_group, DBParameterGroupName="own") == "InvalidDBParameterGroupState"


def test_an_unknown_parameter_group_is_an_error(cloud: Any, refused: Any) -> None:
    assert refused(cloud.rds.describe_db_parameter_groups, DBParameterGroupName="none") == "DBParameterGroupNotFound"


def test_every_engines_table_is_complete() -> None:
    for engine in rds_parameters.TABLES:
        for rules in rds_parameters.known(f"{engine}1").values():
            assert rules["ApplyType"] in ("dynamic", "static")
            assert rules["DataType"] in ("boolean", "integer", "float", "string", "list")
