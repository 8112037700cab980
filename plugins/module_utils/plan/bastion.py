# SPDX-License-Identifier: GPL-3.0-or-later
"""The bastion: the role `bastion`. One that stands is kept and mended; what EC2 cannot change on it waits until it is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .fleet import ordered
from .launch_template import METADATA, number
from .model import Kind, Resource
from .normal import tags_of

KINDS = (
    Kind("bastion", "bastion", frozenset(), {
        "security_groups": "who may come in changes at once",
        "state": "it is started",
        "metadata_options": "its programs reach the instance metadata in another way",
    }, pruned=True),
)  # fmt: skip
OPTIONS = {"endpoint": "enabled", "tokens": "required", "hop_limit": 1, "tags": "disabled", "ipv6": "disabled"}


def want_bastion(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `bastion` makes of its arguments: a new one as they say, or one that stands as far as it is mended."""
    if arguments["bastion_state"] != "present":
        return
    name = arguments["bastion_name"]
    fields = {
        "state": "running",
        "security_groups": ordered(arguments["bastion_security_group_ids"]),
        "metadata_options": OPTIONS,
        "tags": arguments["bastion_tags"] | {"Name": name, "Role": "bastion"},
    }
    if not arguments["bastion_instance_ids"]:
        volume = {"encrypted": True, "size": number(arguments["bastion_volume_size"]), "type": "gp3", "delete_on_termination": True}
        fields |= {
            "image": arguments["bastion_image_id"],
            "type": arguments["bastion_instance_type"],
            "subnet": arguments["bastion_subnet_id"],
            "key_pair": arguments["bastion_key_name"],
            "packages": arguments["bastion_packages"],
            "volumes": {arguments["bastion_root_device"]: volume},
        }
    yield Resource("bastion", "bastion", fields, name)


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The volumes of bastions that stand, by their ids; the instances themselves are read with the stack."""
    ids = [mapping["Ebs"]["VolumeId"] for one in _standing(found) for mapping in one.get("BlockDeviceMappings", []) if "Ebs" in mapping]

    def volumes() -> dict[str, Any]:
        # By filter and not by id: a volume that is gone by now is then no error.
        pages = clients["ec2"].get_paginator("describe_volumes").paginate(Filters=[{"Name": "volume-id", "Values": ids}])
        return {volume["VolumeId"]: volume for page in pages for volume in page["Volumes"]}

    return {"bastion_volumes": volumes} if ids else {}


def found_bastion(found: Mapping[str, Any]) -> Iterator[Resource]:
    """Bastions that stand: one that goes is none."""
    for count, instance in enumerate(sorted(_standing(found), key=lambda one: str(one["InstanceId"]))):
        fields = {
            "state": {"pending": "running", "stopping": "stopped"}.get(instance["State"]["Name"], instance["State"]["Name"]),
            "security_groups": sorted(group["GroupId"] for group in instance.get("SecurityGroups", [])),
            "metadata_options": {words: instance.get("MetadataOptions", {}).get(key, OPTIONS[words]) for key, words in METADATA.items()},
            "tags": tags_of(instance),
            "type": instance["InstanceType"],
            "subnet": instance.get("SubnetId", ""),
            "volumes": _volumes(instance, found.get("bastion_volumes", {})),
        }
        name = tags_of(instance).get("Name", "")
        yield Resource("bastion", "bastion" if count == 0 else instance["InstanceId"], fields, name, instance["InstanceId"], count > 0)


def _standing(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in found["instances"] if tags_of(one).get("Role") == "bastion" and one["State"]["Name"] != "shutting-down"]


def _volumes(instance: Mapping[str, Any], volumes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By device, in the words of the launch template; those that cannot be told any more are left out."""
    attached = {one["DeviceName"]: one["Ebs"] for one in instance.get("BlockDeviceMappings", []) if "Ebs" in one}
    return {
        device: {
            "encrypted": volumes[ebs["VolumeId"]]["Encrypted"],
            "size": volumes[ebs["VolumeId"]]["Size"],
            "type": volumes[ebs["VolumeId"]]["VolumeType"],
            "delete_on_termination": ebs.get("DeleteOnTermination", False),
        }
        for device, ebs in attached.items()
        if ebs["VolumeId"] in volumes
    }
