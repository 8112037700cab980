"""What a database server is told: texts and commands, on plain values."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from lab.errors import LabError
from lab.services.engines import SERVERS, Server, mysql, postgresql

SERVER = Server("db.example", 3306, "shop_user", "shop")


def with_parameters(**parameters: str) -> Server:
    return Server("db.example", 3306, "shop_user", "shop", {name.replace("__", "."): value for name, value in parameters.items()})


@pytest.mark.parametrize("engine", SERVERS)
def test_a_password_is_in_no_file_and_no_argument_and_not_in_clear_on_standard_input(engine: str) -> None:
    commands = SERVERS[engine].bootstrap(SERVER, "one-two-three")
    assert commands
    assert "one-two-three" not in str(commands) + str(SERVERS[engine].files(SERVER))


@pytest.mark.parametrize("engine", SERVERS)
def test_names_cannot_carry_sql(engine: str) -> None:
    for wrong in (Server("db", 1, "x'; DROP USER y", "d"), Server("db", 1, "x", 'd"; DROP DATABASE y')):
        with pytest.raises(LabError, match="no name for a user"):
            SERVERS[engine].bootstrap(wrong, "p")


def test_postgresql_gets_a_password_as_what_it_would_store() -> None:
    verifier = postgresql.scram_verifier("pencil", b"W22ZaJ0SNY7soEsUEjb6gQ==")
    kind, iterations_and_salt, keys = verifier.split("$")
    iterations, salt = iterations_and_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", base64.b64decode(salt), int(iterations))
    stored, _server = keys.split(":")
    assert kind == "SCRAM-SHA-256"
    assert hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == base64.b64decode(stored)


def test_mysql_gets_a_password_as_what_it_would_store() -> None:
    assert mysql.native_hash("mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"  # MariaDB Knowledge Base, PASSWORD()


def test_postgresqls_master_user_is_no_superuser() -> None:
    sql = "".join(text for _database, text in postgresql.bootstrap_sql("shop_user", "one-two-three", "shop"))
    assert 'CREATE ROLE "shop_user" LOGIN CREATEDB CREATEROLE' in sql
    assert "SUPERUSER" not in sql


def test_mysqls_master_user_has_the_rights_of_rds_and_no_more() -> None:
    sql = mysql.bootstrap_sql("shop_user", "one-two-three", "shop")
    [grant] = [line for line in sql.splitlines() if line.startswith("GRANT")]
    assert "CREATE USER" in grant
    assert not {"SUPER", "ALL PRIVILEGES", "FILE", "SHUTDOWN"} & {right.strip() for right in grant.removeprefix("GRANT ").split(",")}
    assert "CREATE DATABASE IF NOT EXISTS `shop`" in sql


def test_without_a_first_database_mysql_makes_none() -> None:
    assert "CREATE DATABASE" not in mysql.bootstrap_sql("shop_user", "p", None)


def test_postgresql_demands_tls_until_its_parameter_group_says_otherwise() -> None:
    assert "\nhostssl all all all scram" in postgresql.access_text(SERVER)
    assert "\nhost all all all scram" in postgresql.access_text(with_parameters(rds__force_ssl="0"))


def test_parameters_reach_postgresqls_settings_quoted() -> None:
    text = postgresql.settings_text(with_parameters(log_min_duration_statement="500", search_path="it's"))
    assert "log_min_duration_statement = '500'\n" in text
    assert "search_path = 'it''s'\n" in text


def test_parameters_replace_mysqls_settings_however_they_are_spelt() -> None:
    text = mysql.settings_text(with_parameters(character_set_server="latin1", require_secure_transport="1"))
    assert text.count("latin1") == 1
    assert "utf8mb4" not in text
    assert "require_secure_transport = 1\n" in text


def test_a_value_cannot_add_a_line_to_mysqls_settings() -> None:
    with pytest.raises(LabError, match="more than one line"):
        mysql.settings_text(with_parameters(init_connect="SELECT 1\nskip-grant-tables"))


@pytest.mark.parametrize(("value", "sql"), [("12", "12"), ("0.5", "0.5"), ("-1", "-1"), ("ON", "'ON'"), ("it's", "'it''s'")])
def test_mysql_takes_changed_parameters_without_a_restart(value: str, sql: str) -> None:
    [command] = SERVERS["mysql"].apply(SERVER, {"max_connections": value})
    assert command.stdin == f"SET GLOBAL max_connections = {sql};\n"
