"""Image, bastion and what is told of sources in the plan, on plain values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.plan import bastion, image, launch_template, sources
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.plan.model import Change, Resource, Unknown, later

ROLES = Path(__file__).parents[2] / "roles"
TAGS = {"Stack": "uda", "Environment": "dev", "ManagedBy": "ansible"}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def fields(changes: list[Change]) -> list[tuple[str, str, list[str]]]:
    return [(change.action, change.resource.kind, [item.field for item in change.differences]) for change in changes]


def test_lines_with_a_hash_that_is_not_built_yet_are_met_by_what_stands() -> None:
    text = f"A=1\nRELEASE_SHA256={later('artifact', 'tastylog', 'sha')}\nHOST={later('db_instance', 'db', 'endpoint')}"
    first, second, third = launch_template.lines(text)
    assert (first, third) == ("A=1", "HOST=<db_instance/db#endpoint>")
    assert isinstance(second, Unknown)
    assert launch_template.lines(Unknown("x")) == Unknown("x")


def shaped(name: str, recipe: str, *, verified: bool = True, state: str = "available") -> dict[str, Any]:
    return {"id": f"ami-{name}", "name": name, "recipe": recipe, "verified": verified, "state": state, "version": "v1"}


def of_images(images: list[dict[str, Any]], keep: int = 2) -> dict[str, Any]:
    return {"ami_name": "uda", "ami_recipe": "0123456789ab", "ami_version": "v1", "ami_images": images, "ami_tags": TAGS, "ami_keep": keep}


def in_aws(images: list[dict[str, Any]]) -> list[Resource]:
    def tags(one: Mapping[str, Any]) -> dict[str, str]:
        own = TAGS | {"Name": "uda", "Role": "web", "Recipe": one["recipe"], "Version": "v1"}
        return own | ({"Verified": "true"} if one["verified"] else {})

    return list(image.found_image({"images": [{"Name": one["name"], "ImageId": one["id"], "Tags": tag_list(tags(one))} for one in images]}))


def test_a_new_recipe_makes_an_image_and_takes_the_oldest_and_the_untested_away() -> None:
    images = [shaped("uda-3", "cc"), shaped("uda-2", "bb"), shaped("uda-1", "aa"), shaped("uda-0", "00", verified=False)]
    changes = compare(image.want_image(of_images(images)), in_aws(images), KINDS)
    assert [(change.action, change.resource.key) for change in changes] == [
        ("delete", "uda-0"), ("create", "uda-0123456789ab"), ("delete", "uda-1"), ("delete", "uda-2"),
    ]  # fmt: skip
    first, *rest = image.chosen(images, "uda", "0123456789ab")
    assert (first["id"], first["verified"], rest) == ("<image/uda-0123456789ab#id>", True, images)


def test_an_image_of_the_recipe_stays_with_all_others_and_is_tested_again_when_its_verdict_is_gone() -> None:
    images = [shaped("uda-0123456789ab", "0123456789ab"), shaped("uda-2", "bb"), shaped("uda-1", "aa")]
    assert compare(image.want_image(of_images(images, 1)), in_aws(images), KINDS) == []
    assert image.chosen(images, "uda", "0123456789ab") == images
    untested = [images[0] | {"verified": False}, *images[1:]]
    changes = compare(image.want_image(of_images(untested)), in_aws(untested), KINDS)
    assert fields(changes)[0] == ("update", "image", ["verified"])
    assert [(change.action, change.resource.key) for change in changes] == [("update", "uda-0123456789ab"), ("delete", "uda-1")]
    (found,) = in_aws(images[:1])
    found.fields["tags"]["Recipe"] = "another"
    changes = compare(image.want_image(of_images(images[:1])), [found], KINDS)
    assert fields(changes) == [("update", "image", ["tags"])]


BASTION = {
    "bastion_state": "present", "bastion_name": "uda-bastion", "bastion_security_group_ids": ["sg-1"], "bastion_tags": TAGS,
    "bastion_instance_ids": [], "bastion_volume_size": 8, "bastion_image_id": "ami-1", "bastion_instance_type": "t3.nano",
    "bastion_subnet_id": "subnet-1", "bastion_key_name": "uda", "bastion_packages": ["x"], "bastion_root_device": "/dev/xvda",
}  # fmt: skip


def machine(**changed: Any) -> dict[str, Any]:
    return {
        "InstanceId": "i-1", "InstanceType": "t3.nano", "State": {"Name": "running"}, "SecurityGroups": [{"GroupId": "sg-1"}],
        "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1, "State": "applied"},
        "Tags": tag_list(TAGS | {"Name": "uda-bastion", "Role": "bastion"}), **changed,
    }  # fmt: skip


def volume(**changed: Any) -> dict[str, Any]:
    return {"vol-1": {"VolumeId": "vol-1", "Encrypted": True, "Size": 8, "VolumeType": "gp3", **changed}}


def test_a_standing_bastion_tells_what_it_costs_by() -> None:
    device = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1", "DeleteOnTermination": True}}
    found = {"instances": [machine(SubnetId="subnet-1", BlockDeviceMappings=[device])]}
    (standing,) = bastion.found_bastion(found | {"bastion_volumes": volume()})
    (wanted,) = bastion.want_bastion(BASTION)
    told = {"type", "subnet", "volumes"}
    assert {name: standing.fields[name] for name in told} == {name: wanted.fields[name] for name in told}
    (untold,) = bastion.found_bastion(found)  # the volume has gone meanwhile
    assert untold.fields["volumes"] == {}


def planned_bastion(arguments: Mapping[str, Any], *found: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    return fields(compare(bastion.want_bastion(arguments), list(bastion.found_bastion({"instances": found})), KINDS))


def test_a_bastion_is_made_whole_mended_where_ec2_can_and_ended_when_nobody_wants_it() -> None:
    ((action, kind, names),) = planned_bastion(BASTION)
    assert (action, kind, {"type", "subnet", "image", "volumes"} <= set(names)) == ("create", "bastion", True)
    standing = BASTION | {"bastion_instance_ids": ["i-1"], "bastion_instance_type": "t3.large"}
    assert planned_bastion(standing, machine()) == []
    changes: dict[str, dict[str, Any]] = {
        "state": {"State": {"Name": "stopped"}},
        "security_groups": {"SecurityGroups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]},
        "metadata_options": {"MetadataOptions": {"HttpTokens": "optional"}},
        "tags": {"Tags": tag_list({"Role": "bastion"})},
    }
    for field, changed in changes.items():
        assert planned_bastion(standing, machine(**changed)) == [("update", "bastion", [field])]
    ((action, _kind, _names),) = planned_bastion(BASTION | {"bastion_state": "absent"}, machine())
    assert action == "delete"
    assert planned_bastion(BASTION | {"bastion_state": "absent"}, machine(State={"Name": "shutting-down"})) == []


def test_the_releases_name_is_told_without_building_and_its_bytes_when_they_are_there(tmp_path: Path) -> None:
    source, cache = tmp_path / "app", tmp_path / "cache"
    source.mkdir()
    for name in ("package.json", "package-lock.json"):
        (source / name).write_text("{}")
    arguments = {
        "artifact_name": "app", "artifact_runtime": "node", "artifact_source": str(source), "artifact_cache": str(cache),
        "artifact_python_version": "3.11", "artifact_platforms": ["any"], "artifact_exclude": [".*"],
    }  # fmt: skip
    told = sources.release(arguments, ROLES)
    assert (told["artifact_sha256"], cache.exists()) == ("<artifact/app#sha>", False)
    cache.mkdir()
    Path(told["artifact_path"]).write_bytes(b"")
    assert sources.release(arguments, ROLES)["artifact_sha256"].startswith("e3b0c442")
    (source / "package.json").write_text("{ }")
    assert sources.release(arguments, ROLES)["artifact_id"] != told["artifact_id"]
    with pytest.raises(sources.SourceError, match="found no requirements"):
        sources.release(arguments | {"artifact_runtime": "django"}, ROLES)
    assert sources.release(arguments | {"artifact_name": Unknown("x")}, ROLES) == {}


def test_the_machine_bundle_is_told_when_it_is_there(tmp_path: Path) -> None:
    arguments = {
        "machine_bundle_name": "app", "machine_bundle_cache": str(tmp_path), "machine_bundle_roles": [str(ROLES / "nginx")],
        "machine_bundle_variables": {"a": 1}, "machine_bundle_files": {"artifact.tar.gz": str(tmp_path / "artifact")},
        "machine_bundle_python_version": "3.11", "machine_bundle_platforms": ["any"],
    }  # fmt: skip
    promise = {"machine_bundle_sha256": "<machine_bundle/app#sha>"}
    assert sources.machine_bundle(arguments, ROLES) == promise
    (tmp_path / "artifact").write_bytes(b"")
    assert sources.machine_bundle(arguments, ROLES) == promise
