"""The load balancer layer of `uda` with tests/stacks/https.yml: its roles' arguments, and the same made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.plan import certificates, families, listeners, load_balancer, log_bucket
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.model import Change, Unknown
from ansible.module_utils.stack import read
from ansible.module_utils.stack.listener_words import group_attributes, listeners_of
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from tests.lab.certificates import Signed

from .wanted import ROOT, served, trusted

REGION, ACCOUNT, BUCKET = "ap-northeast-1", "123456789012", "uda-logs-123456789012"
TAGS = {"Stack": "uda", "Environment": "dev", "ManagedBy": "ansible"}


def inventory() -> dict[str, Any]:
    """The stack's variables, with one name for each certificate, as tests.lab.certificates makes them."""
    variables = served() | {"stack_name": "uda", "stack_region": REGION, "certificate_renew_days": 30, "alb_access_logs_bucket": BUCKET}
    for entry in variables["certificate_map"].values():
        entry["names"] = entry["names"][:1]
    return variables


def calls(variables: Mapping[str, Any], keys: Path, ids: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The layer's roles with their arguments, as the plan evaluates them."""
    given = {
        "certificate": {"certificate_prefix": "uda", "certificate_directory": str(keys), "certificate_tags": TAGS},
        "log_bucket": {"log_bucket_account_id": ACCOUNT, "log_bucket_region": REGION, "log_bucket_tags": TAGS},
        "alb": {"alb_tags": TAGS, **ids},
    }
    found = []
    for role, more in given.items():
        everything: dict[str, Any] = {}
        for source in (of_role(role, "defaults"), variables, of_role(role, "vars"), more):
            everything |= {name: value for name, value in source.items() if name.startswith((f"{role}_", f"__{role}_"))}
        templar = Templar(DataLoader(), variables=trusted(everything))
        found.append((role, {name: evaluated(templar, value, name) for name, value in everything.items()}))
    return found


def evaluated(templar: Templar, value: Any, name: str) -> Any:
    """What hangs on an earlier task's result is not known before the run."""
    try:
        return templar.template(trusted(value))
    except AnsibleError:
        return Unknown(name)


def of_role(role: str, folder: str) -> dict[str, Any]:
    path = ROOT / "roles" / role / folder / "main.yml"
    return dict(yaml.safe_load(path.read_text())) if path.exists() else {}


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Account:
    """What stands, by its names; `clients` as stack.read takes them."""

    def __init__(self, clients: Mapping[str, Any]) -> None:
        self.clients = clients
        self.elbv2, self.acm, self.s3, self.ec2 = (clients[name] for name in ("elbv2", "acm", "s3", "ec2"))

    @property
    def balancer(self) -> str:
        return str(self.elbv2.describe_load_balancers(Names=["uda-alb"])["LoadBalancers"][0]["LoadBalancerArn"])

    def group(self, name: str = "uda-target-group") -> str:
        return str(self.elbv2.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, port: int = 443) -> str:
        found = self.elbv2.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        return str(next(one["ListenerArn"] for one in found if one["Port"] == port))

    def rule(self, priority: int) -> str:
        found = self.elbv2.describe_rules(ListenerArn=self.listener())["Rules"]
        return str(next(one["RuleArn"] for one in found if one["Priority"] == str(priority)))

    def certificate(self, name: str = "uda-site") -> str:
        found = read.certificates(self.acm, "uda")
        return str(next(one["CertificateArn"] for one in found if {"Key": "Name", "Value": name} in one["Tags"]))

    def found(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the plan reads of this layer, through JSON as a module's answer goes."""
        elbv2 = self.elbv2
        told: dict[str, Any] = {
            "load_balancers": read.tagged(elbv2, "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", "uda"),
            "target_groups": read.tagged(elbv2, "describe_target_groups", "TargetGroups", "TargetGroupArn", "uda"),
            "certificates": read.certificates(self.acm, "uda"),
            "buckets": read.buckets(self.s3, "uda"),
        }
        for family in (certificates, log_bucket, load_balancer, listeners):
            told |= {name: call() for name, call in family.details(self.clients, told, variables).items()}
        return dict(json.loads(json.dumps(told, default=str)))

    def planned(self, variables: Mapping[str, Any], roles: list[tuple[str, dict[str, Any]]]) -> list[Change]:
        told = self.found(variables)
        finds = (certificates.found_certificates, log_bucket.found_log_bucket, load_balancer.found_load_balancer, listeners.found_listeners)
        return compare(families.want(roles), [resource for find in finds for resource in find(told)], families.KINDS)


def provide(account: Account, variables: Mapping[str, Any], keys: Path, ids: Mapping[str, Any], policy: Mapping[str, Any]) -> None:
    """What the layer's roles do, in AWS's words."""
    elbv2, s3 = account.elbv2, account.s3
    arns = {key: imported(account, keys, key, entry["names"][0]) for key, entry in variables["certificate_map"].items()}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration=encryption)
    s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    rule = {"ID": "old-logs", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": pairs(TAGS | {"Name": BUCKET, "Role": "logs", "Key": "logs"})})
    groups = {}
    for key, group in variables["alb_target_groups"].items():
        check = group["health_check"]
        made = elbv2.create_target_group(
            Name=group["name"], Protocol="HTTP", Port=group["port"], VpcId=ids["alb_vpc_id"],
            TargetType=group.get("target_type", "instance"),
            HealthCheckProtocol="HTTP", HealthCheckPort=str(check.get("port", "traffic-port")), HealthCheckPath=check["path"],
            HealthCheckIntervalSeconds=check.get("interval", 30), HealthCheckTimeoutSeconds=check.get("timeout", 5),
            HealthyThresholdCount=check.get("healthy_threshold", 5), UnhealthyThresholdCount=check.get("unhealthy_threshold", 2),
            Matcher={"HttpCode": "200"}, Tags=pairs(TAGS | {"Name": group["name"], "Role": "load_balancer", "Key": key}),
        )  # fmt: skip
        groups[key] = made["TargetGroups"][0]["TargetGroupArn"]
        elbv2.modify_target_group_attributes(TargetGroupArn=groups[key], Attributes=pairs(group_attributes(group)))
    made = elbv2.create_load_balancer(
        Name="uda-alb", Subnets=ids["alb_subnet_ids"], SecurityGroups=ids["alb_security_group_ids"], Scheme="internet-facing",
        IpAddressType="ipv4", Tags=pairs(TAGS | {"Name": "uda-alb", "Role": "load_balancer"}),
    )  # fmt: skip
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = {
        "idle_timeout.timeout_seconds": "50", "routing.http.drop_invalid_header_fields.enabled": "true",
        "access_logs.s3.enabled": "true", "access_logs.s3.bucket": BUCKET, "access_logs.s3.prefix": "alb",
    }  # fmt: skip
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=pairs(attributes))
    for listener in listeners_of(variables["alb_listeners"], groups, arns):
        rules, served = listener.pop("Rules"), listener.pop("Certificates", [])
        created = elbv2.create_listener(LoadBalancerArn=balancer, **listener, **({"Certificates": served[:1]} if served else {}))
        arn = created["Listeners"][0]["ListenerArn"]
        for rule in rules:
            elbv2.create_rule(ListenerArn=arn, **rule | {"Priority": int(rule["Priority"])})
        for one in served[1:]:
            elbv2.add_listener_certificates(ListenerArn=arn, Certificates=[one])


def imported(account: Account, keys: Path, key: str, name: str) -> str:
    signed = Signed(keys / "authority", name)
    (keys / f"uda-{key}.crt").write_text(signed.certificate)
    (keys / "ca.crt").write_text(signed.authority)
    tags = pairs(TAGS | {"Name": f"uda-{key}", "Role": "load_balancer", "Key": key})
    return str(account.acm.import_certificate(**signed.imported(), Tags=tags)["CertificateArn"])


def told(changes: list[Change]) -> list[tuple[str, str, str, set[str]]]:
    """Action, kind and key, and of updates the fields."""
    return [
        (item.action, item.resource.kind, item.resource.key, {one.field for one in item.differences if item.action == "update"})
        for item in changes
    ]
