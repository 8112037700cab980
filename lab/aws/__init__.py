"""Where moto differs from AWS in what our playbooks can see, it is corrected here: one file for each AWS service."""

from __future__ import annotations

from . import autoscaling, ec2, elbv2, images, interfaces, launch_templates, nat, networks, rds


def install() -> None:
    """Correct moto in this process. More than once does no harm."""
    for service in (ec2, interfaces, networks, nat, images, launch_templates, elbv2, autoscaling, rds):
        service.install()
