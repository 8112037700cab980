"""What somebody could change of the launch template, the Auto Scaling group and its policies."""

from __future__ import annotations

from typing import Any

from ..account import Account
from .words import Fields, Mutation, Mutations, default_group, tag, with_another


def template_version(**changed: Any) -> Mutation:
    """A version that differs from the newest one in this alone."""

    def create(account: Account, resource_id: str, fields: Fields) -> None:
        (now,) = account.ec2.describe_launch_template_versions(LaunchTemplateId=resource_id, Versions=["$Latest"])["LaunchTemplateVersions"]
        words = {"VersionDescription": now["VersionDescription"]} | {
            key: value for key, value in changed.items() if key == "VersionDescription"
        }
        data = now["LaunchTemplateData"] | {key: value for key, value in changed.items() if key not in words}
        account.ec2.create_launch_template_version(LaunchTemplateId=resource_id, LaunchTemplateData=data, **words)

    return create


def template_group(account: Account, resource_id: str, fields: Fields) -> None:
    vpc = account.ec2.describe_security_groups(GroupIds=fields["security_groups"])["SecurityGroups"][0]["VpcId"]
    template_version(SecurityGroupIds=[default_group(account, vpc)])(account, resource_id, fields)


def template_tags(kind: str) -> Mutation:
    """What machines, or their volumes, are started with, without tags."""

    def create(account: Account, resource_id: str, fields: Fields) -> None:
        (now,) = account.ec2.describe_launch_template_versions(LaunchTemplateId=resource_id, Versions=["$Latest"])["LaunchTemplateVersions"]
        kept = [one for one in now["LaunchTemplateData"]["TagSpecifications"] if one["ResourceType"] != kind]
        template_version(TagSpecifications=kept)(account, resource_id, fields)

    return create


def template_default(account: Account, resource_id: str, fields: Fields) -> None:
    account.ec2.modify_launch_template(LaunchTemplateId=resource_id, DefaultVersion="1")


def group(**changed: Any) -> Mutation:
    return lambda account, name, fields: account.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, **changed)


def group_tags(*tags: dict[str, Any]) -> Mutation:
    def put(account: Account, resource_id: str, fields: Fields) -> None:
        named = {"ResourceId": resource_id, "ResourceType": "auto-scaling-group"}
        account.autoscaling.create_or_update_tags(Tags=[named | one for one in tags])

    return put


def group_subnets(account: Account, resource_id: str, fields: Fields) -> None:
    group(VPCZoneIdentifier=fields["subnets"][0])(account, resource_id, fields)


def group_mixed(account: Account, resource_id: str, fields: Fields) -> None:
    """Other types of machines, bought otherwise, from another template."""
    account.ec2.create_launch_template(LaunchTemplateName="elsewhere", LaunchTemplateData={"InstanceType": "t3.large"})
    mixed = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "elsewhere", "Version": "1"},
            "Overrides": [{"InstanceType": "t3.large"}],
        },
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
    }
    group(MixedInstancesPolicy=mixed)(account, resource_id, fields)


def group_metrics(account: Account, resource_id: str, fields: Fields) -> None:
    account.autoscaling.disable_metrics_collection(AutoScalingGroupName=resource_id, Metrics=fields["metrics"][:1])


def group_processes(account: Account, resource_id: str, fields: Fields) -> None:
    account.autoscaling.suspend_processes(AutoScalingGroupName=resource_id, ScalingProcesses=["ReplaceUnhealthy"])


def group_targets(account: Account, resource_id: str, fields: Fields) -> None:
    account.autoscaling.detach_load_balancer_target_groups(AutoScalingGroupName=resource_id, TargetGroupARNs=fields["target_groups"])


def tracking(**changed: Any) -> Mutation:
    """A policy of target tracking with one thing changed: the request says all of it anew."""

    def put(account: Account, resource_id: str, fields: Fields) -> None:
        (now,) = account.autoscaling.describe_policies(PolicyNames=[resource_id])["ScalingPolicies"]
        account.autoscaling.put_scaling_policy(
            AutoScalingGroupName=now["AutoScalingGroupName"], PolicyName=resource_id, PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration=now["TargetTrackingConfiguration"] | changed,
        )  # fmt: skip

    return put


MUTATIONS: Mutations = {
    ("launch_template", "default_version"): template_default,
    ("launch_template", "description"): template_version(VersionDescription="by hand"),
    ("launch_template", "image"): template_version(ImageId="ami-00000000000000000"),
    ("launch_template", "instance_profile"): template_version(IamInstanceProfile={"Name": "another"}),
    ("launch_template", "instance_tags"): template_tags("instance"),
    ("launch_template", "instance_type"): template_version(InstanceType="t3.large"),
    ("launch_template", "key_pair"): template_version(KeyName="another"),
    ("launch_template", "metadata_options"): template_version(MetadataOptions={"HttpTokens": "optional"}),
    ("launch_template", "others"): template_version(Monitoring={"Enabled": True}),
    ("launch_template", "security_groups"): template_group,
    ("launch_template", "tags"): tag,
    ("launch_template", "user_data"): template_version(UserData="IyEvYmluL3NoCg=="),
    ("launch_template", "volume_tags"): template_tags("volume"),
    ("launch_template", "volumes"): template_version(BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 99}}]),
    ("auto_scaling_group", "default_cooldown"): group(DefaultCooldown=1),
    ("auto_scaling_group", "distribution"): group_mixed,
    ("auto_scaling_group", "health_check_grace_period"): group(HealthCheckGracePeriod=1),
    ("auto_scaling_group", "health_check_type"): group(HealthCheckType="EC2"),
    ("auto_scaling_group", "instance_types"): with_another,
    ("auto_scaling_group", "launch_template"): with_another,
    ("auto_scaling_group", "max_size"): group(MaxSize=9),
    ("auto_scaling_group", "metrics"): group_metrics,
    ("auto_scaling_group", "min_size"): group(MinSize=1, DesiredCapacity=1),
    ("auto_scaling_group", "protected_from_scale_in"): group(NewInstancesProtectedFromScaleIn=True),
    ("auto_scaling_group", "subnets"): group_subnets,
    ("auto_scaling_group", "suspended_processes"): group_processes,
    ("auto_scaling_group", "tags"): group_tags({"Key": "Role", "Value": "other", "PropagateAtLaunch": False}),
    ("auto_scaling_group", "tags_of_instances"): group_tags({"Key": "Extra", "Value": "1", "PropagateAtLaunch": True}),
    ("auto_scaling_group", "target_groups"): group_targets,
    ("auto_scaling_group", "termination_policies"): group(TerminationPolicies=["OldestInstance"]),
    ("auto_scaling_group", "version"): with_another,
    ("scaling_policy", "metric"): tracking(PredefinedMetricSpecification={"PredefinedMetricType": "ASGAverageNetworkIn"}),
    ("scaling_policy", "scale_in"): tracking(DisableScaleIn=True),
    ("scaling_policy", "target"): tracking(TargetValue=20.0),
}
