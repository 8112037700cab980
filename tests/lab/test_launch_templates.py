from __future__ import annotations

from typing import Any


def data(cloud: Any, version: str = "$Latest") -> dict[str, Any]:
    found = cloud.ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=[version])
    return dict(found["LaunchTemplateVersions"][0]["LaunchTemplateData"])


def test_a_templates_own_tags_are_no_launch_data(cloud: Any) -> None:
    cloud.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Role", "Value": "web"}]}]},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "Stack", "Value": "uda"}]}],
    )
    assert [entry["ResourceType"] for entry in data(cloud)["TagSpecifications"]] == ["instance"]
    (template,) = cloud.ec2.describe_launch_templates()["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "Stack", "Value": "uda"}]
    cloud.ec2.create_tags(Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "Stack", "Value": "other"}])
    assert cloud.ec2.describe_launch_templates()["LaunchTemplates"][0]["Tags"] == [{"Key": "Stack", "Value": "other"}]


def test_a_version_inherits_from_its_source_version(cloud: Any) -> None:
    template = cloud.launch_template(UserData="aGVsbG8=")
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    assert (data(cloud)["InstanceType"], data(cloud)["ImageId"], data(cloud)["UserData"]) == ("t3.small", cloud.image_id, "aGVsbG8=")


def test_a_version_without_a_source_stands_alone(cloud: Any) -> None:
    template = cloud.launch_template()
    cloud.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"InstanceType": "t3.small"})
    assert data(cloud) == {"InstanceType": "t3.small"}


def test_old_versions_are_deleted_and_their_numbers_are_not_given_again(cloud: Any) -> None:
    template = cloud.launch_template()
    for size in ("t3.small", "t3.medium"):
        cloud.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"InstanceType": size})
    cloud.ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="3")
    answer = cloud.ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["1", "3", "9"])
    assert [entry["VersionNumber"] for entry in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [1]
    assert [entry["VersionNumber"] for entry in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]] == [3, 9]
    assert data(cloud, "2") == {"InstanceType": "t3.small"}
    assert data(cloud, "$Default") == {"InstanceType": "t3.medium"}
    made = cloud.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"InstanceType": "t3.large"})
    assert made["LaunchTemplateVersion"]["VersionNumber"] == 4
