"""What somebody changes of the load balancer layer of tests/unit/balancer.py, and what the plan tells of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ansible.module_utils.plan import families

from tests.lab.certificates import Signed

from .balancer import BUCKET, Account, pairs

OTHER = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418", "ContentType": "text/plain"}}]


@dataclass(frozen=True)
class Mutation:
    """A change by somebody else, and what the plan must say of it: action, kind and key, and the fields of an update."""

    name: str
    make: Callable[[Account], Any]
    kind: str
    key: str
    fields: frozenset[str]
    action: str = "update"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def group_check(**words: Any) -> Mutation:
    def make(account: Account) -> None:
        account.elbv2.modify_target_group(TargetGroupArn=account.group(), **words)

    return Mutation(", ".join(words), make, "target_group", "web", frozenset({"health_check"}))


def group_attribute(fields: str, **attributes: str) -> Mutation:
    given = {name.replace("__", "."): value for name, value in attributes.items()}

    def make(account: Account) -> None:
        account.elbv2.modify_target_group_attributes(TargetGroupArn=account.group(), Attributes=pairs(given))

    return Mutation(", ".join(given), make, "target_group", "web", frozenset(fields.split()))


def balancer_attribute(field: str, name: str, value: str) -> Mutation:
    def make(account: Account) -> None:
        account.elbv2.modify_load_balancer_attributes(LoadBalancerArn=account.balancer, Attributes=pairs({name: value}))

    return Mutation(name, make, "load_balancer", "uda-alb", frozenset({field}))


def tagged(kind: str, key: str, arn: Callable[[Account], str]) -> list[Mutation]:
    """Tags added, changed and taken away."""

    def change(account: Account, **tags: str) -> None:
        account.elbv2.add_tags(ResourceArns=[arn(account)], Tags=pairs(tags))

    def remove(account: Account) -> None:
        account.elbv2.remove_tags(ResourceArns=[arn(account)], TagKeys=["Environment"])

    fields = frozenset({"tags"})
    return [
        Mutation("tag added", partial(change, Owner="somebody"), kind, key, fields),
        Mutation("tags Name and Role changed", partial(change, Name="x", Role="x"), kind, key, fields),
        Mutation("tag removed", remove, kind, key, fields),
    ]


def listener(name: str, fields: str, make: Callable[[Account], Any], key: str = "https", action: str = "update") -> Mutation:
    return Mutation(name, make, "listener", key, frozenset(fields.split()), action)


def rule(name: str, key: str, fields: str, make: Callable[[Account], Any], action: str = "update") -> Mutation:
    return Mutation(name, make, "listener_rule", key, frozenset(fields.split()), action)


def bucket(name: str, field: str, operation: str, **words: Any) -> Mutation:
    def make(account: Account) -> None:
        getattr(account.s3, operation)(Bucket=BUCKET, **words)

    return Mutation(f"{name} ({operation})", make, "log_bucket", "logs", frozenset({field}))


def lifecycle(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"Rules": list(rules)}


def modify_listener(account: Account, port: int = 443, **words: Any) -> None:
    account.elbv2.modify_listener(ListenerArn=account.listener(port), **words)


def modify_rule(account: Account, priority: int, **words: Any) -> None:
    account.elbv2.modify_rule(RuleArn=account.rule(priority), **words)


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def to_https(account: Account) -> None:
    modify_listener(
        account, 80, Protocol="HTTPS", SslPolicy="ELBSecurityPolicy-2016-08", Certificates=[{"CertificateArn": account.certificate()}]
    )


def forward(account: Account, **weights: int) -> list[dict[str, Any]]:
    names = {"web": "uda-target-group", "spare": "uda-spare"}
    groups = [{"TargetGroupArn": account.group(names[key]), "Weight": weight} for key, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def another_key(account: Account) -> None:
    account.elbv2.add_tags(ResourceArns=[account.group()], Tags=pairs({"Key": "x"}))


def sticky(account: Account) -> list[dict[str, Any]]:
    (action,) = forward(account, web=9, spare=1)
    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": 60}
    return [action]


def certificate_tags(account: Account, **tags: str) -> None:
    account.acm.add_tags_to_certificate(CertificateArn=account.certificate(), Tags=pairs(tags))


def untagged(account: Account) -> None:
    account.acm.remove_tags_from_certificate(CertificateArn=account.certificate(), Tags=pairs({"Environment": "dev"}))


def another_certificate(account: Account) -> None:
    """A stranger's certificate under the ARN of ours."""
    with tempfile.TemporaryDirectory() as folder:
        signed = Signed(Path(folder), "evil.example.com")
    account.acm.import_certificate(**signed.imported(), CertificateArn=account.certificate())


OLD_LOGS = {"ID": "old-logs", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}}
PUT_LIFECYCLE = "put_bucket_lifecycle_configuration"
ELSEWHERE = [
    {
        "Type": "redirect",
        "RedirectConfig": {
            "Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/elsewhere", "Query": "#{query}",
            "StatusCode": "HTTP_302",
        },
    }
]  # fmt: skip
ADMIN = ("/admin*", "/private/*")

MUTATIONS = [
    *(
        group_check(**words)
        for words in (
            {"HealthCheckProtocol": "HTTPS"}, {"HealthCheckPort": "8080"}, {"HealthCheckPath": "/other"},
            {"HealthCheckIntervalSeconds": 60}, {"HealthCheckTimeoutSeconds": 3}, {"HealthyThresholdCount": 7},
            {"UnhealthyThresholdCount": 7}, {"Matcher": {"HttpCode": "200,301"}},
        )
    ),
    group_attribute("deregistration_delay", deregistration_delay__timeout_seconds="77"),
    group_attribute("algorithm", load_balancing__algorithm__type="least_outstanding_requests"),
    group_attribute("slow_start", slow_start__duration_seconds="0"),
    group_attribute("stickiness", stickiness__enabled="false"),
    group_attribute("stickiness_kind", stickiness__type="app_cookie", stickiness__app_cookie__cookie_name="c"),
    group_attribute("stickiness_seconds", stickiness__lb_cookie__duration_seconds="61"),
    *tagged("target_group", "web", Account.group),
    Mutation("tag Key changed", another_key, "target_group", "web", frozenset({"tags"})),
    balancer_attribute("idle_timeout", "idle_timeout.timeout_seconds", "99"),
    balancer_attribute("http2", "routing.http2.enabled", "false"),
    balancer_attribute("drop_invalid_header_fields", "routing.http.drop_invalid_header_fields.enabled", "false"),
    balancer_attribute("deletion_protection", "deletion_protection.enabled", "true"),
    balancer_attribute("access_logs", "access_logs.s3.enabled", "false"),
    *tagged("load_balancer", "uda-alb", lambda account: account.balancer),
    listener("protocol", "protocol tls_policy certificate", to_https, "http"),
    listener("action", "action", lambda account: modify_listener(account, 80, DefaultActions=OTHER), "http"),
    listener("TLS policy", "tls_policy", lambda account: modify_listener(account, SslPolicy="ELBSecurityPolicy-2016-08")),
    listener(
        "default certificate", "certificate more_certificates",
        lambda account: modify_listener(account, Certificates=[{"CertificateArn": account.certificate("uda-api")}]),
    ),
    listener(
        "further certificate", "more_certificates",
        lambda account: account.elbv2.remove_listener_certificates(
            ListenerArn=account.listener(), Certificates=[{"CertificateArn": account.certificate("uda-api")}]
        ),
    ),
    listener("default action", "action", lambda account: modify_listener(account, DefaultActions=OTHER)),
    listener("weights", "action", lambda account: modify_listener(account, DefaultActions=forward(account, web=1, spare=1))),
    listener("weight 0", "action", lambda account: modify_listener(account, DefaultActions=forward(account, web=0))),
    listener(
        "another port", "",
        lambda account: account.elbv2.create_listener(LoadBalancerArn=account.balancer, Protocol="HTTP", Port=8080, DefaultActions=OTHER),
        "port 8080", "delete",
    ),
    rule(
        "priority", "https.closed", "priority",
        lambda account: account.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": account.rule(10), "Priority": 11}]),
    ),
    rule("values", "https.closed", "conditions", lambda account: modify_rule(account, 10, Conditions=[path(*ADMIN, "/more")])),
    rule("a value less", "https.closed", "conditions", lambda account: modify_rule(account, 10, Conditions=[path(ADMIN[0])])),
    rule(
        "a condition more", "https.closed", "conditions",
        lambda account: modify_rule(
            account, 10, Conditions=[path(*ADMIN), {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}]
        ),
    ),
    rule(
        "a condition less", "https.post", "conditions",
        lambda account: modify_rule(
            account, 20, Conditions=[{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}]
        ),
    ),
    rule(
        "another source", "https.inside", "conditions",
        lambda account: modify_rule(account, 50, Conditions=[{"Field": "source-ip", "SourceIpConfig": {"Values": ["0.0.0.0/0"]}}]),
    ),
    rule("action", "https.closed", "action", lambda account: modify_rule(account, 10, Actions=OTHER)),
    rule("body", "https.inside", "action", lambda account: modify_rule(account, 50, Actions=[
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/html", "MessageBody": "outside"}}
    ])),
    rule("redirect", "https.api", "action", lambda account: modify_rule(account, 30, Actions=ELSEWHERE)),
    rule("weights", "https.split", "action", lambda account: modify_rule(account, 40, Actions=forward(account, web=8, spare=2))),
    rule("stickiness", "https.split", "action", lambda account: modify_rule(account, 40, Actions=sticky(account))),
    rule(
        "another one", "https priority 60", "",
        lambda account: account.elbv2.create_rule(ListenerArn=account.listener(), Priority=60, Conditions=[path("/x")], Actions=OTHER),
        "delete",
    ),
    rule("gone", "https.closed", "", lambda account: account.elbv2.delete_rule(RuleArn=account.rule(10)), "create"),
    Mutation("tag added", partial(certificate_tags, Owner="somebody"), "certificate", "site", frozenset({"tags"})),
    Mutation("tag Key changed", partial(certificate_tags, Key="x", Role="x"), "certificate", "site", frozenset({"tags"})),
    Mutation("tag Name changed", partial(certificate_tags, Name="x"), "certificate", "site", frozenset({"tags"})),
    Mutation("tag removed", untagged, "certificate", "site", frozenset({"tags"})),
    Mutation("another one imported", another_certificate, "certificate", "site", frozenset({"names", "certificate", "chain"})),
    bucket("another key", "encryption", "put_bucket_encryption", ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    }),
    bucket("by object", "ownership", "put_bucket_ownership_controls", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}),
    bucket("none", "ownership", "delete_bucket_ownership_controls"),
    bucket("open", "public_access", "put_public_access_block", PublicAccessBlockConfiguration={"BlockPublicAcls": True}),
    bucket("none", "public_access", "delete_public_access_block"),
    bucket("for all", "policy", "put_bucket_policy", Policy=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}],
    })),
    bucket("none", "policy", "delete_bucket_policy"),
    bucket("a day", "lifecycle", PUT_LIFECYCLE, LifecycleConfiguration=lifecycle(OLD_LOGS | {"Expiration": {"Days": 1}})),
    bucket("disabled", "lifecycle", PUT_LIFECYCLE, LifecycleConfiguration=lifecycle(OLD_LOGS | {"Status": "Disabled"})),
    bucket("none", "lifecycle", "delete_bucket_lifecycle"),
    bucket("changed", "tags", "put_bucket_tagging", Tagging={"TagSet": pairs({"Stack": "uda", "Key": "x", "Owner": "somebody"})}),
]  # fmt: skip


def batches(mutations: list[Mutation]) -> list[list[Mutation]]:
    """All of them in as few goes as can be, in each no resource more than once."""
    found: list[list[Mutation]] = []
    for mutation in mutations:
        claimed = (mutation.kind, mutation.key)
        batch = next((one for one in found if claimed not in {(other.kind, other.key) for other in one}), None)
        if batch is None:
            found.append(batch := [])
        batch.append(mutation)
    return found


def expected(batch: list[Mutation]) -> list[tuple[str, str, str, set[str]]]:
    """What a plan must say of them, in its order."""
    order = list(families.KINDS)
    told = [(one.action, one.kind, one.key, set(one.fields)) for one in batch]
    return sorted(told, key=lambda one: (order.index(one[1]), one[2], one[0]))
