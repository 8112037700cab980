"""Instance metadata lists and answers as EC2's does; the resolver answers for the lab's names only."""

from __future__ import annotations

import base64

from dnslib import DNSRecord

from lab.dns import resolve
from lab.imds import answer, decoded

TREE = {"meta-data/instance-id": "i-1", "meta-data/placement/region": "eu-west-1", "user-data": "#!/bin/sh"}


def test_a_leaf_answers_with_its_content() -> None:
    assert answer(TREE, "/meta-data/instance-id") == "i-1"


def test_a_directory_lists_what_is_below_it() -> None:
    assert answer(TREE, "/meta-data/") == "instance-id\nplacement/"


def test_an_unknown_path_has_no_answer() -> None:
    assert answer(TREE, "/meta-data/nothing") is None


def test_user_data_arrives_decoded() -> None:
    assert decoded(base64.b64encode(b"#!/bin/sh\n").decode()) == "#!/bin/sh\n"
    assert decoded("#!/bin/sh\n") == "#!/bin/sh\n"


def test_a_name_of_the_lab_is_answered() -> None:
    reply = resolve(DNSRecord.question("db.rds.amazonaws.com"), {"db.rds.amazonaws.com": ["10.0.2.4"]})
    assert reply is not None
    assert [str(found.rdata) for found in reply.rr] == ["10.0.2.4"]


def test_a_name_of_the_lab_has_no_ipv6_address_but_exists() -> None:
    reply = resolve(DNSRecord.question("db.rds.amazonaws.com", "AAAA"), {"db.rds.amazonaws.com": ["10.0.2.4"]})
    assert reply is not None
    assert reply.rr == []
    assert reply.header.rcode == 0


def test_other_names_are_left_to_the_hosts_resolver() -> None:
    assert resolve(DNSRecord.question("debian.org"), {}) is None
