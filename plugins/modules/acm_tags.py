#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module acm_tags: the tags of a certificate in Certificate Manager."""

from __future__ import annotations

DOCUMENTATION = r"""
module: acm_tags
short_description: Tag a certificate
description:
  - Sets tags of a certificate that is known by its ARN. Other tags are left alone.
  - The collections' module finds certificates by their tag C(Name) alone, and imports one whose C(Name) somebody has changed a second time.
options:
  arn:
    description: ARN of the certificate.
    type: str
    required: true
  tags:
    description: Tags that it shall have.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - hastack
"""

EXAMPLES = r"""
- name: Give the certificate its name
  acm_tags:
    arn: arn:aws:acm:ap-northeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012
    tags:
      Name: shop-site
"""

RETURN = r"""
tags:
  description: All tags of the certificate.
  type: dict
  returned: always
"""

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule tells it

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"arn": {"type": "str", "required": True}, "tags": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    arn, acm = module.params["arn"], module.client("acm")
    try:
        found = {tag["Key"]: tag.get("Value", "") for tag in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}
        missing = {key: str(value) for key, value in module.params["tags"].items() if found.get(key) != str(value)}
        if missing and not module.check_mode:
            acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": key, "Value": value} for key, value in missing.items()])
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        module.fail_json_aws(error, msg=f"The certificate {arn} could not be tagged")
    module.exit_json(changed=bool(missing), tags=found | missing)


if __name__ == "__main__":
    main()
