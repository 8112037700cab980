"""The load balancer layer on the lab's API, without machines: the plan names what was changed, and the layer mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.services.load_balancers import LoadBalancers
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.lab.conftest import SESSION
from tests.lab.test_network_playbooks import Account
from tests.unit.balancer import REGION, calls, inventory, told
from tests.unit.balancer import Account as Standing
from tests.unit.balancer_mutations import MUTATIONS, batches, expected
from tests.unit.wanted import served

pytestmark = [pytest.mark.playbooks, pytest.mark.timeout(400)]

HTTPS = Path(__file__).resolve().parents[2] / "tests/stacks/https.yml"
REACHED = [  # nothing lets the load balancer in to the target group `spare`
    {"from": "load_balancer", "to": "app", "port": 80, "reachable": True},
    {"from": "app", "to": "database", "reachable": False},
]
KEYS = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}


class Layer:
    """The stack `uda` with tests/stacks/https.yml: what its playbooks do, and what the plan says of this layer."""

    def __init__(self, account: Account, home: Path) -> None:
        self._account = account
        self._keys = home / "certificates"
        names = yaml.safe_load(HTTPS.read_text())
        written = json.loads(json.dumps({name: value for name, value in served().items() if name in names}))  # text without Ansible's tags
        groups = written.pop("security_groups_map")
        for group in groups.values():
            for rule in group["ingress"]:
                rule.update({"cidrs": ["203.0.113.0/24"]} if "cidrs" in rule else {})
        bucket = {"alb_access_logs_bucket": written["log_bucket_name"], "stack_certificate_directory": str(self._keys)}
        self._written = written | bucket | {"security_groups_map": groups, "stack_reachability": REACHED}
        self._variables = inventory() | written | bucket
        self.standing = Standing({name: SESSION.create_client(name, REGION, **KEYS) for name in ("elbv2", "acm", "s3", "ec2")})

    def applied(self, *layers: str) -> None:
        self._account.must(self._written, *layers)

    def planned(self) -> list[tuple[str, str, str, set[str]]]:
        """Action, kind and key, and of updates the fields."""
        ec2 = self.standing.ec2
        mine = [{"Name": "tag:Stack", "Values": ["uda"]}]
        vpc = ec2.describe_vpcs(Filters=mine)["Vpcs"][0]["VpcId"]
        subnets = ec2.describe_subnets(Filters=[*mine, {"Name": "tag:Role", "Values": ["public"]}])["Subnets"]
        groups = ec2.describe_security_groups(Filters=[*mine, {"Name": "tag:Key", "Values": ["load_balancer"]}])["SecurityGroups"]
        ids = {
            "alb_vpc_id": vpc,
            "alb_subnet_ids": [one["SubnetId"] for one in subnets],
            "alb_security_group_ids": [one["GroupId"] for one in groups],
        }
        return told(self.standing.planned(self._variables, calls(self._variables, self._keys, ids)))

    def mutations(self) -> list[str]:
        return self._account.mutations()

    def whole(self) -> Any:
        """What plan.yml prints."""
        return self._account.must(self._written | {"plan_format": "json"}, "plan")


@pytest.fixture
def layer(cloud: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layer]:
    monkeypatch.setattr(LoadBalancers, "_serve", lambda _service, _elbv2, balancer: setattr(balancer, "state", "active"))
    (tmp_path / "account").mkdir()
    account = Account(tmp_path / "account", "uda", REGION)
    yield Layer(account, tmp_path)
    account.close()


def test_the_plan_is_empty_after_the_layer_names_what_somebody_changes_and_the_layer_mends_it(layer: Layer) -> None:
    layer.applied("network", "security", "load_balancer")
    assert layer.planned() == []
    batch = batches(MUTATIONS)[0]
    for mutation in batch:
        mutation.make(layer.standing)
    assert layer.planned() == expected(batch)
    layer.mutations()
    output = layer.whole()
    assert layer.mutations() == []
    assert all(f'"kind": "{mutation.kind}"' in output for mutation in batch)
    layer.applied("load_balancer")
    assert layer.planned() == []
