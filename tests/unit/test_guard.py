"""In lab mode no request leaves this computer; on AWS only the pinned account is touched."""

from __future__ import annotations

import pytest
from ansible.module_utils.stack.guard import GuardError, check_account, check_endpoints, check_profile, is_loopback

LAB = ["http://127.0.0.1:4600", "http://127.0.0.1:4600/"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:4600", "http://127.8.8.8", "http://localhost:1", "http://[::1]:4600"])
def test_loopback_addresses_are_this_computer(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    ["https://ec2.ap-northeast-1.amazonaws.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://localhost.example.com", ""],
)
def test_other_addresses_are_not(url: str) -> None:
    assert not is_loopback(url)


def test_the_lab_refuses_one_endpoint_elsewhere_among_many() -> None:
    with pytest.raises(GuardError) as refused:
        check_endpoints("lab", [*LAB, "https://iam.amazonaws.com"])
    assert str(refused.value) == (
        "stack_target is 'lab' but requests would go to https://iam.amazonaws.com, which is not a loopback address: nothing was sent. "
        "Set AWS_ENDPOINT_URL to the lab's (`python -m lab status` tells it) or unset it; "
        "for AWS set stack_target: aws and stack_account_id in the inventory"
    )


def test_aws_may_be_anywhere_and_the_lab_on_loopback() -> None:
    check_endpoints("aws", ["https://ec2.ap-northeast-1.amazonaws.com"])
    check_endpoints("lab", LAB)


def test_a_profile_that_no_file_knows_is_refused_with_where_to_get_one() -> None:
    check_profile("lab", None, [])
    check_profile("lab", "student", ["lab", "student"])
    with pytest.raises(GuardError, match="stack_lab_profile is 'student': the lab has no such user"):
        check_profile("lab", "student", ["lab"])
    with pytest.raises(GuardError, match="AWS_PROFILE is 'work': no such profile in your AWS configuration"):
        check_profile("aws", "work", [])


def test_another_account_is_refused_by_both_numbers() -> None:
    with pytest.raises(GuardError) as refused:
        check_account("aws", "111122223333", lambda: "444455556666")
    assert str(refused.value) == (
        "stack_account_id is '111122223333' but the credentials belong to account 444455556666: nothing was changed. "
        "Choose other credentials (AWS_PROFILE) or correct stack_account_id in the inventory"
    )


def test_the_lab_asks_for_no_account() -> None:
    def fail() -> str:
        raise AssertionError("no request may be sent")

    check_account("lab", "123456789012", fail)
