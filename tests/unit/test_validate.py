"""Every wrong input is told by variable, value and remedy: the table is what users see."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.module_utils.stack.check_machine import SYSTEMS
from ansible.module_utils.stack.validate import validate

from .wanted import INVENTORIES, ROOT, changed, wanted

SUBNETS = "vpc_subnets.public_2"
CHECK = "alb_target_groups.web.health_check"
NAME_RULE = "Use 1 to 32 letters, digits and hyphens, no hyphen at either end, not internal- first"
WEB_RULE = "security_groups_map.web.ingress"

WRONG = [
    ("stack_name", "Uda Stack", "stack_name is 'Uda Stack': not a name that AWS takes. "
     "Use 1 to 20 lower-case letters, digits, hyphens and underscores, a letter first"),
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
     "vpc_route_tables.public serves the subnet public_2 already. Keep one route table for each subnet"),
    ("vpc_internet_gateway_name", "",
     "vpc_route_tables.public.internet is True: there is no internet gateway. Set vpc_internet_gateway_name"),
    (f"{WEB_RULE}.0.group", "balancer", "security_groups_map.web.ingress[0].group is 'balancer': no such group in security_groups_map. "
     "Choose one of database, load_balancer, web"),
    ("stack_builder_group", "builder", "stack_builder_group is 'builder': no such group in security_groups_map. "
     "Choose one of database, load_balancer, web"),
    ("stack_bastion", True, "stack_bastion is True: security_groups_map has no group bastion. "
     "Add one that admits SSH from stack_operator_cidrs"),
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
    ("rds_allocated_storage", 5, "rds_allocated_storage is 5: out of range. Choose 20 to 65536 GiB of gp2"),
    ("rds_parameters", {"work_mem": 64},
     "rds_parameters is {'work_mem': 64}: there is no group to set them in. Set rds_parameter_group_name"),
    ("rds_parameter_group_name", "uda_group", "rds_parameter_group_name is 'uda_group': not a name that AWS takes. "
     "Use 1 to 255 lower-case letters, digits and hyphens, a letter first, no two hyphens together or one at the end"),
    ("rds_parameter_group_name", "uda", "rds_parameter_group_family is None: no family of postgres. Use a name such as postgres16"),
    ("rds_port", 80, "rds_port is 80: out of range. Choose 1150 to 65535"),
    ("launch_template_instance_type", "t3micro",
     "launch_template_instance_type is 't3micro': not a name that AWS takes. Use a type such as t3.micro"),
    ("asg_min_size", 5, "asg_min_size is 5: above asg_max_size 4. Lower it or raise asg_max_size"),
    ("asg_desired_capacity", 5, "asg_desired_capacity is 5: not between asg_min_size 2 and asg_max_size 4. Choose one between them"),
    ("ami_keep", 1, "ami_keep is 1: out of range. Choose 2 to 100 images"),
    ("asg_instance_types", ["t2nano"],
     "asg_instance_types[0] is 't2nano': not a name that AWS takes. Use a type such as t3.micro"),
    ("asg_policies", {"cpu": {"type": "predictive"}},
     "asg_policies.cpu: value of type must be one of: target_tracking, step, simple, got: predictive"),
    ("asg_policies", {"cpu": {"type": "target_tracking"}},
     "asg_policies.cpu.target is not set: a policy of type target_tracking needs it"),
    ("asg_policies", {"cpu": {"type": "target_tracking", "target": 120}},
     "asg_policies.cpu.target is 120.0: no percentage that CPU can be held at. Choose 1 to 100"),
    ("asg_policies", {"load": {"type": "target_tracking", "metric": "requests", "target": 0}},
     "asg_policies.load.target is 0.0: not above zero. Give the requests per target and minute"),
    ("asg_policies", {"out": {"type": "step", "alarm": {"above": 70}}},
     "asg_policies.out.steps is not set: a policy of type step needs it"),
    ("asg_policies", {"out": {"type": "simple", "adjustment": 1, "alarm": {"above": 70, "period": 45}}},
     "asg_policies.out.alarm.period is 45: no period of CloudWatch. Choose 10, 20, 30 or a multiple of 60 seconds"),
    ("asg_policies", {"out": {"type": "simple", "adjustment": 1, "alarm": {"above": 50}},
                      "in": {"type": "simple", "adjustment": -1, "alarm": {"below": 70}}},
     "asg_policies.in.alarm.below is 70.0: not below asg_policies.out.alarm.above 50.0, so the group would swing between the two. "
     "Leave a gap, such as 50 and 70"),
    ("watch_emails", ["operations"], "watch_emails[0] is 'operations': no e-mail address. Use a form such as operations@example.com"),
    ("watch_topic_name", "alarms",
     "watch_topic_name is 'alarms': not named after the stack, by which it is found again. Begin it with uda-"),
    ("watch_cpu_percent", 0, "watch_cpu_percent is 0: out of range. Choose 1 to 100 percent"),
    ("watch_log_retention", 10, "watch_log_retention is 10: no retention of CloudWatch Logs. "
     "Choose one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653 days"),
    ("watch_log_groups", {"app": {"name": "/students/app"}},
     "watch_log_groups.app.name is '/students/app': not below the stack's path. Begin it with /uda/"),
    ("watch_alarms", {"slow": {"namespace": "AWS/EC2", "metric": "CPUUtilization", "dimensions": {}}},
     "watch_alarms.slow is {'namespace': 'AWS/EC2', 'metric': 'CPUUtilization', 'dimensions': {}}: "
     "an alarm needs one of above and below. Give one of them"),
    ("stack_os", "debian11", "stack_os is 'debian11': unknown. Choose one of al2023, debian12, debian13, ubuntu2204, ubuntu2404"),
    ("stack_os", "al2023", "stack_os is 'al2023': the lab has no image of it. Choose debian12, or stack_target: aws"),
    ("iam_existing_instance_profile", "arn:aws:iam::123456789012:instance-profile/LabInstanceProfile",
     "iam_existing_instance_profile is 'arn:aws:iam::123456789012:instance-profile/LabInstanceProfile': an ARN where a name is expected. "
     "Use its last part: LabInstanceProfile"),
    ("iam_existing_instance_profile", "Lab Profile", "iam_existing_instance_profile is 'Lab Profile': not a name that AWS takes. "
     "Use 1 to 128 letters, digits and _+=,.@-"),
    ("stack_role_name", "a" * 65, f"stack_role_name is '{'a' * 65}': not a name that AWS takes. Use 1 to 64 letters, digits and _+=,.@-"),
    ("key_pair_existing", "clé", "key_pair_existing is 'clé': not a name that AWS takes. Use at most 255 ASCII characters"),
    ("rds_engine_version", "fifteen",
     "rds_engine_version is 'fifteen': no version. Use a major or a whole one in quotes, such as '15' or '15.12'"),
    ("asg_max_size", None, "asg_max_size is not set. Set it in the inventory, in group_vars/stack/"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[f"{path}={value}"[:60] for path, value, _ in WRONG])
def test_a_wrong_value_is_told(path: str, value: Any, message: str) -> None:
    assert message in validate(changed(path, value))


def test_an_alarm_on_more_free_storage_than_there_is_is_told() -> None:
    [line] = validate({**wanted(), "watch_database_free_storage_gib": 20, "rds_allocated_storage": 20})
    wrong = "not below rds_allocated_storage 20, so the alarm would never be quiet"
    assert line == f"watch_database_free_storage_gib is 20: {wrong}. Choose a smaller size"


@pytest.mark.parametrize("region", ["ap-northest-1"])
def test_an_unknown_region_is_told_with_the_nearest_one(region: str) -> None:
    lines = validate(changed("stack_region", region))
    assert "stack_region is 'ap-northest-1': no such region. Did you mean ap-northeast-1?" in lines


def test_every_system_that_is_accepted_is_described() -> None:
    described = yaml.safe_load((ROOT / "group_vars/all/machine.yml").read_text())["__stack_oses"]
    assert set(SYSTEMS) == set(described)


APT = "Choose one of debian12, debian13, ubuntu2204, ubuntu2404"
IMPOSSIBLE: list[tuple[str, dict[str, Any], list[str]]] = [
    ("al2023", {}, []),
    ("ubuntu2204", {"stack_delivery": "image"}, []),
    ("ubuntu2204", {"stack_delivery": "plain"},
     ["stack_os is 'ubuntu2204': not made for stack_delivery plain. Choose one of debian12, debian13, ubuntu2404"]),
    ("al2023", {"stack_delivery": "plain"},
     ["stack_os is 'al2023': not made for stack_delivery plain. Choose one of debian12, debian13, ubuntu2404"]),
    ("al2023", {"stack_delivery": "pull", "stack_app": {"runtime": "node"}},
     [f"stack_os is 'al2023': not made for stack_delivery pull. {APT}",
      f"stack_os is 'al2023': not made for stack_app.runtime node. {APT}"]),
    ("al2023", {"cloudwatch_agent_enabled": True}, [f"stack_os is 'al2023': not made for cloudwatch_agent_enabled. {APT}"]),
    ("al2023", {"stack_bastion": "yes"}, [f"stack_os is 'al2023': not made for stack_bastion. {APT}"]),
    ("al2023", {"stack_compute": "containers", "stack_delivery": "plain"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("system", "more", "lines"), IMPOSSIBLE)
def test_a_system_that_does_not_go_with_the_rest_is_told(system: str, more: dict[str, Any], lines: list[str]) -> None:
    assert [line for line in validate({**changed("stack_target", "aws"), **more, "stack_os": system}) if "stack_os" in line] == lines


def test_a_user_of_the_lab_is_none_of_aws() -> None:
    lines = validate({**changed("stack_target", "aws"), "stack_lab_profile": "student"})
    assert lines == [
        "stack_lab_profile is 'student': a user of the lab, while stack_target is aws. Leave it out; AWS_PROFILE chooses credentials on AWS"
    ]
    assert validate({**wanted(), "stack_lab_profile": "student"}) == []


@pytest.mark.parametrize("stack", sorted(path.name for path in INVENTORIES.iterdir() if path.name != "template"))
def test_the_reference_stacks_are_right(stack: str) -> None:
    assert validate(wanted(stack)) == []


BUCKET_RULE = (
    "Use 3 to 63 lower-case letters, digits and hyphens, no hyphen at either end, none of the beginnings and ends that S3 keeps for itself"
)
PATH_RULE = "Use a path such as /shop/dev, of letters, digits and _.-, without a slash at its end"

WRONG_FOR_PULL = [
    *[
        ("stack_deploy_bucket", name, f"stack_deploy_bucket is '{name}': not a name that AWS takes. {BUCKET_RULE}")
        for name in ("tastylog-Dev", "tastylog-a.b", "tastylog-a_b", "tastylog-", "tastylog-" + 55 * "a", "tastylog-s3alias", "xn--a")
    ],
    ("stack_deploy_bucket", "deploy", "stack_deploy_bucket is 'deploy': could not be found again. Begin it with tastylog-"),
    ("stack_parameters_path", "tastylog", f"stack_parameters_path is 'tastylog': not a name that AWS takes. {PATH_RULE}"),
    ("stack_parameters_path", "/tastylog/", f"stack_parameters_path is '/tastylog/': not a name that AWS takes. {PATH_RULE}"),
    ("stack_parameters_path", "/AWS/x",
     "stack_parameters_path is '/AWS/x': kept by AWS for itself. Begin it with another word than aws or ssm"),
    ("stack_parameters", {"db-host": "x"},
     "stack_parameters.db-host is 'db-host': no name of an environment variable. Use letters, digits and underscores, no digit first"),
    ("stack_parameters_secrets", {"A": {"name": "x"}},
     "stack_parameters_secrets.A is {'name': 'x'}: not a value of a secret. Give it the keys secret and key"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value", "message"), WRONG_FOR_PULL, ids=[f"{name}={value}"[:60] for name, value, _ in WRONG_FOR_PULL]
)
def test_what_machines_fetch_is_checked_where_they_fetch(variable: str, value: Any, message: str) -> None:
    assert message in validate(wanted("tastylog") | {variable: value})
    assert message not in validate(wanted("uda") | {variable: value})


def test_all_problems_are_told_at_once() -> None:
    both = {**changed("vpc_cidr", "ten"), "alb_name": "internal-uda"}
    assert [line.split(" ")[0] for line in validate(both)] == ["vpc_cidr", "alb_name"]


@pytest.mark.parametrize(
    ("size", "kind", "wrong"),
    [(5, "standard", False), (4, "standard", True), (4000, "standard", True), (4000, "gp3", False), (5, "gp3", True)],
)
def test_each_kind_of_storage_has_its_sizes(size: int, kind: str, wrong: bool) -> None:
    lines = validate({**wanted(), "rds_allocated_storage": size, "rds_storage_type": kind})
    assert any(line.startswith("rds_allocated_storage") for line in lines) is wrong


def test_only_a_borrowed_database_is_given_back_and_its_storage_is_not() -> None:
    former = {"instance_class": "db.t3.micro", "multi_az": False}
    assert validate({**wanted(), "rds_borrowed": True, "rds_former": former}) == []
    assert [line.split(" is ")[0] for line in validate({**wanted(), "rds_former": former})] == ["rds_former"]
    (line,) = validate({**wanted(), "rds_borrowed": True, "rds_former": {"allocated_storage": 5}})
    assert line == (
        "rds_former.allocated_storage is 5: cannot be given back. "
        "Choose from backup_retention_period, deletion_protection, instance_class, multi_az"
    )


def test_a_borrowed_databases_storage_is_judged_by_aws_when_its_kind_is_not_known() -> None:
    assert validate({**wanted(), "rds_borrowed": True, "rds_allocated_storage": 5}) == []
