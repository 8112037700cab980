"""The stack `inventory_app` moves into an account that somebody else has furnished, is changed, and leaves it. One story, in this order."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from lab.engine.podman import Podman
from lab.errors import LabError
from lab.fixtures import inventory_app
from lab.furniture import Found
from lab.image import DEBIAN_OWNER
from lab.network import kernel
from lab.settings import STRANGER_ADDRESS
from tests.stacks import story
from tests.stacks.stack import Stack

pytestmark = pytest.mark.machines
STACK = "inventory_app"
STANDBY = ("-e", "rds_multi_az=true")
TWO_GATEWAYS = ("-e", "{inventory_app_nat_per_zone: true}")
DOUBLED = ("-e", "{inventory_app_database_doubled: true}")
NOT_GIVEN_BACK = {"AllocatedStorage", "AvailabilityZone"}  # storage never shrinks; and a failover was asked for
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()"


def borrowed(stack: Stack) -> dict[str, Found]:
    """What is somebody else's. An association that is given back is a new one, and the order of rules means nothing."""
    found = inventory_app.describe(stack.lab)
    for table in found["route tables"]:
        table["Associations"] = sorted(str(association.get("SubnetId")) for association in table["Associations"])
    for group in found["security groups"]:
        group["IpPermissions"].sort(key=str)
    return found


def differing(before: dict[str, Found], after: dict[str, Found]) -> set[str]:
    """Kinds of resources that are not as they were."""
    return {kind for kind in before | after if before[kind] != after[kind]}


def database(stack: Stack) -> dict[str, Any]:
    (found,) = stack.aws("rds").describe_db_instances(DBInstanceIdentifier="inventory-db")["DBInstances"]
    return dict(found)


def connects(stack: Stack, machine: str, host: str, port: int) -> bool:
    """Whether a machine gets a connection."""
    try:
        Podman(stack.lab).run(machine, ["python3", "-c", CONNECT, host, str(port)])
    except LabError:
        return False
    return True


def reaches_the_database(stack: Stack, machine: str) -> bool:
    return connects(stack, machine, database(stack)["Endpoint"]["Address"], 3306)


def leaves_by(stack: Stack) -> dict[str, str]:
    """The address that somebody on the internet sees of a machine in each zone."""
    seen = {}
    for machine in stack.instances():
        with kernel.inside(stack.lab.namespace("internet"), lambda: socket.create_server((STRANGER_ADDRESS, 8000))) as server:
            server.settimeout(30)
            assert connects(stack, machine["InstanceId"], STRANGER_ADDRESS, 8000)
            connection, (address, _port) = server.accept()
            connection.close()
            seen[machine["Placement"]["AvailabilityZone"]] = str(address)
    return seen


@pytest.fixture(scope="module")
def lent(stack: Stack) -> dict[str, Found]:
    """The account before the stack came."""
    return borrowed(stack)


@pytest.fixture(scope="module")
def neighbour(stack: Stack, lent: dict[str, Found]) -> str:
    """A machine in the VPC that is somebody else's, too."""
    ec2 = stack.aws("ec2")
    image = ec2.describe_images(Owners=[DEBIAN_OWNER])["Images"][0]["ImageId"]
    subnet = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["Private Subnet 1"]}])["Subnets"][0]["SubnetId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made["InstanceId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    return str(made["InstanceId"])


def test_it_is_built_in_the_borrowed_network_and_keeps_its_promises(stack: Stack, lent: dict[str, Found], neighbour: str) -> None:
    assert reaches_the_database(stack, neighbour)
    story.builds_and_keeps_its_promises(stack)
    assert differing(lent, borrowed(stack)) == {"security groups"}


def test_the_site_shows_items_from_the_database_that_is_open_to_the_application_alone(stack: Stack, neighbour: str) -> None:
    status, _headers, body = stack.get("/")
    assert (status, "Hex bolt M8" in body) == (200, True)
    assert stack.published() == 200
    assert not reaches_the_database(stack, neighbour)


def test_ending_one_instance_leaves_the_service_up_and_a_new_one_takes_its_place(stack: Stack) -> None:
    victim = stack.instances()[0]["InstanceId"]
    stack.aws("ec2").terminate_instances(InstanceIds=[victim])
    until, statuses = time.monotonic() + 400, set()
    while len(stack.healthy() - {victim}) < 2:
        statuses.add(stack.get("/api/items")[0])
        assert time.monotonic() < until
        time.sleep(0.5)
    assert statuses == {200}
    assert len({machine["Placement"]["AvailabilityZone"] for machine in stack.instances()}) == 2


def test_one_variable_gives_the_database_a_standby_which_takes_over_at_the_same_endpoint(stack: Stack) -> None:
    before, since = database(stack), time.time()
    stack.built(*STANDBY)
    assert stack.mutations(since) == ["rds:ModifyDBInstance"]
    assert database(stack)["MultiAZ"]
    stack.aws("rds").reboot_db_instance(DBInstanceIdentifier="inventory-db", ForceFailover=True)
    until = time.monotonic() + 60
    while database(stack)["AvailabilityZone"] == before["AvailabilityZone"] or stack.get("/api/items")[0] != 200:
        assert time.monotonic() < until, "the application does not answer a minute after the failover"
        time.sleep(0.5)
    assert database(stack)["Endpoint"] == before["Endpoint"]
    story.nothing_is_to_do(stack, *STANDBY)


def test_one_variable_lets_each_private_subnet_leave_by_a_nat_gateway_in_its_own_zone(stack: Stack) -> None:
    assert len(set(leaves_by(stack).values())) == 1
    since = time.time()
    stack.built(*STANDBY, *TWO_GATEWAYS)
    assert stack.mutations(since) == [
        "ec2:AllocateAddress", "ec2:CreateNatGateway", "ec2:CreateTags", "ec2:CreateRouteTable", "ec2:CreateRoute",
        "ec2:ReplaceRouteTableAssociation",
    ]  # fmt: skip
    gateways = stack.aws("ec2").describe_nat_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["NatGateways"]
    address = {tag["Value"]: gateway["NatGatewayAddresses"][0]["PublicIp"] for gateway in gateways for tag in gateway["Tags"]}
    assert leaves_by(stack) == {"us-west-2a": address["Inventory NAT"], "us-west-2b": address["my-nat-gateway"]}


def test_one_variable_doubles_class_and_storage_at_once(stack: Stack) -> None:
    since = time.time()
    stack.built(*STANDBY, *TWO_GATEWAYS, *DOUBLED)
    assert stack.mutations(since) == ["rds:ModifyDBInstance"]
    found = database(stack)
    assert (found["DBInstanceClass"], found["AllocatedStorage"], found["PendingModifiedValues"]) == ("db.t3.small", 10, {})
    assert stack.get("/api/items")[0] == 200


def test_a_second_run_is_quiet_and_the_changed_stack_keeps_its_promises(stack: Stack) -> None:
    story.a_second_run_is_quiet(stack, *STANDBY, *TWO_GATEWAYS, *DOUBLED)
    assert stack.play("playbooks/verify.yml", *STANDBY, *TWO_GATEWAYS, *DOUBLED).status == 0
    assert "is not as the inventory wants it" in stack.play("playbooks/verify.yml").output


def test_it_leaves_what_it_borrowed_as_it_was(stack: Stack, lent: dict[str, Found], neighbour: str) -> None:
    """Though the inventory asks for nothing of all that any more."""
    story.is_destroyed_without_a_trace(stack)
    given_back = borrowed(stack)
    assert differing(lent, given_back) <= {"databases"}
    (was,), (is_now,) = lent["databases"], given_back["databases"]
    assert {key for key in was | is_now if was.get(key) != is_now.get(key)} == NOT_GIVEN_BACK
    assert reaches_the_database(stack, neighbour)
