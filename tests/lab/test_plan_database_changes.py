"""The plan of the database on moto in process, with the lab's corrections: every attribute that the role sets is found again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from ansible.module_utils.plan import database
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.model import Change, Unknown
from ansible.module_utils.stack import read_database
from moto import mock_aws
from moto.rds.models import rds_backends

from lab import aws
from lab.settings import ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY

REGION = "ap-northeast-1"
SESSION = botocore.session.get_session()  # one for all tests: it reads the services' models once
KEYS = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}
KINDS = {kind.name: kind for kind in database.KINDS}
TAGS = {"Stack": "shop", "Owner": "me"}
UNSET = {
    "instance_class": "db.t4g.micro", "storage_type": "gp2", "allocated_storage": 20, "multi_az": False, "backup_retention_period": 7,
    "auto_minor_version_upgrade": True, "deletion_protection": False,
}  # fmt: skip


class Account:
    """An account in which the role has run once; `planned` is the plan for the role's arguments with some of them others."""

    def __init__(self) -> None:
        self.ec2, self.rds = (SESSION.create_client(name, REGION, **KEYS) for name in ("ec2", "rds"))
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
            for number, zone in enumerate("acd")
        ]
        self.groups = [
            self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("database", "other")
        ]
        self.arguments: dict[str, Any] = {
            "rds_identifier": "shop-db", "rds_engine": "postgres", "rds_engine_version": "15", "rds_database": "shop",
            "rds_username": "shop_admin", "rds_port": 5432, "rds_subnet_group_name": "Shop", "rds_subnet_ids": self.subnets[:2],
            "rds_security_group_ids": self.groups[:1], "rds_parameter_group_name": "shop", "rds_parameter_group_family": "postgres15",
            "rds_parameters": {"log_connections": True, "work_mem": "4K", "search_path": "shop"},
            "rds_static_parameters": {"max_connections": 60}, "rds_tags": TAGS, "rds_borrowed": False, "rds_apply_immediately": True,
            "__rds_unset": UNSET,
        }  # fmt: skip

    def make(self) -> None:
        """What the role makes."""
        self.rds.create_db_subnet_group(
            DBSubnetGroupName="Shop", DBSubnetGroupDescription="Subnets of shop-db", SubnetIds=self.subnets[:2], Tags=tags("Shop")
        )
        self.rds.create_db_parameter_group(
            DBParameterGroupName="shop", DBParameterGroupFamily="postgres15", Description="Parameters of shop-db", Tags=tags("shop")
        )
        for name, value, method in (
            ("log_connections", "1", "immediate"), ("work_mem", "4096", "immediate"), ("search_path", "shop", "immediate"),
            ("max_connections", "60", "pending-reboot"),
        ):  # fmt: skip
            self.set(name, value, method)
        self.rds.create_db_instance(
            DBInstanceIdentifier="shop-db", Engine="postgres", EngineVersion="15", DBInstanceClass="db.t4g.micro", StorageType="gp2",
            AllocatedStorage=20, StorageEncrypted=True, DBName="shop", Port=5432, MasterUsername="shop_admin",
            MasterUserPassword="Abcdefgh12345678", DBSubnetGroupName="Shop", DBParameterGroupName="shop", PubliclyAccessible=False,
            VpcSecurityGroupIds=self.groups[:1], MultiAZ=False, BackupRetentionPeriod=7, CopyTagsToSnapshot=True,
            DeletionProtection=False, Tags=tags("shop-db"),
        )  # fmt: skip

    def set(self, name: str, value: str, method: str = "immediate") -> None:
        given = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
        self.rds.modify_db_parameter_group(DBParameterGroupName="shop", Parameters=[given])

    @property
    def standing(self) -> Any:
        return rds_backends[ACCOUNT_ID][REGION].databases["shop-db"]

    def answer(self) -> None:
        self.standing.status, self.standing.lab_ready = "available", True

    def modify(self, **changes: Any) -> None:
        self.rds.modify_db_instance(DBInstanceIdentifier="shop-db", **changes)

    def found(self, **more: Any) -> dict[str, Any]:
        """What stack_info would hand over."""
        wanted = {name: self.arguments[name] for name in ("rds_identifier", "rds_subnet_group_name", "rds_parameter_group_name")} | more
        everybodys = {kind: call() for kind, call in read_database.reads(self.rds).items()}
        read = read_database.shared_out(everybodys, "shop", wanted)
        told = read | {name: call() for name, call in database.details({"rds": self.rds}, read, wanted).items()}
        result: dict[str, Any] = json.loads(json.dumps(told, default=str))
        return result

    def planned(self, **others: Any) -> list[Change]:
        return compare(database.want_database(self.arguments | others), database.found_database(self.found()), KINDS)


def tags(name: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {**TAGS, "Name": name, "Role": "database"}.items()]


def fields(changes: list[Change]) -> list[tuple[str, str, str, list[str]]]:
    return [(change.action, change.resource.kind, change.resource.key, [one.field for one in change.differences]) for change in changes]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    aws.install()
    with mock_aws():
        yield Account()


def test_before_the_first_run_all_of_it_is_created(account: Account) -> None:
    assert [change[:3] for change in fields(account.planned())] == [
        ("create", "db_subnet_group", "shop"),
        ("create", "db_parameter_group", "shop"),
        *(("create", "db_parameter", f"shop/{name}") for name in ("log_connections", "max_connections", "search_path", "work_mem")),
        ("create", "db_instance", "shop-db"),
    ]


def test_after_a_run_nothing_is_left_to_do_also_while_the_instance_is_still_being_made(account: Account) -> None:
    account.make()
    assert account.planned() == []
    account.answer()
    assert account.planned() == []
    assert account.planned(rds_multi_az="false", rds_allocated_storage="20", rds_engine_version=15) == []  # as -e gives them
    assert account.planned(rds_instance_class=Unknown("a later step")) == []


def arn(kind: str) -> str:
    return f"arn:aws:rds:{REGION}:{ACCOUNT_ID}:{kind}"


def retag(kind: str) -> Callable[[Account], Any]:
    return lambda account: account.rds.add_tags_to_resource(ResourceName=arn(kind), Tags=[{"Key": "Owner", "Value": "you"}])


def untag(kind: str) -> Callable[[Account], Any]:
    return lambda account: account.rds.remove_tags_from_resource(ResourceName=arn(kind), TagKeys=["Stack"])


def modified(**changes: Any) -> Callable[[Account], Any]:
    return lambda account: account.modify(**changes)


def regrouped(description: str, count: int) -> Callable[[Account], Any]:
    return lambda account: account.rds.modify_db_subnet_group(
        DBSubnetGroupName="shop", DBSubnetGroupDescription=description, SubnetIds=account.subnets[:count]
    )


def other_group(account: Account) -> None:
    account.rds.create_db_parameter_group(DBParameterGroupName="mine", DBParameterGroupFamily="postgres15", Description="mine")
    account.modify(DBParameterGroupName="mine")


def given(attribute: str, value: Any) -> Callable[[Account], Any]:
    """What no request changes on a standing instance, as on one that somebody has made anew."""
    return lambda account: setattr(account.standing, attribute, value)


INSTANCE = ("db_instance", "shop-db")


@pytest.mark.parametrize(
    ("mutation", "action", "place", "field"),
    [
        (regrouped("mine", 2), "update", ("db_subnet_group", "shop"), "description"),
        (regrouped("Subnets of shop-db", 3), "update", ("db_subnet_group", "shop"), "subnets"),
        (retag("subgrp:shop"), "update", ("db_subnet_group", "shop"), "tags"),
        (untag("subgrp:shop"), "update", ("db_subnet_group", "shop"), "tags"),
        (retag("pg:shop"), "update", ("db_parameter_group", "shop"), "tags"),
        (untag("pg:shop"), "update", ("db_parameter_group", "shop"), "tags"),
        (lambda account: account.set("work_mem", "8192"), "update", ("db_parameter", "shop/work_mem"), "value"),
        (
            lambda account: account.set("max_connections", "70", "pending-reboot"),
            "update",
            ("db_parameter", "shop/max_connections"),
            "value",
        ),
        (lambda account: account.set("lock_timeout", "1"), "foreign", ("db_parameter", "shop/lock_timeout"), "value"),
        (retag("db:shop-db"), "update", INSTANCE, "tags"),
        (untag("db:shop-db"), "update", INSTANCE, "tags"),
        (modified(DeletionProtection=True), "update", INSTANCE, "deletion_protection"),
        (modified(AutoMinorVersionUpgrade=False), "update", INSTANCE, "auto_minor_version_upgrade"),
        (modified(CopyTagsToSnapshot=False), "update", INSTANCE, "copy_tags_to_snapshot"),
        (modified(PubliclyAccessible=True), "update", INSTANCE, "public"),
        (other_group, "update", INSTANCE, "parameter_group"),
        (lambda account: account.modify(VpcSecurityGroupIds=account.groups), "update", INSTANCE, "security_groups"),
        (given("db_instance_class", "db.t3.micro"), "update", INSTANCE, "instance_class"),
        (given("storage_type", "gp3"), "update", INSTANCE, "storage_type"),
        (given("allocated_storage", 10), "update", INSTANCE, "allocated_storage"),
        (given("allocated_storage", 40), "replace", INSTANCE, "allocated_storage"),
        (given("multi_az", True), "update", INSTANCE, "multi_az"),
        (given("backup_retention_period", 1), "update", INSTANCE, "backup_retention_period"),
        (given("port", 5433), "update", INSTANCE, "port"),
        (given("engine_version", "14.9"), "update", INSTANCE, "engine_version"),
        (given("engine_version", "16.3"), "replace", INSTANCE, "engine_version"),
        (given("engine", "mysql"), "replace", INSTANCE, "engine"),
        (given("db_name", "store"), "replace", INSTANCE, "database"),
        (given("master_username", "root"), "replace", INSTANCE, "username"),
        (given("storage_encrypted", False), "replace", INSTANCE, "encrypted"),
        (modified(DBInstanceClass="db.t3.large"), "update", INSTANCE, "instance_class"),  # waits, is not wanted, and is taken back
        (modified(MultiAZ=True), "update", INSTANCE, "multi_az"),
        (modified(BackupRetentionPeriod=3), "update", INSTANCE, "backup_retention_period"),
    ],
)
def test_what_somebody_changes_is_told_by_its_kind_key_and_field(
    account: Account, mutation: Callable[[Account], Any], action: str, place: tuple[str, str], field: str
) -> None:
    account.make()
    account.answer()
    mutation(account)
    assert [change for change in fields(account.planned()) if change[0] != "pending"] == [(action, *place, [field])]


def test_parameters_that_wait_for_a_reboot_are_told_and_are_nothing_for_a_run_to_do(account: Account) -> None:
    account.make()
    account.answer()
    account.set("max_connections", "80", "pending-reboot")
    (change,) = account.planned(rds_static_parameters={"max_connections": 80})
    assert fields([change]) == [("pending", *INSTANCE, ["parameters"])]
    assert (change.effect, change.differences[0].old) == ("with the next reboot, which no run makes", "waiting for a reboot")


def test_a_minor_version_that_aws_has_moved_on_to_is_met_and_storage_that_cannot_be_reached_is_told(account: Account) -> None:
    account.make()
    account.answer()
    account.standing.engine_version = "15.13"
    assert account.planned(rds_engine_version="15.12") == []
    assert [change.action for change in account.planned(rds_engine_version="14.9")] == ["replace"]
    assert [change.action for change in account.planned(rds_allocated_storage=21)] == ["replace"]
    assert [change.action for change in account.planned(rds_allocated_storage=22)] == ["update"]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"rds_engine": "mysql"}, ("replace", "engine")),
        ({"rds_subnet_group_name": "other"}, ("replace", "subnet_group")),
        ({"rds_allocated_storage": 10}, ("replace", "allocated_storage")),
        ({"rds_allocated_storage": 30}, ("update", "allocated_storage")),
        ({"rds_instance_class": "db.t4g.small"}, ("update", "instance_class")),
    ],
)
def test_another_wish_is_an_update_or_a_replacement_that_a_run_refuses(
    account: Account, others: dict[str, Any], expected: tuple[str, str]
) -> None:
    account.make()
    [change] = [change for change in account.planned(**others) if change.resource.kind == "db_instance" and change.action != "create"]
    assert (change.action, change.differences[0].field) == expected
    assert ("rds_replace" in change.effect) == (change.action == "replace")


def test_what_waits_for_the_window_waits_only_when_the_run_leaves_it_there(account: Account) -> None:
    account.make()
    account.answer()
    account.modify(DBInstanceClass="db.t4g.small")
    wish = {"rds_instance_class": "db.t4g.small"}
    assert [(change.action, change.effect) for change in account.planned(**wish, rds_apply_immediately="no")] == [
        ("pending", "in the maintenance window")
    ]
    assert [(change.action, change.effect) for change in account.planned(**wish)] == [("update", database.RESTART)]


def test_of_a_borrowed_instance_only_what_is_set_is_wanted(account: Account) -> None:
    account.make()
    account.answer()
    arguments = {
        name: value for name, value in account.arguments.items() if name in ("rds_identifier", "rds_apply_immediately", "__rds_unset")
    } | {"rds_borrowed": True, "rds_parameter_group_name": "", "rds_security_group_ids": [], "rds_port": 3306}

    def planned(**set_here: Any) -> list[tuple[str, str, str, list[str]]]:
        found = account.found(rds_borrowed=True) | {"databases": [], "subnet_groups": [], "db_parameter_groups": []}
        return fields(compare(database.want_database(arguments | set_here), database.found_database(found), KINDS))

    assert planned() == []
    assert planned(rds_multi_az=True, rds_allocated_storage=20) == [("update", *INSTANCE, ["multi_az"])]
    assert planned(rds_security_group_ids=account.groups, rds_parameter_group_name="own") == [
        ("update", *INSTANCE, ["parameter_group", "security_groups"])
    ]
    assert planned(rds_engine="mysql") == [("replace", *INSTANCE, ["engine"])]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (True, "1"),
        ("off", "0"),
        (10, "10"),
        ("10M", "10485760"),
        ("utf8mb4", "utf8mb4"),
        ("{DBInstanceClassMemory/4}", "{DBInstanceClassMemory/4}"),
    ],
)
def test_parameters_are_compared_as_aws_tells_them(value: Any, told: str) -> None:
    assert database.parameter_value(value) == told
