"""Images (AMIs): CreateImage may tag the snapshot that it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.amis import AmiBackend

from ._patch import wrap


def install() -> None:
    wrap(AmiBackend, "create_image")(_tag_snapshot)


def _tag_snapshot(
    original: Callable[..., Any],
    ec2: Any,
    instance_id: str,
    name: str,
    description: str,
    tag_specifications: list[dict[str, Any]],
) -> Any:
    """`ec2_ami` sends tags for image and snapshot together; moto raises NotImplementedError for the snapshot's."""
    others = [entry for entry in tag_specifications if entry["ResourceType"] != "snapshot"]
    image = original(ec2, instance_id, name, description, others)
    for entry in tag_specifications:
        if entry["ResourceType"] == "snapshot":
            image.ebs_snapshot.add_tags({tag["Key"]: tag["Value"] for tag in entry["Tags"]})
    return image
