"""A saved plan against the one of now: whether a run would still do what was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.plan import render, saved
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.model import Kind, Resource

from plugins.action.stack_plan import refused, unsaved

KINDS = {kind.name: kind for kind in (Kind("net", "network"), Kind("rule", "security", opens=True))}
NET, RULE = Resource("net", "a", {"size": 1}, "main"), Resource("rule", "r", {"port": 80, "to": "world"}, id="r-1")


def plan(wanted: list[Resource], found: list[Resource]) -> dict[str, Any]:
    return render.as_json(compare(wanted, found, KINDS), wanted, KINDS)


def told(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return list(saved.moved(json.loads(json.dumps(before)), now))


def test_the_same_plan_is_followed() -> None:
    before = plan([NET], [])
    assert told(before, plan([NET], [])) == []
    assert saved.refusal("plan.json", json.dumps(before | {"failed": False}), before) == ""


def test_what_has_moved_is_told_by_resource_and_what_would_be_done() -> None:
    before = plan([NET], [])
    assert told(before, plan([NET], [Resource("net", "a", {"size": 1}, id="n-1")])) == ["net main: create was planned, now nothing"]
    assert told(before, plan([NET], [Resource("rule", "r", {"port": 22}, id="r-9", foreign=True)])) == [
        "rule r: nothing was planned, now foreign"
    ]
    assert told(before, plan([Resource("net", "a", {"size": 2}, "main")], [])) == [
        "net main: create was planned, now create with another size"
    ]


def test_another_thing_of_the_same_name_has_moved_too() -> None:
    wanted = [Resource("rule", "r", {"port": 443})]
    other = Resource("rule", "r", dict(RULE.fields), id="r-2")
    (line,) = told(plan(wanted, [RULE]), plan(wanted, [other]))
    assert line == "rule r: update was planned, now update of another one, or with another effect"


def test_an_inventory_and_a_world_that_have_moved_by_the_same_are_told() -> None:
    later = Resource("rule", "r", {"port": 443, "to": "world"})
    assert told(plan([RULE], [RULE]), plan([later], [later])) == ["rule r: the inventory wants something else"]


def test_many_differences_are_counted() -> None:
    many = [Resource("net", f"n{number}", {"size": 1}) for number in range(saved.TOLD + 3)]
    text = saved.refusal("plan.json", json.dumps(plan([], [])), plan(many, []))
    assert len(text.splitlines()) == saved.TOLD + 3
    assert "- and 3 more" in text
    assert "plan.yml -e plan_file=plan.json" in text


def test_a_file_that_is_no_plan_is_told(tmp_path: Path) -> None:
    file, now = tmp_path / "plan.json", plan([NET], [])
    assert "cannot be read" in refused(str(file), now)
    file.write_text("Plan: 1 to create.")
    assert "no JSON" in refused(str(file), now)
    file.write_text('{"changes": []}')
    assert "no saved plan" in refused(str(file), now)
    file.write_text(json.dumps(now))
    assert refused(str(file), now) == ""


def test_a_plan_is_saved_for_its_owner_alone_or_it_is_told_why_not(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("an older one")
    file.chmod(0o644)
    assert unsaved(str(file), {"changes": []}) == ""
    assert (file.stat().st_mode & 0o777, json.loads(file.read_text())) == (0o600, {"changes": []})
    assert unsaved(str(tmp_path), {}).startswith("The plan cannot be saved: [Errno 21] Is a directory")
