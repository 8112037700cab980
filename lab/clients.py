"""boto3 clients of a running lab, as the account's root."""

from __future__ import annotations

from typing import Any

import boto3

from . import lifecycle
from .errors import LabError
from .settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Settings


def client(lab: Settings, service: str, region: str) -> Any:
    """A client for one service. Raises LabError when the lab is down."""
    if lifecycle.status(lab) is None:
        raise LabError(f"lab {lab.name} is down; `python -m lab up` starts it")
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=lab.endpoint_url,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )
