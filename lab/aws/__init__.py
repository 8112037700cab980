"""Where moto differs from AWS in what our playbooks can see, it is corrected here: one file for each AWS service."""

from __future__ import annotations

from . import (
    access_logs,
    acm,
    addresses,
    application_autoscaling,
    autoscaling,
    cloudwatch,
    consoles,
    ec2,
    ecr,
    ecs,
    ecs_services,
    elbv2,
    elbv2_listeners,
    endpoints,
    iam,
    images,
    interfaces,
    launch_templates,
    nat,
    networks,
    rds,
    s3,
    scaling_policies,
    secretsmanager,
    security_groups,
)

SERVICES = (  # in this order, as some amend what others have amended
    acm,
    ec2,
    consoles,
    addresses,
    interfaces,
    networks,
    security_groups,
    nat,
    endpoints,
    images,
    launch_templates,
    elbv2,
    elbv2_listeners,
    access_logs,
    autoscaling,
    rds,
    secretsmanager,
    cloudwatch,
    scaling_policies,
    iam,
    s3,
    ecr,
    ecs,
    ecs_services,
    application_autoscaling,
)


def install() -> None:
    """Correct moto in this process. More than once does no harm."""
    for service in SERVICES:
        service.install()
