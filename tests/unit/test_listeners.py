"""What the collection's module leaves undone on listeners, on values and on moto in process."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.stack.listeners import certificates, emptied, rules

FOUND = [{"CertificateArn": "arn:site", "IsDefault": True}, {"CertificateArn": "arn:old", "IsDefault": False}]


def wanted(*arns: str) -> dict[str, Any]:
    return {"Certificates": [{"CertificateArn": arn} for arn in arns]}


def test_further_certificates_are_added_and_those_no_longer_wanted_removed() -> None:
    assert certificates(wanted("arn:site", "arn:api"), FOUND) == (["arn:api"], ["arn:old"])
    assert certificates(wanted("arn:site", "arn:old"), FOUND) == ([], [])


def test_the_default_certificate_is_never_removed() -> None:
    assert certificates(wanted("arn:new"), FOUND) == (["arn:new"], ["arn:old"])


PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}


def test_a_rule_with_a_condition_too_many_gets_those_that_are_wanted() -> None:
    found = [
        {"RuleArn": "arn:rule", "Priority": "10", "Conditions": [PATH, HOST]},
        {"RuleArn": "arn:same", "Priority": "20", "Conditions": [PATH]},
        {"RuleArn": "arn:foreign", "Priority": "30", "Conditions": [PATH, HOST]},
        {"RuleArn": "arn:default", "Priority": "default", "Conditions": []},
    ]
    asked = {"Rules": [{"Priority": "10", "Conditions": [PATH]}, {"Priority": "20", "Conditions": [PATH]}]}
    assert rules(asked, found) == [("arn:rule", [PATH])]


def test_a_group_that_gets_nothing_is_noticed_unless_that_is_wanted() -> None:
    def forward(*weights: int) -> list[dict[str, Any]]:
        groups = [{"TargetGroupArn": f"arn:{number}", "Weight": weight} for number, weight in enumerate(weights)]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]

    plain = [{"Type": "forward", "TargetGroupArn": "arn:0"}]
    assert emptied(plain, forward(0))
    assert emptied(forward(2), forward(0))
    assert not emptied(forward(0), forward(0))
    assert not emptied(plain, forward(1))
    assert not emptied(forward(1, 0), forward(1, 0))
    assert not emptied(plain, [{"Type": "fixed-response"}])
