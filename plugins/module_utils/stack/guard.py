# SPDX-License-Identifier: GPL-3.0-or-later
"""Which AWS a run may talk to: the lab on this computer, or the one account that the inventory names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit


class GuardError(Exception):
    """The run would reach an AWS that it must not; the message says which and what to do."""


def check_endpoints(target: str, endpoints: Iterable[str]) -> None:
    """Refuse the lab when any of its clients' endpoints is not on this computer."""
    if target != "lab":
        return
    for endpoint in endpoints:
        if not is_loopback(endpoint):
            raise GuardError(
                f"stack_target is 'lab' but requests would go to {endpoint}, which is not a loopback address: nothing was sent. "
                "Set AWS_ENDPOINT_URL to the lab's (`python -m lab status` tells it) or unset it; "
                "for AWS set stack_target: aws and stack_account_id in the inventory"
            )


def check_profile(target: str, profile: str | None, known: Iterable[str]) -> None:
    """Refuse a profile that no credentials file knows."""
    if not profile or profile in known:
        return
    if target == "lab":
        raise GuardError(
            f"stack_lab_profile is '{profile}': the lab has no such user. "
            "`python -m lab user` and `python -m lab fixture` make users of the lab; `lab` is the account's root"
        )
    raise GuardError(f"AWS_PROFILE is '{profile}': no such profile in your AWS configuration. Choose one that is there, or log in")


def check_account(target: str, account_id: str, found: Callable[[], str]) -> None:
    """Refuse an account other than the one that the inventory pins; asks AWS only on target aws."""
    if target != "aws":
        return
    actual = found()
    if actual != account_id:
        raise GuardError(
            f"stack_account_id is '{account_id}' but the credentials belong to account {actual}: nothing was changed. "
            "Choose other credentials (AWS_PROFILE) or correct stack_account_id in the inventory"
        )


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this computer: a loopback address or `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
