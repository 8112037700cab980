"""The plan of the load balancer layer in process: nothing after a run, and every attribute that somebody changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.plan.compare import shown
from ansible.module_utils.plan.model import Change
from moto import mock_aws

from lab import aws
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from tests.lab.conftest import SESSION
from tests.unit.balancer import BUCKET, REGION, Account, calls, inventory, provide, told
from tests.unit.balancer_mutations import MUTATIONS, OLD_LOGS, Mutation, batches, expected, lifecycle


class Stack:
    """The layer as its roles leave it."""

    def __init__(self, keys: Path) -> None:
        clients = {name: SESSION.create_client(name, region_name=REGION) for name in ("elbv2", "acm", "s3", "ec2")}
        self.account, self.variables, self.keys = Account(clients), inventory(), keys
        ec2 = clients["ec2"]
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=gateway)
        subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
            for number, zone in enumerate("acd")
        ]
        self.groups = [ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"] for name in ("a", "b")]
        self.subnets = subnets
        self.ids = {"alb_vpc_id": self.vpc, "alb_subnet_ids": subnets[:2], "alb_security_group_ids": self.groups[:1]}
        self.roles = calls(self.variables, keys, self.ids)
        provide(self.account, self.variables, keys, self.ids, dict(self.roles)["log_bucket"]["__log_bucket_policy"])

    def planned(self) -> list[Change]:
        return self.account.planned(self.variables, self.roles)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(name, value)
    aws.install()
    with mock_aws():
        yield Stack(tmp_path)


def test_the_plan_is_empty_after_a_run(stack: Stack) -> None:
    assert told(stack.planned()) == []


@pytest.mark.parametrize("batch", batches(MUTATIONS), ids=lambda batch: f"{len(batch)} from {batch[0]}")
def test_what_somebody_has_changed_is_named_and_nothing_else(stack: Stack, batch: list[Mutation]) -> None:
    for mutation in batch:
        mutation.make(stack.account)
    assert told(stack.planned()) == expected(batch)


def test_other_subnets_groups_and_addresses_of_the_load_balancer_are_named(stack: Stack) -> None:
    elbv2, arn = stack.account.elbv2, stack.account.balancer
    elbv2.set_subnets(LoadBalancerArn=arn, Subnets=stack.subnets)
    elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=stack.groups)
    elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
    assert told(stack.planned()) == [("update", "load_balancer", "uda-alb", {"subnets", "security_groups", "address_type"})]


def test_logs_to_another_bucket_are_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stack.account.found(stack.variables)
    found[f"load_balancer {stack.account.balancer}"] |= {"access_logs.s3.bucket": "theirs", "access_logs.s3.prefix": "x"}
    monkeypatch.setattr(stack.account, "found", lambda _variables: found)  # the lab asks whether log delivery may write there
    assert told(stack.planned()) == [("update", "load_balancer", "uda-alb", {"access_logs_bucket", "access_logs_prefix"})]


def test_what_cannot_be_changed_in_place_is_replaced(stack: Stack) -> None:
    for path, value, kind, key, field in (
        ("alb_target_groups", {"port": 81}, "target_group", "web", "port"),
        ("alb_target_groups", {"name": "uda-other"}, "target_group", "web", "name"),
        ("alb_scheme", "internal", "load_balancer", "uda-alb", "scheme"),
    ):
        given: Any = stack.variables[path] | {"web": stack.variables[path]["web"] | value} if isinstance(value, dict) else value
        variables = stack.variables | {path: given}
        changes = stack.account.planned(variables, calls(variables, stack.keys, stack.ids))
        assert [(item.action, item.resource.kind, item.resource.key) for item in changes] == [("replace", kind, key)]
        assert field in {one.field for one in changes[0].differences if one.forces}


def test_a_lifecycle_rule_beside_ours_is_somebody_elses(stack: Stack) -> None:
    other = {"ID": "other", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}
    stack.account.s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=lifecycle(OLD_LOGS, other))
    (change,) = stack.planned()
    assert (change.action, change.resource.kind, change.resource.key) == ("foreign", "log_bucket_rule", "other")


def test_what_left_the_inventory_is_deleted_where_the_role_does_so(stack: Stack) -> None:
    variables = stack.variables | {"certificate_map": {}, "log_bucket_name": "", "alb_access_logs_bucket": "", "alb_access_logs_prefix": ""}
    variables["alb_target_groups"] = {"web": variables["alb_target_groups"]["web"]}
    variables["alb_listeners"] = {"http": {"port": 80, "target_group": "web"}}
    changes = stack.account.planned(variables, calls(variables, stack.keys, stack.ids))
    assert [(item.action, item.resource.kind, item.resource.key) for item in changes] == [
        ("foreign", "certificate", "api"), ("foreign", "certificate", "site"), ("foreign", "log_bucket", "logs"),
        ("foreign", "target_group", "spare"), ("update", "load_balancer", "uda-alb"), ("update", "listener", "http"),
        ("delete", "listener", "port 443"), *(("delete", "listener_rule", f"port 443 priority {number}0") for number in range(1, 6)),
    ]  # fmt: skip


def test_a_certificate_that_ends_soon_is_due_and_one_whose_file_is_gone_is_made_anew(stack: Stack) -> None:
    stack.variables["certificate_renew_days"] = 100000
    assert told(stack.planned()) == [("update", "certificate", key, {"renewal"}) for key in ("api", "site")]
    stack.variables["certificate_renew_days"] = 30
    (stack.keys / "uda-api.crt").unlink()
    (change,) = stack.planned()
    assert told([change]) == [("update", "certificate", "api", {"certificate"})]
    assert "is made by the run" in shown(change.differences[0].new)[0]
