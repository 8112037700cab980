"""Every wrong input is told by variable, value and remedy: the table is what users see."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.stack.validate import validate

from .wanted import changed, wanted

SUBNETS = "vpc_subnets.public_2"
CHECK = "alb_target_groups.web.health_check"
NAME_RULE = "Use 1 to 32 letters, digits and hyphens, no hyphen at either end, not internal- first"
WEB_RULE = "security_groups_map.web.ingress"

WRONG = [
    ("stack_name", "Uda Stack", "stack_name is 'Uda Stack': not a name that AWS takes. "
     "Use 1 to 20 lower-case letters, digits and hyphens, a letter first"),
    ("stack_target", "prod", "stack_target is 'prod': unknown. Choose lab or aws"),
    ("stack_account_id", "12345", "stack_account_id is '12345': not an account id. Give the 12 digits of the account, in quotes"),
    ("stack_app.runtime", "cobol", "stack_app.runtime is 'cobol': unknown runtime. Choose one of django, node"),
    ("stack_delivery", "carrier", "stack_delivery is 'carrier': unknown. Choose one of image, plain, pull"),
    ("stack_delivery", "pull", "stack_app.runtime is 'django': not made for stack_delivery pull. Choose one of node"),
    ("stack_compute", "lambda", "stack_compute is 'lambda': unknown. Choose one of containers, fleet"),
    ("stack_app.name", "Uda!", "stack_app.name is 'Uda!': no name for a system user and its units. "
     "Use lower-case letters, digits and hyphens"),
    ("stack_operator_cidrs", ["203.0.113.300/32"],
     "stack_operator_cidrs[0] is '203.0.113.300/32': not a range of IPv4 addresses. Use a form such as 203.0.113.10/32"),
    ("stack_database_tier", "isolated",
     "stack_database_tier is 'isolated': no subnet in vpc_subnets is of this tier. Choose one of private, public"),
    ("vpc_cidr", "10.0.0.0/15", "vpc_cidr is '10.0.0.0/15': a /15 is not allowed by AWS. Choose a prefix from /16 to /28"),
    ("vpc_cidr", "10.0.0.0/29", "vpc_cidr is '10.0.0.0/29': a /29 is not allowed by AWS. Choose a prefix from /16 to /28"),
    ("vpc_cidr", "10.0.0.1/16", "vpc_cidr is '10.0.0.1/16': the address has bits beyond its prefix. Did you mean 10.0.0.0/16?"),
    ("vpc_cidr", "ten", "vpc_cidr is 'ten': not a range of IPv4 addresses. Use a form such as 10.0.0.0/16"),
    (f"{SUBNETS}.cidr", "10.1.0.0/24",
     f"{SUBNETS}.cidr is '10.1.0.0/24': outside vpc_cidr 10.0.0.0/16. Choose a range inside it"),
    (f"{SUBNETS}.cidr", "10.0.0.128/25",
     f"{SUBNETS}.cidr is '10.0.0.128/25': overlaps vpc_subnets.public_1.cidr 10.0.0.0/24. Give each subnet a range of its own"),
    (f"{SUBNETS}.az", "ap-northeast-1b", f"{SUBNETS}.az is 'ap-northeast-1b': ap-northeast-1 has no such availability zone. "
     "Choose one of ap-northeast-1a, ap-northeast-1c, ap-northeast-1d"),
    (f"{SUBNETS}.az", "us-east-1a",
     f"{SUBNETS}.az is 'us-east-1a': no availability zone of stack_region ap-northeast-1. Use a name such as ap-northeast-1a"),
    (f"{SUBNETS}.az", "ap-northeast-1a", "stack_load_balancer_tier is 'public': its subnets are all in ap-northeast-1a. "
     "A load balancer needs subnets in two availability zones: add one in another"),
    ("vpc_subnets.private_2.az", "ap-northeast-1c", "stack_database_tier is 'private': its subnets are all in ap-northeast-1c. "
     "A database needs subnets in two availability zones: add one in another"),
    (f"{SUBNETS}.cidr", None, f"{SUBNETS}: missing required arguments: cidr"),
    (f"{SUBNETS}.zone", "a", f"{SUBNETS}: zone. Supported parameters include: az, cidr, name, public_addresses, tier."),
    ("vpc_route_tables.private.tier", "public", "vpc_route_tables.private.tier is 'public': "
     "vpc_route_tables.public serves this tier already. Keep one route table for each tier"),
    ("vpc_internet_gateway_name", "",
     "vpc_route_tables.public.internet is True: there is no internet gateway. Set vpc_internet_gateway_name"),
    (f"{WEB_RULE}.0.group", "balancer", "security_groups_map.web.ingress[0].group is 'balancer': no such group in security_groups_map. "
     "Choose one of database, load_balancer, web"),
    ("stack_builder_group", "builder", "stack_builder_group is 'builder': no such group in security_groups_map. "
     "Choose one of database, load_balancer, web"),
    (f"{WEB_RULE}.0.port", 70000, "security_groups_map.web.ingress[0].port is 70000: no port. Choose 1 to 65535"),
    (f"{WEB_RULE}.0.cidrs", ["10.0.0.0/16"], "security_groups_map.web.ingress[0] is {'group': 'load_balancer', 'cidrs': ['10.0.0.0/16']}: "
     "a rule needs one of group and cidrs. Give exactly one of them"),
    (f"{WEB_RULE}.1.cidrs", ["0.0.0.0/0"], "security_groups_map.web.ingress[1].cidrs is '0.0.0.0/0': "
     "SSH would be open to the whole internet. Name your own addresses, such as stack_operator_cidrs"),
    ("security_groups_map.web.name", "sg-web",
     "security_groups_map.web.name is 'sg-web': not a name that AWS takes. Use 1 to 255 letters, digits and ._-, not sg- first"),
    ("alb_name", "a" * 33, f"alb_name is '{'a' * 33}': not a name that AWS takes. {NAME_RULE}"),
    ("alb_name", "internal-uda", f"alb_name is 'internal-uda': not a name that AWS takes. {NAME_RULE}"),
    ("alb_target_groups.web.name", "uda_target_group",
     f"alb_target_groups.web.name is 'uda_target_group': not a name that AWS takes. {NAME_RULE}"),
    (f"{CHECK}.healthy_threshold", 1, f"{CHECK}.healthy_threshold is 1: out of range. Choose 2 to 10"),
    (f"{CHECK}.interval", 4, f"{CHECK}.interval is 4: out of range. Choose 5 to 300 seconds"),
    (f"{CHECK}.timeout", 10,
     f"{CHECK}.timeout is 10: not below the interval of 10 seconds. Choose a smaller timeout or a larger interval"),
    (f"{CHECK}.path", "health", f"{CHECK}.path is 'health': not a path. Begin it with /"),
    ("alb_listeners.http.target_group", "api",
     "alb_listeners.http.target_group is 'api': no such group in alb_target_groups. Choose one of web"),
    ("rds_identifier", "uda_psql_db", "rds_identifier is 'uda_psql_db': not a name that AWS takes. "
     "Use 1 to 63 lower-case letters, digits and hyphens, a letter first, no two hyphens together or one at the end"),
    ("rds_database", "uda-psql-db",
     "rds_database is 'uda-psql-db': not a name that AWS takes. Use 1 to 63 letters, digits and underscores, a letter first"),
    ("rds_username", "admin", "rds_username is 'admin': reserved by postgres on RDS. Choose another name"),
    ("rds_instance_class", "t4g.micro",
     "rds_instance_class is 't4g.micro': not a name that AWS takes. Use a class such as db.t4g.micro"),
    ("rds_port", 80, "rds_port is 80: out of range. Choose 1150 to 65535"),
    ("launch_template_instance_type", "t3micro",
     "launch_template_instance_type is 't3micro': not a name that AWS takes. Use a type such as t3.micro"),
    ("asg_min_size", 5, "asg_min_size is 5: above asg_max_size 4. Lower it or raise asg_max_size"),
    ("asg_desired_capacity", 5, "asg_desired_capacity is 5: not between asg_min_size 2 and asg_max_size 4. Choose one between them"),
    ("ami_keep", 1, "ami_keep is 1: out of range. Choose 2 to 100 images"),
    ("asg_max_size", None, "asg_max_size is not set. Set it in the inventory, in group_vars/stack/"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[f"{path}={value}"[:60] for path, value, _ in WRONG])
def test_a_wrong_value_is_told(path: str, value: Any, message: str) -> None:
    assert message in validate(changed(path, value))


@pytest.mark.parametrize("region", ["ap-northest-1"])
def test_an_unknown_region_is_told_with_the_nearest_one(region: str) -> None:
    lines = validate(changed("stack_region", region))
    assert "stack_region is 'ap-northest-1': no such region. Did you mean ap-northeast-1?" in lines


def test_the_reference_stack_is_right() -> None:
    assert validate(wanted()) == []


def test_all_problems_are_told_at_once() -> None:
    both = {**changed("vpc_cidr", "ten"), "alb_name": "internal-uda"}
    assert [line.split(" ")[0] for line in validate(both)] == ["vpc_cidr", "alb_name"]
