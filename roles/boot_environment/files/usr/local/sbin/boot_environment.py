#!/usr/bin/python3
"""Read the secrets and parameters that an EnvironmentFile names and write them to another one, which only root can read.

A line `SECRET_X=<secret id or arn>#<json key>` of the input becomes `X=<value>` in the output, `PARAMETER_X=<name>` the value of
that parameter in SSM's Parameter Store, and `PARAMETERS_PATH=<path>` a line for every parameter right below the path, called by
the last part of its name. Where several give one variable, SECRET_ wins over PARAMETER_, and that over the path. The region is
the input's AWS_REGION; credentials are the machine's own role. Tries in growing steps until the deadline.
No message ever holds a value.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

SECRET, PARAMETER, PATH, REGION = "SECRET_", "PARAMETER_", "PARAMETERS_PATH", "AWS_REGION"
VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
AT_ONCE = 10  # GetParameters takes no more names (SSM API reference)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0


class SecretsError(Exception):
    """What was found, what was expected, what to do."""


class Wanted(NamedTuple):
    """One variable of the output and where its value is."""

    variable: str
    secret: str
    key: str


def read_environment(text: str) -> dict[str, str]:
    """The region and the lines of an EnvironmentFile that name a value; how its others are quoted is not our business."""
    variables = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and (name in (REGION, PATH) or name.startswith((SECRET, PARAMETER))):
            variables[name] = value.strip().strip("\"'")
    return variables


def wanted(variables: dict[str, str]) -> Iterator[Wanted]:
    """What the SECRET_ lines ask for."""
    for name, value in variables.items():
        if not name.startswith(SECRET):
            continue
        secret, _, key = value.rpartition("#")
        variable = name.removeprefix(SECRET)
        if not (secret and key and VARIABLE.fullmatch(variable)):
            raise SecretsError(f"found {name}={value}, expected {SECRET}NAME=<secret id or arn>#<json key>")
        yield Wanted(variable, secret, key)


def wanted_parameters(variables: dict[str, str]) -> dict[str, str]:
    """Variable -> name of its parameter, as the PARAMETER_ lines say."""
    found = {}
    for name, value in variables.items():
        if not name.startswith(PARAMETER):
            continue
        variable = name.removeprefix(PARAMETER)
        if not (value and VARIABLE.fullmatch(variable)):
            raise SecretsError(f"found {name}={value}, expected {PARAMETER}NAME=<name of a parameter>")
        found[variable] = value
    return found


def values(wants: list[Wanted], read_secret: Callable[[str], str]) -> dict[str, str]:
    """Look the values up, each secret once."""
    secrets = {secret: _json_object(secret, read_secret(secret)) for secret in dict.fromkeys(w.secret for w in wants)}
    found = {}
    for want in wants:
        secret = secrets[want.secret]
        if want.key not in secret:
            keys = ", ".join(sorted(secret)) or "none"
            raise SecretsError(f"secret {want.secret} has no key {want.key} (it has: {keys}), wanted for {want.variable}")
        found[want.variable] = str(secret[want.key])
    return found


def parameters(wants: dict[str, str], read_parameters: Callable[[list[str]], dict[str, str]]) -> dict[str, str]:
    """Look parameters up by their names, ten at once; `read_parameters` leaves out those that are not there."""
    names = list(dict.fromkeys(wants.values()))
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        found |= read_parameters(names[start : start + AT_ONCE])
    missing = [f"{name} (wanted for {variable})" for variable, name in wants.items() if name not in found]
    if missing:
        raise SecretsError(f"there is no parameter {', '.join(missing)}")
    return {variable: found[name] for variable, name in wants.items()}


def below(path: str, read_path: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """Every parameter right below a path, by the last part of its name."""
    found = {name.rpartition("/")[2]: value for name, value in read_path(path).items()}
    wrong = [name for name in found if not VARIABLE.fullmatch(name)]
    if not found or wrong:
        told = f"{path}/{wrong[0]}, expected names of variables" if wrong else f"no parameter below {path}, expected at least one"
        raise SecretsError(f"found {told}")
    return found


def quoted(value: str) -> str:
    """A value as systemd reads it back from an EnvironmentFile, whatever is in it."""
    if "\0" in value:
        raise SecretsError("a value holds a NUL character, which no environment can carry")
    return '"' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'


def write(output: Path, variables: dict[str, str]) -> None:
    """Write the file whole or not at all, for root only."""
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{variable}={quoted(value)}\n" for variable, value in variables.items())
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink()
        raise


def patiently(action: Callable[[], dict[str, str]], deadline: float) -> dict[str, str]:
    """Do it; on an error wait and do it again, until the deadline."""
    end, pause = time.monotonic() + deadline, FIRST_PAUSE
    while True:
        try:
            return action()
        except Exception as error:
            if time.monotonic() + pause > end:
                raise
            print(f"boot_environment: {_told(error)}; trying again in {pause:.0f} s", file=sys.stderr, flush=True)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def secrets_manager(region: str) -> Callable[[str], str]:
    """A function that reads one secret with the machine's role."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})

    def read_secret(secret: str) -> str:
        # A new client each time: one that found no credentials would not look again.
        client = boto3.session.Session(region_name=region).client("secretsmanager", config=config)
        return str(client.get_secret_value(SecretId=secret)["SecretString"])

    return read_secret


class ParameterStore:
    """Reads parameters, decrypted, with the machine's role."""

    def __init__(self, region: str) -> None:
        self._region = region

    def by_name(self, names: list[str]) -> dict[str, str]:
        """Those of the names that are there."""
        return _by_name(self._client().get_parameters(Names=names, WithDecryption=True)["Parameters"])

    def below(self, path: str) -> dict[str, str]:
        """All that stand right below a path."""
        pages = self._client().get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
        return _by_name([parameter for page in pages for parameter in page["Parameters"]])

    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        return boto3.session.Session(region_name=self._region).client("ssm", config=config)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--deadline", type=float, default=120)
    arguments = parser.parse_args()
    try:
        variables = read_environment(arguments.input.read_text(encoding="utf-8"))
        wants, named, path = list(wanted(variables)), wanted_parameters(variables), variables.get(PATH)
        if (wants or named or path) and not variables.get(REGION):
            raise SecretsError(f"found no AWS_REGION in {arguments.input}; it says where the values are")
        read_secret, store = secrets_manager(variables.get(REGION, "")), ParameterStore(variables.get(REGION, ""))

        def read_all() -> dict[str, str]:
            of_path = below(path, store.below) if path else {}
            return {**of_path, **parameters(named, store.by_name), **values(wants, read_secret)}

        found = patiently(read_all, arguments.deadline)
        write(arguments.output, found)
    except Exception as error:
        print(f"boot_environment: FAILED: {_told(error)}", file=sys.stderr)
        return 1
    print(f"boot_environment: wrote {', '.join(found) or 'nothing'} to {arguments.output}")
    return 0


def _by_name(found: list[dict[str, Any]]) -> dict[str, str]:
    return {parameter["Name"]: str(parameter["Value"]) for parameter in found}


def _json_object(secret: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SecretsError(f'secret {secret} is not a JSON object; expected one such as {{"password": ...}}')
    return value


def _told(error: Exception) -> str:
    """The error in one line: ours as it is, others with their kind, since those of boto3 say it only there."""
    text = " ".join(str(error).split())
    return text if isinstance(error, SecretsError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    sys.exit(main())
