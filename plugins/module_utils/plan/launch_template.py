# SPDX-License-Identifier: GPL-3.0-or-later
"""The launch template: the role `launch_template`. What it holds is in numbered versions; the newest one is what counts."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .compare import standing
from .model import LATER, Kind, Resource, Unknown
from .normal import tags_of

LAYER = "fleet"
NEW_VERSION = "a new version; the group replaces its instances one after another"
OF_A_VERSION = (
    "description", "image", "instance_type", "key_pair", "security_groups", "instance_profile", "user_data", "metadata_options", "volumes",
    "instance_tags", "volume_tags", "others",
)  # fmt: skip
KINDS = (Kind("launch_template", LAYER, frozenset(), dict.fromkeys(OF_A_VERSION, NEW_VERSION)),)

# EC2 API Reference, "LaunchTemplateEbsBlockDeviceRequest" and "LaunchTemplateInstanceMetadataOptionsRequest", in the role's words.
EBS = {"Encrypted": "encrypted", "VolumeSize": "size", "VolumeType": "type", "DeleteOnTermination": "delete_on_termination"}
METADATA = {
    "HttpEndpoint": "endpoint",
    "HttpTokens": "tokens",
    "HttpPutResponseHopLimit": "hop_limit",
    "InstanceMetadataTags": "tags",
    "HttpProtocolIpv6": "ipv6",
}
TAKEN = (
    "ImageId", "InstanceType", "KeyName", "SecurityGroupIds", "IamInstanceProfile", "UserData", "MetadataOptions", "BlockDeviceMappings",
    "TagSpecifications",
)  # fmt: skip
BUILT = ("artifact", "machine_bundle")  # promises of what is built here in a run: what stands meets them


def want_launch_template(arguments: Mapping[str, Any]) -> Iterator[Resource]:
    """What the role `launch_template` makes of its arguments."""
    name, image = arguments["launch_template_name"], arguments["launch_template_image_id"]
    volume = {
        "encrypted": True,
        "size": number(arguments["launch_template_volume_size"]),
        "type": arguments["launch_template_volume_type"],
        "delete_on_termination": True,
    }
    fields = {
        "description": image,
        "image": image,
        "instance_type": arguments["launch_template_instance_type"],
        "key_pair": arguments["launch_template_key_name"],
        "security_groups": arguments["launch_template_security_group_ids"],
        "instance_profile": arguments["launch_template_instance_profile_arn"],
        "user_data": lines(arguments["launch_template_user_data"]),
        "metadata_options": {"endpoint": "enabled", "tokens": "required", "hop_limit": 1, "tags": "enabled", "ipv6": "disabled"},
        "volumes": {arguments["launch_template_root_device"]: volume},
        "instance_tags": arguments["__launch_template_instance_tags"],
        "volume_tags": arguments["__launch_template_instance_tags"],
        "others": {},
        "default_version": "the newest",
        "tags": arguments["launch_template_tags"] | {"Name": name, "Role": "web"},
    }
    yield Resource("launch_template", name, fields, name)


def number(value: Any) -> Any:
    """A number that may have come as text from the command line; what is not known yet stays so."""
    return value if isinstance(value, Unknown) else int(value)


def lines(text: Any) -> Any:
    """User data line by line, so that a difference is a line; a line with a hash that only a build tells is not known yet."""
    if not isinstance(text, str):
        return text
    return [Unknown(line) if any(match[1] in BUILT for match in LATER.finditer(line)) else line for line in text.split("\n")]


def details(clients: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """The newest version of each of the stack's templates, by the template's id."""
    ids = [template["LaunchTemplateId"] for template in found["launch_templates"]]

    def newest() -> dict[str, Any]:
        told = [clients["ec2"].describe_launch_template_versions(LaunchTemplateId=one, Versions=["$Latest"]) for one in ids]
        return {version["LaunchTemplateId"]: version for answer in told for version in answer["LaunchTemplateVersions"]}

    return {"launch_template_versions": newest}


def found_launch_template(found: Mapping[str, Any]) -> Iterator[Resource]:
    """The stack's templates, each with what its newest version holds."""
    for template in found["launch_templates"]:
        version = found["launch_template_versions"][template["LaunchTemplateId"]]
        name, tags = template["LaunchTemplateName"], tags_of(template)
        newest = template["DefaultVersionNumber"] == template["LatestVersionNumber"]
        fields = {
            "description": version.get("VersionDescription", ""),
            **_version(version["LaunchTemplateData"]),
            "default_version": "the newest" if newest else str(template["DefaultVersionNumber"]),
            "tags": tags,
        }
        yield Resource("launch_template", name, fields, name, template["LaunchTemplateId"])


def _version(data: Mapping[str, Any]) -> dict[str, Any]:
    profile = data.get("IamInstanceProfile") or {}
    tags = {one["ResourceType"]: tags_of(one) for one in data.get("TagSpecifications", [])}
    others = {key: value for key, value in data.items() if key not in TAKEN and value not in (None, [], {})}
    return {
        "image": data.get("ImageId", ""),
        "instance_type": data.get("InstanceType", ""),
        "key_pair": data.get("KeyName", ""),
        "security_groups": list(data.get("SecurityGroupIds", [])),
        "instance_profile": profile.get("Arn") or profile.get("Name") or "",
        "user_data": base64.b64decode(data.get("UserData", "")).decode(errors="replace").split("\n"),
        "metadata_options": {"ipv6": "disabled", **_words(data.get("MetadataOptions", {}), METADATA)},
        "volumes": {
            one["DeviceName"]: _words(one.get("Ebs", {}), EBS) | {key: one[key] for key in ("NoDevice", "VirtualName") if one.get(key)}
            for one in data.get("BlockDeviceMappings", [])
        },
        "instance_tags": tags.get("instance", {}),
        "volume_tags": tags.get("volume", {}),
        "others": others | {kind: value for kind, value in tags.items() if kind not in ("instance", "volume")},
    }


def _words(values: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    return {words.get(key, key): value for key, value in values.items() if value is not None and key != "State"}


def renewed(arguments: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether the role would make a new version of a template that stands, which the group would then follow."""
    have = {item.key: item for item in found_launch_template(found)}
    kinds = {kind.name: kind for kind in KINDS}
    return any(
        difference.field in OF_A_VERSION
        for want in want_launch_template(arguments)
        if want.key in have
        for change in standing(want, have[want.key], kinds)
        for difference in change.differences
    )
