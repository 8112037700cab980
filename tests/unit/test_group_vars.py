"""What group_vars/all works out for the playbooks from what an inventory sets."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from .wanted import ROOT

HERE = "ap-northeast-1:123456789012"


def worked_out(name: str, **given: Any) -> Any:
    """A variable of group_vars/all, with what an inventory or a playbook sets over them."""
    loader, known = DataLoader(), dict[str, Any]()
    for file in sorted((ROOT / "group_vars/all").glob("*.yml")):
        known |= loader.load_from_file(str(file), trusted_as_template=True)
    known |= {"stack_name": "shop", "stack_region": "ap-northeast-1", "ansible_playbook_python": "python3", **given}
    templar = Templar(loader, variables=known)
    return templar.template(templar.available_variables[name])


def holds(condition: str, **given: Any) -> bool:
    """Whether a playbook's `when` holds."""
    return bool(worked_out("condition", condition=trust_as_template(f"{{{{ {condition} }}}}"), **given))


def containers(database: str, **secrets: str) -> dict[str, Any]:
    """What a stack of containers sets, and the ARN of its database's secret."""
    return {"stack": {"database": {"secret_arn": database}}, "stack_app": {"name": "shop", "secrets": secrets}}


SECRET = f"arn:aws:secretsmanager:{HERE}:secret:shop"
DATABASE = f"{SECRET}/database-GhIjKl"


def test_the_role_that_starts_tasks_may_read_what_they_refer_to_and_nothing_else() -> None:
    stack = containers(
        DATABASE,
        KEY=f"{SECRET}/key-AbCdEf",
        TOKEN=f"{SECRET}/key-AbCdEf:token:AWSCURRENT:",
        URL="/shop/url",
        MODE=f"arn:aws:ssm:{HERE}:parameter/shop/mode",
        PLAIN="plain",
    )
    assert worked_out("stack_execution_secret_arns", **stack) == [DATABASE, f"{SECRET}/key-AbCdEf"]
    assert sorted(worked_out("stack_execution_parameter_arns", **stack)) == [
        f"arn:aws:ssm:{HERE}:parameter/{name}" for name in ("plain", "shop/mode", "shop/url")
    ]


@pytest.mark.parametrize("arn", [DATABASE, "<secret/shop/database#arn>"], ids=["stands", "promised by a plan"])
def test_without_secrets_of_its_own_a_task_reads_the_databases_alone(arn: str) -> None:
    assert worked_out("stack_execution_secret_arns", **containers(arn)) == [arn]
    assert worked_out("stack_execution_parameter_arns", **containers(arn)) == []


@pytest.mark.parametrize(
    ("listeners", "site"),
    [
        ({"http": {"port": 80, "target_group": "web"}}, "http://balancer"),
        ({"http": {"port": 80, "redirect": "https"}, "https": {"port": 443, "protocol": "HTTPS"}}, "https://balancer"),
    ],
)
def test_a_site_that_speaks_https_is_called_by_it(listeners: dict[str, Any], site: str) -> None:
    given = {"alb_listeners": listeners, "stack": {"load_balancer": {"dns_name": "balancer"}}}
    assert worked_out("stack_site", **given) == site
    assert worked_out("stack_https", **given) is site.startswith("https")


def test_no_playbook_calls_the_load_balancer_by_a_scheme_of_its_own() -> None:
    """The probes of single listeners have theirs from the listener."""
    own = re.compile(r"https?://\{\{ stack\.load_balancer")
    assert [path.name for path in (ROOT / "playbooks").rglob("*.yml") if own.search(path.read_text())] == []


INVENTORIES = sorted(path.name for path in (ROOT / "inventories").iterdir())


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_every_inventory_has_a_place_for_a_bastion_and_fills_it(inventory: str) -> None:
    """Else its variables (group_vars/machines) and the way through it (group_vars/fleet) would not be found."""
    hosts, machines = (yaml.safe_load((ROOT / "inventories" / inventory / name).read_text()) for name in ("hosts.yml", "aws_ec2.yml"))
    assert "bastion" in hosts["stack"]["children"]["machines"]["children"]
    assert machines["groups"]["bastion"] == "aws_ec2_tags.Role | default('') == 'bastion'"


@pytest.mark.parametrize(
    ("stack", "by_identity", "by_bastion"),
    [
        ({"stack_compute": "fleet", "stack_delivery": "image"}, True, False),
        ({"stack_compute": "fleet", "stack_delivery": "plain"}, True, False),
        ({"stack_compute": "fleet", "stack_delivery": "plain", "stack_fleet_key_pair": False}, False, True),
        ({"stack_compute": "containers"}, False, True),
    ],
)
def test_a_bastion_has_a_key_pair_that_one_playbook_makes(stack: dict[str, Any], by_identity: bool, by_bastion: bool) -> None:
    for playbook, expected in (("identity", by_identity), ("bastion", by_bastion)):
        (play,) = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text())
        tasks = [task for task in play["tasks"] if task.get("vars", {}).get("key_pair_name")]
        ended = playbook == "identity" and stack["stack_compute"] != "fleet"
        conditions = [condition for task in tasks for condition in ([task["when"]] if isinstance(task["when"], str) else task["when"])]
        assert (not ended and all(holds(condition, stack_bastion=True, **stack) for condition in conditions)) is expected


@pytest.mark.parametrize(("delivery", "runtime"), [("image", "django"), ("image", "node"), ("pull", "node"), ("plain", "django")])
def test_every_machine_has_the_agent_which_one_variable_switches_on(delivery: str, runtime: str) -> None:
    stack = {"stack_compute": "fleet", "stack_delivery": delivery, "stack_app": {"name": "shop", "runtime": runtime}}
    roles = worked_out("stack_machine_roles", **stack)
    assert [role for role in roles if role in ("cloudwatch_agent", "image_cleanup")] == (
        ["cloudwatch_agent"] if delivery == "plain" else ["cloudwatch_agent", "image_cleanup"]
    )
    assert worked_out("cloudwatch_agent_app_identifiers", **stack) == [{"django": "gunicorn"}.get(runtime, runtime)]
    assert worked_out("cloudwatch_agent_app_group", **stack) == "/shop/app"


@pytest.mark.parametrize(
    ("tier", "bastion", "key_pair", "reached"),
    [
        ("public", False, True, True),
        ("public", False, False, False),
        ("private", False, True, False),
        ("private", True, True, True),
        ("private", "yes", "no", False),
    ],
)
def test_machines_are_reached_by_their_key_at_their_own_address_or_through_the_bastion(
    tier: str, bastion: Any, key_pair: Any, reached: bool
) -> None:
    stack = {"stack_fleet_tier": tier, "stack_bastion": bastion, "stack_fleet_key_pair": key_pair}
    assert worked_out("stack_fleet_reached", **stack) is reached
