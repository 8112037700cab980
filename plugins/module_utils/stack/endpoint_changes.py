# SPDX-License-Identifier: GPL-3.0-or-later
"""What ModifyVpcEndpoint has to be told so that an endpoint becomes what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def changes(
    found: Mapping[str, Any],
    subnet_ids: Iterable[str],
    security_group_ids: Iterable[str],
    route_table_ids: Iterable[str],
    private_dns: bool,
) -> dict[str, Any]:
    """Arguments for ModifyVpcEndpoint, empty when `found` (as DescribeVpcEndpoints tells it) is as wanted already."""
    standing = {
        "SubnetIds": (found.get("SubnetIds") or [], subnet_ids),
        "SecurityGroupIds": ([group["GroupId"] for group in found.get("Groups") or []], security_group_ids),
        "RouteTableIds": (found.get("RouteTableIds") or [], route_table_ids),
    }
    result: dict[str, Any] = {}
    for name, (present, wanted) in standing.items():
        added, removed = sorted(set(wanted) - set(present)), sorted(set(present) - set(wanted))
        result |= {key: ids for key, ids in ((f"Add{name}", added), (f"Remove{name}", removed)) if ids}
    if found["VpcEndpointType"] == "Interface" and bool(found.get("PrivateDnsEnabled")) != private_dns:
        result["PrivateDnsEnabled"] = private_dns
    return result


def tag_changes(found: Mapping[str, Any], tags: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Tags to set on an endpoint, and keys of those to take away; what AWS itself sets stays."""
    standing = {tag["Key"]: tag["Value"] for tag in found.get("Tags") or []}
    gone = [key for key in standing if key not in tags and not key.startswith("aws:")]
    return {key: value for key, value in tags.items() if standing.get(key) != value}, sorted(gone)
