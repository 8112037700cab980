"""Launch templates: their own tags are no launch data, a new version begins from its source version, old versions can go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates

from ._patch import wrap


def install() -> None:
    wrap(LaunchTemplateBackend, "create_launch_template")(_keep_own_tags_apart)
    wrap(LaunchTemplates, "create_launch_template_version")(_begin_from_source)
    wrap(LaunchTemplateVersion, "__init__")(_parse_user_data)
    wrap(LaunchTemplate, "create_version")(_number_after_the_latest)
    wrap(LaunchTemplate, "get_version")(_find_by_number)
    wrap(LaunchTemplate, "default_version")(_find_default)
    LaunchTemplates.delete_launch_template_versions = _delete_versions
    LaunchTemplate.tags = property(LaunchTemplate.get_tags, lambda _template, _tags: None)  # moto tells those that it was made with


def _keep_own_tags_apart(
    original: Callable[..., Any], ec2: Any, name: str, description: str, data: dict[str, Any], tag_spec: dict[str, Any]
) -> Any:
    """moto folds the template's tags into LaunchTemplateData; `ec2_launch_template` then sees a difference on each run."""
    others = [entry for entry in data.pop("TagSpecifications", []) if entry["ResourceType"] != "launch-template"]
    if others:
        data["TagSpecifications"] = others
    return original(ec2, name, description, data, tag_spec)


def _begin_from_source(original: Callable[..., Any], response: Any) -> Any:
    """With SourceVersion, what LaunchTemplateData leaves out is inherited (moto ignores SourceVersion)."""
    source, ec2 = response._get_param("SourceVersion"), response.ec2_backend
    if source:
        template_id, name = response._get_param("LaunchTemplateId"), response._get_param("LaunchTemplateName")
        template = ec2.get_launch_template(template_id) if template_id else ec2.get_launch_template_by_name(name)
        inherited = template.get_version(source).data
        given = response._get_param("LaunchTemplateData", {})
        create = template.create_version
        # Only for this request: the response class builds the data itself and passes it on.
        template.create_version = lambda data, description: create(inherited | given, description)
        try:
            return original(response)
        finally:
            del template.create_version
    return original(response)


def _parse_user_data(
    original: Callable[..., None],
    version: Any,
    template: LaunchTemplate,
    number: int,
    data: dict[str, Any],
    description: str,
) -> None:
    """CreateLaunchTemplateVersion leaves user data a plain string, at which moto's own launches stumble."""
    if isinstance(data.get("UserData"), str):
        data = data | {"UserData": Base64EncodedString(data["UserData"])}
    original(version, template, number, {key: value for key, value in data.items() if value is not None}, description)


def _delete_versions(response: Any) -> ActionResult:
    """DeleteLaunchTemplateVersions, which moto lacks: the default version is refused, each version with its own answer."""
    template_id, name = response._get_param("LaunchTemplateId"), response._get_param("LaunchTemplateName")
    ec2 = response.ec2_backend
    template = ec2.get_launch_template(template_id) if template_id else ec2.get_launch_template_by_name(name)
    deleted, refused = [], []
    for number in [int(version) for version in response._get_param("LaunchTemplateVersion") or response._get_param("Versions") or []]:
        entry = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": number}
        reason = _refusal(template, number)
        if reason:
            refused.append(entry | {"ResponseError": reason})
        else:
            template.versions = [version for version in template.versions if version.number != number]
            deleted.append(entry)
    return ActionResult({"SuccessfullyDeletedLaunchTemplateVersions": deleted, "UnsuccessfullyDeletedLaunchTemplateVersions": refused})


def _refusal(template: Any, number: int) -> dict[str, str] | None:
    if number == template.default_version_number:
        return {"Code": "operationNotPermitted", "Message": f"Version {number} is the default version and cannot be deleted."}
    if number not in {version.number for version in template.versions}:
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": f"Version {number} does not exist."}
    return None


def _number_after_the_latest(original: Callable[..., Any], template: Any, *args: Any) -> Any:
    """Numbers are not given twice, so a new version's number follows from the latest and not from how many there are."""
    latest = template.versions[-1].number if template.versions else 0
    version = original(template, *args)
    version.number = latest + 1
    return version


def _find_by_number(original: Callable[..., Any], template: Any, wanted: Any) -> Any:
    if not str(wanted).isdigit():
        return original(template, wanted)
    for version in template.versions:
        if version.number == int(wanted):
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=wanted)


def _find_default(_original: Callable[..., Any], template: Any) -> Any:
    return template.get_version(template.default_version_number)
