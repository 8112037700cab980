"""The roles that the plan calls in place of a run: with what hashes of sources, and with what an earlier layer will have made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.module_utils.plan.facts import coming
from ansible.module_utils.plan.families import WANTS
from ansible.module_utils.plan.launch_template import want_launch_template
from ansible.module_utils.plan.model import Resource, Unknown
from ansible.module_utils.stack.shape import IDENTITY, shape
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import action_loader
from ansible.template import Templar

from .called import collections_found
from .wanted import INVENTORIES, ROOT, trusted

PLAN = action_loader.get("stack_plan", class_only=True)


@pytest.fixture(autouse=True)
def _collections() -> Iterator[None]:
    with collections_found():
        yield


class Stack:
    """A reference stack's variables, of which nothing stands but what `images` and `template` say."""

    def __init__(self, name: str, cache: Path) -> None:
        files = [*sorted((ROOT / "group_vars/all").glob("*.yml")), *sorted((INVENTORIES / name / "group_vars/stack").glob("*.yml"))]
        self.variables: dict[str, Any] = {"playbook_dir": str(ROOT / "playbooks"), "groups": {"image_test": []}}
        self.variables |= {"artifact_cache": str(cache), "machine_bundle_cache": str(cache)}
        for file in files:
            self.variables |= trusted(yaml.safe_load(file.read_text()))
        self.images: list[dict[str, Any]] = []
        self.template: dict[str, Any] | None = None

    def calls(self) -> dict[str, Mapping[str, Any]]:
        """The arguments of each role that is called."""
        loader = DataLoader()
        loader.set_basedir(str(ROOT / "playbooks"))
        plan = object.__new__(PLAN)
        plan._templar, plan._task = Templar(loader, variables=self.variables), SimpleNamespace(args={})
        wanted, problems = plan.checked(self.variables)
        assert problems == []
        found: dict[str, Any] = {kind: [] for kind in [*IDENTITY, "borrowed_databases"]} | {"launch_template_versions": {}}
        found |= {"images": self.images, "launch_templates": [self.template["template"]] if self.template else []}
        found |= {"launch_template_versions": {"lt-1": self.template["version"]} if self.template else {}}
        known = self.variables | {"stack": coming(shape(found), wanted)}
        known["source_images"] = {"images": [{"image_id": "ami-source", "creation_date": "2026-01-01"}]}
        return dict(call for _layer, call in plan.calls(known, found, WANTS))


def aws_image(recipe: str, name: str = "uda_ami_web_nginx", **tags: str) -> dict[str, Any]:
    told = {"Recipe": recipe, "Verified": "true", **tags}
    listed = [{"Key": key, "Value": value} for key, value in told.items()]
    return {"ImageId": f"ami-{recipe}", "Name": f"{name}-{recipe}", "State": "available", "Tags": listed}


def template_of(arguments: Mapping[str, Any], **changed: Any) -> Resource:
    (resource,) = want_launch_template({**arguments, **changed})
    return resource


def test_the_image_of_the_recipe_is_promised_to_the_template_until_it_stands(tmp_path: Path) -> None:
    stack = Stack("uda", tmp_path)
    stack.images = [aws_image("0" * 12)]
    calls = stack.calls()
    recipe = calls["image_recipe"]["ami_recipe"]
    assert (len(recipe), calls["image_recipe"]["ami_images"][0]["id"]) == (12, "ami-000000000000")
    assert calls["launch_template"]["launch_template_image_id"] == f"<image/uda_ami_web_nginx-{recipe}#id>"
    assert list(tmp_path.iterdir()) == []

    for image in (aws_image(recipe), aws_image(recipe, Verified="", Recipe="changed by hand")):
        stack.images = [image, aws_image("0" * 12)]
        assert stack.calls()["launch_template"]["launch_template_image_id"] == f"ami-{recipe}"


@pytest.mark.parametrize("changed", [{"stack_os": "debian13"}, {"nginx_worker_connections": 3}])
def test_another_source_or_variable_is_another_recipe(tmp_path: Path, changed: dict[str, Any]) -> None:
    stack = Stack("uda", tmp_path)
    before = stack.calls()["image_recipe"]["ami_recipe"]
    stack.variables |= changed
    assert stack.calls()["image_recipe"]["ami_recipe"] != before


def test_the_group_follows_a_template_that_gets_a_new_version(tmp_path: Path) -> None:
    stack = Stack("uda", tmp_path)
    arguments = stack.calls()["launch_template"]
    tags = [{"Key": key, "Value": value} for key, value in template_of(arguments).fields["tags"].items()]
    template = {
        "LaunchTemplateId": "lt-1", "LaunchTemplateName": "uda_web", "DefaultVersionNumber": 2, "LatestVersionNumber": 2, "Tags": tags,
    }  # fmt: skip
    stack.template = {"template": template, "version": {"LaunchTemplateData": {"InstanceType": "t3.large"}}}
    asg = stack.calls()["asg"]
    assert (asg["asg_launch_template_id"], asg["asg_launch_template_version"]) == ("lt-1", "<launch_template/uda_web#version>")


def test_a_stack_that_pulls_names_its_release_and_not_yet_the_bytes(tmp_path: Path) -> None:
    calls = Stack("tastylog", tmp_path).calls()
    lines = template_of(calls["launch_template"]).fields["user_data"]
    release = calls["release_upload"]["release_upload_id"]
    assert calls["image_recipe"]["ami_version"] == ""
    assert f"RELEASE_ID={release}" in lines
    assert [line.why.split("=")[0] for line in lines if isinstance(line, Unknown)] == ["RELEASE_SHA256"]


def test_a_plain_stack_bakes_nothing_and_its_machines_fetch_a_bundle(tmp_path: Path) -> None:
    calls = Stack("inventory_app", tmp_path).calls()
    assert "image_recipe" not in calls
    lines = template_of(calls["launch_template"]).fields["user_data"]
    assert calls["launch_template"]["launch_template_image_id"] == "ami-source"
    assert sum(isinstance(line, Unknown) for line in lines) == 3


def test_a_stack_of_containers_has_no_fleet(tmp_path: Path) -> None:
    calls = Stack("meibo", tmp_path).calls()
    assert {"image_recipe", "launch_template", "asg"} & calls.keys() == set()
    assert calls["bastion"]["bastion_state"] == "absent"
