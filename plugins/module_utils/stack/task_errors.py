# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a task that does not start or stay: AWS's words in, remedies out. Pure.

Sources: ECS Developer Guide, "Amazon ECS stopped tasks error messages" and "Amazon ECS service event messages".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]

REMEDIES = {  # the first pattern that fits a text tells what to do
    r"not authorized to perform: ecr:": """
        the execution role may not pull the image. playbooks/containers.yml gives it the right""",
    r"not authorized to perform: (secretsmanager|ssm):": """
        the execution role may not read the secret. playbooks/containers.yml allows it the database's; one that stack_app.secrets names
        needs a statement of its own""",
    r"not authorized to perform: logs:": """
        the execution role may not write the log. playbooks/containers.yml gives it the right""",
    r"unable to assume the role": """
        the role is not there, or does not trust ecs-tasks.amazonaws.com. playbooks/containers.yml makes it""",
    r"log group does not exist": """
        the log group is not there. playbooks/containers.yml makes it""",
    r"did not contain json key": """
        the secret has no such key. Compare stack_container_secrets with the keys of the secret""",
    r"ResourceNotFoundException|invalid parameters": """
        a secret is not there. playbooks/database.yml makes the database's""",
    r"i/o timeout|deadline exceeded|RequestCanceled": """
        the tasks' subnets do not reach AWS's services. Their route table needs a default route to a NAT gateway with an address, or the
        VPC needs endpoints for ecr.api, ecr.dkr, s3, logs and secretsmanager. playbooks/network.yml puts back what the inventory names""",
    r"CannotPullContainerError.*(not found|does not exist)": """
        the image is not in the repository. playbooks/containers.yml builds and pushes it""",
    r"CannotPullContainerError": """
        the image cannot be pulled. Look at the repository, and whether the image is made for linux/amd64""",
    r"due to \(reason Request timed out\)": """
        the load balancer gets no answer from the tasks. Their security group must admit its group on ecs_port: playbooks/security.yml""",
    r"due to \(reason Health checks failed with these codes": """
        the application answers its health check with an error. Its log says why; the path is alb_target_groups.web.health_check.path""",
    r"due to \(reason Health checks failed\)": """
        nothing answers on the tasks' port. Compare ecs_port with the port that the application listens on""",
    r"OutOfMemory": """
        a task needs more memory than ecs_memory""",
    r"CannotStartContainerError": """
        the container's program cannot be started. Look at the Dockerfile's ENTRYPOINT""",
    r"Essential container in task exited": """
        the application ended by itself. Its log says why: often a wrong value of DB_*, or a database whose security group does not admit
        the tasks""",
}


def remedies(texts: Iterable[str]) -> list[str]:
    """What to do about these reasons and events, each remedy once, in the order of the texts."""
    found = (next((remedy for pattern, remedy in REMEDIES.items() if re.search(pattern, text)), "") for text in texts)
    return list(dict.fromkeys(" ".join(remedy.split()) for remedy in found if remedy))


def ended(stopped: Iterable[Item], task_definition: str) -> Item | None:
    """The task of the revision that ended last of all by itself, in ECS's words: its log tells most."""
    by_themselves = [
        task for task in stopped if task["taskDefinitionArn"] == task_definition and task.get("stopCode") == "EssentialContainerExited"
    ]
    return max(by_themselves, key=lambda task: task["stoppedAt"], default=None)


def told(reasons: Sequence[str], events: Sequence[str], lines: Sequence[str]) -> str:
    """All that is known about a service that is not as it should be, in one text."""
    parts = (
        ("Why tasks stopped", reasons or ["no reason was given"]),
        ("The last lines of one", lines),
        ("Events, the newest first", events),
        ("What to do", remedies([*reasons, *events]) or ["correct the cause and run again"]),
    )
    return " ".join(f"{head}: {'; '.join(text.rstrip('.') for text in texts)}." for head, texts in parts if texts)
