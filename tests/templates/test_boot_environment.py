"""The program that reads secrets at boot, and how systemd reads what it writes."""

from __future__ import annotations

import importlib.util
import json
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

PROGRAM = Path(__file__).parents[2] / "roles/boot_environment/files/usr/local/sbin/boot_environment.py"
SECRET = {"username": "postgres", "password": "s3cret"}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("boot_environment", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = load()


def found(environment: str, secrets: dict[str, str] | None = None) -> Any:
    wants = list(program.wanted(program.read_environment(environment)))
    return program.values(wants, (secrets or {"uda/database": json.dumps(SECRET)}).__getitem__)


def test_lines_become_values() -> None:
    text = "# comment\n\nDB_HOST=db\nDB_COMMENT=it's\nSECRET_DB_PASSWORD=uda/database#password\nSECRET_DB_USER='uda/database#username'\n"
    assert found(text) == {"DB_PASSWORD": "s3cret", "DB_USER": "postgres"}


def test_an_arn_may_hold_anything_before_the_last_sign() -> None:
    arn = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:uda/app-a1b2c3"
    assert found(f"SECRET_KEY={arn}#key", {arn: '{"key": 7}'}) == {"KEY": "7"}


@pytest.mark.parametrize(
    ("line", "secret", "words"),
    [
        ("SECRET_X=uda/database", "{}", "found SECRET_X=uda/database, expected SECRET_NAME=<secret id or arn>#<json key>"),
        ("SECRET_=uda/database#x", "{}", "expected SECRET_NAME="),
        ("SECRET_X=uda/database#host", json.dumps(SECRET), r"has no key host \(it has: password, username\), wanted for X"),
        ("SECRET_X=uda/database#host", "[1]", "is not a JSON object"),
        ("SECRET_X=uda/database#host", "s3cret", "is not a JSON object"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(line: str, secret: str, words: str) -> None:
    with pytest.raises(program.SecretsError, match=words) as raised:
        found(line, {"uda/database": secret})
    assert "s3cret" not in str(raised.value)


STORE = {"/shop/dev/DB_HOST": "db", "/shop/dev/DB_PASSWORD": "s3cret", "/other": "x"}


def stored(names: list[str]) -> dict[str, str]:
    assert len(names) <= 10, "GetParameters takes no more"
    return {name: STORE[name] for name in names if name in STORE}


def test_parameters_come_by_their_names() -> None:
    lines = "PARAMETER_HOST=/shop/dev/DB_HOST\nPARAMETER_SAME='/shop/dev/DB_HOST'\nPARAMETERS_PATH=/shop\nOTHER=1\n"
    wants = program.wanted_parameters(program.read_environment(lines))
    assert program.parameters(wants, stored) == {"HOST": "db", "SAME": "db"}


def test_many_parameters_come_ten_at_once() -> None:
    many = {f"P{number}": f"/many/{number}" for number in range(25)}
    asked: list[int] = []

    def read(names: list[str]) -> dict[str, str]:
        asked.append(len(names))
        return {name: name for name in names}

    assert program.parameters(many, read) == many
    assert asked == [10, 10, 5]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("PARAMETER_X=/shop/none", r"there is no parameter /shop/none \(wanted for X\)"),
        ("PARAMETER_X=", "found PARAMETER_X=, expected PARAMETER_NAME=<name of a parameter>"),
        ("PARAMETER_1=/other", "expected PARAMETER_NAME="),
    ],
)
def test_a_wrong_parameter_is_told(line: str, words: str) -> None:
    with pytest.raises(program.SecretsError, match=words):
        program.parameters(program.wanted_parameters(program.read_environment(line)), stored)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, "found no parameter below /shop, expected at least one"),
        ({"/shop/db-host": "x"}, "found /shop/db-host, expected names of variables"),
    ],
)
def test_a_path_without_variables_is_told(found: dict[str, str], words: str) -> None:
    with pytest.raises(program.SecretsError, match=words):
        program.below("/shop", lambda _path: found)


def unquoted_as_systemd_does(text: str) -> str:
    """Between double quotes systemd takes a backslash away before one of these four and leaves any other."""
    assert text[0] == text[-1] == '"'
    value, characters = "", iter(text[1:-1])
    for character in characters:
        assert character != '"', "the value would end here"
        if character == "\\":
            character = next(characters)
            value += character if character in '"\\`$' else "\\" + character
        else:
            value += character
    return value


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_every_value_comes_back_as_it_was(value: str) -> None:
    assert unquoted_as_systemd_does(program.quoted(value)) == value


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    output = tmp_path / "run" / "secrets.env"
    program.write(output, {"A": "1", "B": "two words"})
    assert output.read_text() == 'A="1"\nB="two words"\n'
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert list(output.parent.iterdir()) == [output]


def test_a_value_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    output = tmp_path / "secrets.env"
    program.write(output, {"A": "1"})
    with pytest.raises(program.SecretsError, match="NUL"):
        program.write(output, {"A": "1\0"})
    assert output.read_text() == 'A="1"\n'
    assert list(tmp_path.iterdir()) == [output]


def test_it_tries_again_in_growing_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pauses = [0.0], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(program.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(program.time, "sleep", sleep)

    def never() -> dict[str, str]:
        raise ConnectionError("no route")

    with pytest.raises(ConnectionError):
        program.patiently(never, 60)
    assert pauses == [1, 2, 4, 8, 15, 15, 15]


def test_it_asks_the_parameter_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        region = "ap-northeast-1"
        client = boto3.client("ssm", region_name=region)
        for number in range(12):
            client.put_parameter(Name=f"/shop/dev/P{number}", Value=f"v{number}", Type="SecureString")
        client.put_parameter(Name="/shop/dev/deeper/P", Value="x", Type="String")
        store = program.ParameterStore(region)
        assert program.below("/shop/dev", store.below) == {f"P{number}": f"v{number}" for number in range(12)}
        assert store.by_name(["/shop/dev/P1", "/none"]) == {"/shop/dev/P1": "v1"}


def test_it_asks_secrets_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        region = "ap-northeast-1"
        boto3.client("secretsmanager", region_name=region).create_secret(Name="uda/database", SecretString=json.dumps(SECRET))
        assert program.secrets_manager(region)("uda/database") == json.dumps(SECRET)
