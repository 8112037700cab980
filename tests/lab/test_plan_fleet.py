"""Launch template, Auto Scaling group and scaling policies in the plan, against the corrected moto: each field changed by hand is told."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible.module_utils.plan import bastion, fleet, launch_template
from ansible.module_utils.plan.compare import compare
from ansible.module_utils.plan.families import KINDS
from ansible.module_utils.plan.model import Change, Resource

TAGS = {"Stack": "uda", "Environment": "dev", "ManagedBy": "ansible"}
TEMPLATE: dict[str, Any] = {
    "launch_template_name": "uda_web",
    "launch_template_image_id": "ami-1",
    "launch_template_instance_type": "t2.micro",
    "launch_template_key_name": "uda",
    "launch_template_security_group_ids": ["sg-1"],
    "launch_template_instance_profile_arn": "arn:aws:iam::123456789012:instance-profile/uda/uda-web",
    "launch_template_user_data": "#!/bin/sh\nDB_HOST=db\n",
    "launch_template_root_device": "/dev/xvda",
    "launch_template_volume_size": "10",
    "launch_template_volume_type": "gp3",
    "launch_template_tags": TAGS,
    "__launch_template_instance_tags": TAGS | {"Name": "uda_web", "Role": "web"},
}
DATA: dict[str, Any] = {
    "ImageId": "ami-1",
    "InstanceType": "t2.micro",
    "KeyName": "uda",
    "SecurityGroupIds": ["sg-1"],
    "IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/uda/uda-web"},
    "UserData": base64.b64encode(b"#!/bin/sh\nDB_HOST=db\n").decode(),
    "MetadataOptions": {
        "HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1, "InstanceMetadataTags": "enabled",
        "HttpProtocolIpv6": "disabled",
    },
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 10, "VolumeType": "gp3", "DeleteOnTermination": True}},
    ],
}  # fmt: skip


def tag_list(tags: Mapping[str, str], **more: Any) -> list[dict[str, Any]]:
    return [{"Key": key, "Value": value, **more} for key, value in tags.items()]


SPECIFICATIONS = [{"ResourceType": kind, "Tags": tag_list(TEMPLATE["__launch_template_instance_tags"])} for kind in ("instance", "volume")]


class Account:
    """The small cloud with a template and a group as the roles make them."""

    def __init__(self, cloud: Any) -> None:
        self.clients = {"ec2": cloud.ec2, "autoscaling": cloud.autoscaling, "cloudwatch": cloud.cloudwatch}
        self.ec2, self.scaling = cloud.ec2, cloud.autoscaling
        self.vpc, self.subnet, self.group, self.image = cloud.vpc_id, cloud.subnet_ids[0], cloud.group_id, cloud.image_id
        self.template = self.ec2.create_launch_template(
            LaunchTemplateName="uda_web", VersionDescription=self.image,
            LaunchTemplateData=self.data(),
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tag_list(TAGS | {"Name": "uda_web", "Role": "web"})}],
        )["LaunchTemplate"]["LaunchTemplateId"]  # fmt: skip
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName="uda_web", MinSize=0, MaxSize=4, DesiredCapacity=0, VPCZoneIdentifier=self.subnet,
            LaunchTemplate={"LaunchTemplateId": self.template, "Version": "1"}, HealthCheckType="ELB", HealthCheckGracePeriod=300,
            DefaultCooldown=300, TerminationPolicies=["Default"], NewInstancesProtectedFromScaleIn=False,
            Tags=tag_list(TAGS | {"Name": "uda_web", "Role": "web"}, PropagateAtLaunch=False, ResourceId="uda_web",
                          ResourceType="auto-scaling-group"),
        )  # fmt: skip
        self.scaling.enable_metrics_collection(AutoScalingGroupName="uda_web", Granularity="1Minute", Metrics=list(fleet.METRICS))

    def data(self, **changed: Any) -> dict[str, Any]:
        return DATA | {"ImageId": self.image, "SecurityGroupIds": [self.group], "TagSpecifications": SPECIFICATIONS} | changed

    def found(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "vpcs": self.ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"],
            "launch_templates": self.ec2.describe_launch_templates()["LaunchTemplates"],
            "groups": self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"],
            "policies": self.scaling.describe_policies()["ScalingPolicies"],
            "alarms": self.clients["cloudwatch"].describe_alarms()["MetricAlarms"],
            "instances": [],
        }
        reads = {**launch_template.details(self.clients, told, {}), **fleet.details(self.clients, told, {})}
        return told | {name: read() for name, read in reads.items()}

    def restore(self) -> None:
        """The group as the role makes it."""
        named = {"AutoScalingGroupName": "uda_web"}
        self.scaling.update_auto_scaling_group(
            **named, MinSize=0, MaxSize=4, DesiredCapacity=0, HealthCheckType="ELB", HealthCheckGracePeriod=300, DefaultCooldown=300,
            TerminationPolicies=["Default"], NewInstancesProtectedFromScaleIn=False, VPCZoneIdentifier=self.subnet,
            LaunchTemplate={"LaunchTemplateId": self.template, "Version": "1"},
        )  # fmt: skip
        self.scaling.enable_metrics_collection(**named, Granularity="1Minute", Metrics=list(fleet.METRICS))
        self.scaling.resume_processes(**named)
        change_tags(self, {"Key": "Role", "Value": "web", "PropagateAtLaunch": False})

    def wanted(self) -> list[Resource]:
        return [*launch_template.want_launch_template(self.arguments()), *fleet.want_fleet(self.group_arguments())]

    def arguments(self) -> dict[str, Any]:
        return TEMPLATE | {"launch_template_image_id": self.image, "launch_template_security_group_ids": [self.group]}

    def group_arguments(self) -> dict[str, Any]:
        return group_arguments() | {"asg_subnet_ids": [self.subnet], "asg_launch_template_id": self.template}

    def changes(self) -> list[Change]:
        found = self.found()
        return list(compare(self.wanted(), [*launch_template.found_launch_template(found), *fleet.found_fleet(found)], KINDS))


def group_arguments() -> dict[str, Any]:
    return {
        "asg_name": "uda_web", "asg_min_size": 0, "asg_max_size": 4, "asg_subnet_ids": ["subnet-1"], "asg_launch_template_id": "lt-1",
        "asg_launch_template_version": 1, "asg_instance_types": [], "asg_target_group_arns": [], "asg_health_check_type": "ELB",
        "asg_health_check_grace_period": 300, "asg_default_cooldown": 300, "asg_termination_policies": ["Default"],
        "asg_protect_from_scale_in": False, "__asg_tags": TAGS | {"Name": "uda_web", "Role": "web"}, "asg_instance_tags": {},
        "__asg_policies": [],
    }  # fmt: skip


@pytest.fixture
def account(cloud: Any) -> Account:
    return Account(cloud)


def fields(changes: list[Change]) -> list[tuple[str, str, list[str]]]:
    return [(change.action, change.resource.kind, [item.field for item in change.differences]) for change in changes]


def test_what_the_roles_have_made_is_no_difference(account: Account) -> None:
    assert account.changes() == []


VERSIONS: dict[str, dict[str, Any]] = {
    "instance_type": {"InstanceType": "t3.large"},
    "key_pair": {"KeyName": "other"},
    "instance_profile": {"IamInstanceProfile": {"Name": "other"}},
    "user_data": {"UserData": base64.b64encode(b"#!/bin/sh\nDB_HOST=other\n").decode()},
    "metadata_options": {"MetadataOptions": {"HttpTokens": "optional"}},
    "volumes": {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 99, "VolumeType": "gp3"}}]},
    "instance_tags": {"TagSpecifications": [SPECIFICATIONS[0] | {"Tags": tag_list(TAGS)}, SPECIFICATIONS[1]]},
    "volume_tags": {"TagSpecifications": [SPECIFICATIONS[0]]},
    "others": {"Monitoring": {"Enabled": True}},
}


def test_a_version_made_by_hand_is_told_by_its_field_and_a_run_makes_another_one(account: Account) -> None:
    for number, (field, changed) in enumerate(VERSIONS.items(), start=2):
        account.ec2.create_launch_template_version(
            LaunchTemplateId=account.template, VersionDescription=account.image, LaunchTemplateData=account.data(**changed)
        )
        account.ec2.modify_launch_template(LaunchTemplateId=account.template, DefaultVersion=str(number))
        (change,) = account.changes()
        assert (*fields([change]), change.effect) == (("update", "launch_template", [field]), launch_template.NEW_VERSION)
        assert launch_template.renewed(account.arguments(), account.found())


def test_the_templates_tags_and_default_make_no_new_version(account: Account) -> None:
    account.ec2.create_launch_template_version(
        LaunchTemplateId=account.template, VersionDescription=account.image, LaunchTemplateData=account.data()
    )
    account.ec2.create_tags(Resources=[account.template], Tags=[{"Key": "Role", "Value": "other"}])
    assert fields(account.changes()) == [("update", "launch_template", ["default_version", "tags"])]
    assert not launch_template.renewed(account.arguments(), account.found())


def change_tags(account: Account, *tags: dict[str, Any]) -> None:
    account.scaling.create_or_update_tags(Tags=[{"ResourceId": "uda_web", "ResourceType": "auto-scaling-group", **tag} for tag in tags])


def updated(**values: Any) -> Callable[[Account], Any]:
    return lambda account: account.scaling.update_auto_scaling_group(AutoScalingGroupName="uda_web", **values)


BY_HAND: dict[str, Callable[[Account], Any]] = {
    "min_size": updated(MinSize=1, DesiredCapacity=1),
    "max_size": updated(MaxSize=9),
    "health_check_type": updated(HealthCheckType="EC2"),
    "health_check_grace_period": updated(HealthCheckGracePeriod=1),
    "default_cooldown": updated(DefaultCooldown=1),
    "termination_policies": updated(TerminationPolicies=["OldestInstance"]),
    "protected_from_scale_in": updated(NewInstancesProtectedFromScaleIn=True),
    "metrics": lambda account: account.scaling.disable_metrics_collection(AutoScalingGroupName="uda_web", Metrics=["GroupMaxSize"]),
    "suspended_processes": lambda account: account.scaling.suspend_processes(
        AutoScalingGroupName="uda_web", ScalingProcesses=["ReplaceUnhealthy"]
    ),
    "tags": lambda account: change_tags(account, {"Key": "Role", "Value": "other", "PropagateAtLaunch": False}),
    "tags_of_instances": lambda account: change_tags(account, {"Key": "Role", "Value": "web", "PropagateAtLaunch": True}),
}


def test_a_group_changed_by_hand_is_told_by_its_field(account: Account) -> None:
    for field, change in BY_HAND.items():
        change(account)
        assert fields(account.changes()) == [("update", "auto_scaling_group", [field])]
        account.restore()


def test_scaling_replacing_and_refreshing_give_no_finding(account: Account) -> None:
    account.scaling.set_desired_capacity(AutoScalingGroupName="uda_web", DesiredCapacity=2)
    assert account.changes() == []
    found = account.found()
    group = found["groups"][0]
    old = {"LaunchTemplateId": account.template, "Version": "1"}
    group["Instances"] = [{"InstanceId": f"i-{number}", "LifecycleState": "InService", "LaunchTemplate": old} for number in range(2)]
    specification = {"LaunchTemplateId": account.template, "Version": "2"}
    group["Instances"][0]["LaunchTemplate"] = specification
    found["instance_refreshes"] = {"uda_web": {"Status": "InProgress", "DesiredConfiguration": {"LaunchTemplate": specification}}}
    wanted = [*fleet.want_fleet(account.group_arguments() | {"asg_launch_template_version": 2})]
    assert compare(wanted, list(fleet.found_fleet(found)), KINDS) == []
    found["instance_refreshes"]["uda_web"]["Status"] = "Successful"
    (change,) = compare(wanted, list(fleet.found_fleet(found)), KINDS)
    assert [item.field for item in change.differences] == ["version", "outdated_instances"]
    assert change.effect == fleet.REPLACED


def test_strangers_in_the_network_are_foreign_and_the_stacks_own_machines_are_not(account: Account) -> None:
    def run(**tags: str) -> dict[str, Any]:
        specification = [{"ResourceType": "instance", "Tags": tag_list(tags)}] if tags else []
        made = account.ec2.run_instances(
            ImageId=account.image, MinCount=1, MaxCount=1, SubnetId=account.subnet, TagSpecifications=specification
        )["Instances"][0]
        return dict(account.ec2.describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"][0]["Instances"][0])

    stranger, detached = run(), run(Stack="uda", Role="web")
    own = [detached, run(Stack="uda", Role="builder"), run(Stack="uda", Role="bastion")]
    changes = compare(account.wanted(), list(fleet.found_fleet(account.found() | {"instances": own})), KINDS)
    foreign = [change.resource for change in changes if change.action == "foreign"]
    assert sorted(item.key for item in foreign) == sorted([stranger["InstanceId"], detached["InstanceId"]])
    assert {item.kind for item in foreign} == {"instance"}


TRACKING = {
    "name": "web-cpu",
    "policy_type": "TargetTrackingScaling",
    "target_tracking_config": {
        "target_value": 10.0, "disable_scalein": False, "predefined_metric_spec": {"predefined_metric_type": "ASGAverageCPUUtilization"},
    },
}  # fmt: skip
ALARM = {"comparison": "GreaterThanOrEqualToThreshold", "threshold": 70.0, "period": 60, "evaluation_periods": 3}
STEP = {
    "name": "web-step", "policy_type": "StepScaling", "adjustment_type": "ChangeInCapacity", "alarm": ALARM,
    "estimated_instance_warmup": 60,
    "step_adjustments": [{"upper_bound": 10.0, "scaling_adjustment": 1}, {"lower_bound": 10.0, "scaling_adjustment": 2}],
}  # fmt: skip


def put_policies(account: Account) -> str:
    account.scaling.put_scaling_policy(
        AutoScalingGroupName="uda_web", PolicyName="web-cpu", PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "TargetValue": 10.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        },
    )  # fmt: skip
    arn: str = account.scaling.put_scaling_policy(
        AutoScalingGroupName="uda_web", PolicyName="web-step", PolicyType="StepScaling", AdjustmentType="ChangeInCapacity",
        EstimatedInstanceWarmup=60, MetricAggregationType="Average",
        StepAdjustments=[
            {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
            {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 2},
        ],
    )["PolicyARN"]  # fmt: skip
    return arn


def put_alarm(account: Account, arn: str, **changed: Any) -> None:
    account.clients["cloudwatch"].put_metric_alarm(**{
        "AlarmName": "web-step", "AlarmDescription": "Sets off the scaling policy web-step", "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization", "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "uda_web"}], "Statistic": "Average",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 70.0, "Period": 60, "EvaluationPeriods": 3,
        "TreatMissingData": "missing", "AlarmActions": [arn], **changed,
    })  # fmt: skip


def planned_policies(account: Account) -> list[tuple[str, str, list[str]]]:
    wanted = fleet.want_fleet(account.group_arguments() | {"__asg_policies": [TRACKING, STEP]})
    return fields(compare(wanted, list(fleet.found_fleet(account.found())), KINDS))


def test_policies_and_their_alarms_are_compared_and_those_that_nobody_wants_are_deleted(account: Account) -> None:
    arn = put_policies(account)
    put_alarm(account, arn)
    assert planned_policies(account) == []
    alarms: list[dict[str, Any]] = [{"Threshold": 50.0}, {"EvaluationPeriods": 1}, {"AlarmActions": []}, {"AlarmDescription": "x"}]
    for changed in [*alarms, {"OKActions": [arn]}]:
        put_alarm(account, arn, **changed)
        assert planned_policies(account) == [("update", "scaling_policy", ["alarm"])]
    put_alarm(account, arn)
    account.scaling.put_scaling_policy(
        AutoScalingGroupName="uda_web", PolicyName="web-cpu", PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "TargetValue": 20.0, "DisableScaleIn": True,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageNetworkIn"},
        },
    )  # fmt: skip
    by_hand = {"PolicyName": "hand", "AdjustmentType": "ExactCapacity", "ScalingAdjustment": 1}
    account.scaling.put_scaling_policy(AutoScalingGroupName="uda_web", **by_hand)
    assert planned_policies(account)[1] == ("update", "scaling_policy", ["target", "metric", "scale_in"])
    assert planned_policies(account)[0][:2] == ("delete", "scaling_policy")


def test_a_bastion_whose_metadata_needs_no_token_is_told_and_its_other_options_stay(cloud: Any) -> None:
    made = cloud.ec2.run_instances(
        ImageId=cloud.image_id, MinCount=1, MaxCount=1, SubnetId=cloud.subnet_ids[0], SecurityGroupIds=[cloud.group_id],
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tag_list(TAGS | {"Name": "uda-bastion", "Role": "bastion"})}],
    )["Instances"][0]  # fmt: skip
    cloud.round(2)
    arguments = {
        "bastion_state": "present", "bastion_name": "uda-bastion", "bastion_security_group_ids": [cloud.group_id], "bastion_tags": TAGS,
        "bastion_instance_ids": [made["InstanceId"]],
    }  # fmt: skip

    def planned() -> list[tuple[str, str, list[str]]]:
        found = [one for entry in cloud.ec2.describe_instances()["Reservations"] for one in entry["Instances"]]
        return fields(compare(bastion.want_bastion(arguments), list(bastion.found_bastion({"instances": found})), KINDS))

    told = {"instances": [one for entry in cloud.ec2.describe_instances()["Reservations"] for one in entry["Instances"]]}
    (standing,) = bastion.found_bastion(told | {name: read() for name, read in bastion.details({"ec2": cloud.ec2}, told, {}).items()})
    root = cloud.ec2.describe_volumes()["Volumes"][0]
    assert [(one["size"], one["type"]) for one in standing.fields["volumes"].values()] == [(root["Size"], root["VolumeType"])]
    assert planned() == []
    cloud.ec2.modify_instance_metadata_options(InstanceId=made["InstanceId"], HttpTokens="optional")
    assert planned() == [("update", "bastion", ["metadata_options"])]
    cloud.ec2.modify_instance_metadata_options(InstanceId=made["InstanceId"], HttpTokens="required")
    assert planned() == []
