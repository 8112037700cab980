"""What the plan wants of containers when nothing stands, and that a stack of machines has none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.plan import containers
from ansible.module_utils.plan.families import WANTS
from ansible.module_utils.plan.model import Resource
from ansible.module_utils.stack.recipe import recipe

from .called import called
from .wanted import ROOT

NOTHING: dict[str, Any] = {"subnets": {}, "repository": {"name": None, "uri": None, "image_tags": []}, "bucket_names": {}}
ROLES = ("ecr", "container_image", "ecs")


@pytest.fixture(scope="module")
def wanted() -> dict[str, Resource]:
    return {item.kind: item for role, arguments in called("meibo", NOTHING, ROLES) for item in WANTS[role](arguments)}


def test_everything_is_wanted_in_the_order_of_the_kinds(wanted: dict[str, Resource]) -> None:
    assert list(wanted) == [kind.name for kind in containers.KINDS if kind.name != "repository_policy"]


def test_the_image_is_known_by_its_source_without_a_build(wanted: dict[str, Resource]) -> None:
    arguments = dict(called("meibo", NOTHING, ROLES))["container_image"]
    release = recipe([Path(ROOT / "examples/apps/meibo")], arguments["__container_image_ingredients"])
    assert arguments["__container_image_ingredients"]["platform"] == "linux/amd64"
    assert wanted["container_image"].key == release
    assert wanted["task_definition"].fields["image"] == f"<repository/meibo#uri>:{release}"


def test_what_does_not_stand_yet_is_told_by_where_it_comes_from(wanted: dict[str, Resource]) -> None:
    definition, service = wanted["task_definition"].fields, wanted["ecs_service"].fields
    assert definition["secrets"] == {"DB_PASSWORD": "<secret/meibo/database#arn>:password::"}
    assert definition["environment"]["DB_HOST"] == "<db_instance/meibo-db#endpoint>"
    assert service["subnets"] == ["<subnet/private_1#id>", "<subnet/private_2#id>"]
    assert service["targets"] == [{"target_group": "<target_group/web#arn>", "container": "meibo", "port": 8080}]


def test_how_many_tasks_run_is_the_scalings(wanted: dict[str, Resource]) -> None:
    assert not {"desired", "desired_count"} & wanted["ecs_service"].fields.keys()
    assert wanted["ecs_scaling"].fields == {"cluster": "meibo", "min_tasks": 2, "max_tasks": 4}


def test_a_stack_of_machines_wants_none_of_it() -> None:
    assert called("uda", NOTHING, ROLES) == []
