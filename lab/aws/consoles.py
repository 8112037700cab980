"""GetConsoleOutput tells what the machine has really written to its console; moto tells a sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.responses.general import General
from moto.ec2.utils import Base64EncodedString

from ._patch import wrap

KEPT = 64 * 1024  # characters; EC2 keeps the newest 64 KB (API reference, GetConsoleOutput)


def _nothing(_instance_id: str) -> str:
    return ""


_read: Callable[[str], str] = _nothing


def read_by(read: Callable[[str], str]) -> None:
    """Say who knows what an instance has written, by its id; nobody knows of one whose machine is gone."""
    global _read
    _read = read


def install() -> None:
    wrap(General, "get_console_output")(_output)


def _output(_original: Callable[..., Any], response: Any) -> Any:
    instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
    told = _read(instance.id)[-KEPT:]
    return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": Base64EncodedString.from_raw_string(told)})
