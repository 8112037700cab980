"""The account as moto holds it, for whoever has a name and wants an ARN, or a bucket and wants its policy."""

from __future__ import annotations

import json
from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends

from ..settings import ACCOUNT_ID
from .policy import Document


class Account:
    """The Directory of `asked` over moto's state, and the resource-based policies."""

    account_id = ACCOUNT_ID

    def secret(self, region: str, name: str) -> str:
        """The secret's ARN; AWS ends it with six characters of its own, for which `??????` stands while there is no such secret."""
        for found in list(dict.values(secretsmanager_backends[ACCOUNT_ID][region].secrets)):
            if name in (found.name, found.arn, found.arn[:-7]):  # an ARN is known without its last six characters too
                return str(found.arn)
        return name if name.startswith("arn:") else f"arn:aws:secretsmanager:{region}:{ACCOUNT_ID}:secret:{name}-??????"

    def iam(self, kind: str, name: str) -> str | None:
        """The ARN of a role, user, group or instance profile that exists."""
        backend = self._iam
        known = {"role": backend.roles, "user": backend.users, "group": backend.groups, "instance-profile": backend.instance_profiles}
        return next((str(found.arn) for found in list(known[kind].values()) if found.name == name), None)

    def role_of_profile(self, name_or_arn: str) -> str | None:
        """The ARN of the role in an instance profile; None when there is no such profile, or no role in it."""
        for profile in list(self._iam.get_instance_profiles()):
            if name_or_arn in (profile.name, profile.arn) and profile.roles:
                return str(profile.roles[0].arn)
        return None

    def profile_of_template(self, region: str, id_or_name: str) -> str | None:
        """The instance profile in the newest version of a launch template."""
        for template in list(ec2_backends[ACCOUNT_ID][region].launch_templates.values()):
            if id_or_name in (template.id, template.name):
                profile = template.latest_version().data.get("IamInstanceProfile", {})
                return str(profile.get("Arn") or profile.get("Name") or "") or None
        return None

    def bucket_policy(self, bucket: str) -> list[Document]:
        """The policy of a bucket: one document or none."""
        found = s3_backends[ACCOUNT_ID]["aws"].buckets.get(bucket)
        return [json.loads(found.policy)] if found is not None and found.policy else []

    def trust_policy(self, role_arn: str) -> list[Document]:
        """Who may take a role: one document, or none when there is no such role."""
        try:
            document = self._iam.get_role_by_arn(role_arn).assume_role_policy_document
        except NotFoundException:
            return []
        return [json.loads(document)]

    @property
    def _iam(self) -> Any:
        return iam_backends[ACCOUNT_ID]["aws"]
