"""The operator's proxy reaches the lab's public names and addresses, and nothing else."""

from __future__ import annotations

from lab.proxy import destination

NAMES = {"web.elb.amazonaws.com": ["54.1.1.1", "54.1.1.2"]}


def test_a_public_name_of_the_lab_is_reached_at_its_first_address() -> None:
    assert destination("Web.elb.amazonaws.com.", NAMES) == "54.1.1.1"


def test_a_public_address_of_the_lab_is_reached() -> None:
    assert destination("54.1.1.2", NAMES) == "54.1.1.2"


def test_other_names_and_addresses_are_not_even_looked_up() -> None:
    assert destination("other.elb.amazonaws.com", NAMES) is None
    assert destination("203.0.113.80", NAMES) is None
