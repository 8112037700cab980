# SPDX-License-Identifier: GPL-3.0-or-later
"""Availability zones of the regions that the reference stacks use.

AWS gives each account its own choice of zones, so the table holds every letter that some account has.
Other regions are not in it: their zones are only checked for their form.
"""

from __future__ import annotations

ZONES = {
    "ap-northeast-1": "acd",
    "eu-central-1": "abc",
    "eu-west-1": "abc",
    "us-east-1": "abcdef",
    "us-east-2": "abc",
    "us-west-2": "abcd",
}
