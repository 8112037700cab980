# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sources on the control node come to: release, machine bundle, recipe of the image. Nothing is built and AWS is not asked.

Each is a hash that a run computes, too; what only a build could tell, because nobody has built it here yet, is a promise (model.later).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from ..stack.bundle import content, file_name
from ..stack.recipe import recipe
from .model import Unknown, later

Arguments = Mapping[str, Any]
AT_THE_TOP = ("machine.yml", "ansible.cfg", "requirements.txt")  # of a machine bundle (roles/machine_bundle/tasks/main.yml)


class SourceError(Exception):
    """Something that a release needs is not there; the message says what."""


def release(arguments: Arguments, roles: Path) -> dict[str, str]:
    """What the role `artifact` leaves to its play. Raises SourceError when the application cannot be packed."""
    given = {key: arguments[f"artifact_{key}"] for key in ("name", "runtime", "source", "cache", "python_version")}
    lists = {"platform": arguments["artifact_platforms"], "exclude": arguments["artifact_exclude"]}
    if any(isinstance(value, Unknown) for value in (*given.values(), *lists.values())):
        return {}
    options = [*given.items(), *((key, value) for key, values in lists.items() for value in values)]
    words = chain.from_iterable((f"--{key.replace('_', '-')}", str(value)) for key, value in options)
    command = [sys.executable, str(roles / "artifact/files/build_artifact.py"), "--identify", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # the role's own program
    if done.returncode:
        raise SourceError(done.stderr.strip())
    told = json.loads(done.stdout)
    return {
        "artifact_id": told["id"],
        "artifact_path": told["path"],
        "artifact_sha256": told["sha256"] or later("artifact", given["name"], "sha"),
    }


def machine_bundle(arguments: Arguments, roles: Path) -> dict[str, str]:
    """What the role `machine_bundle` leaves to its play."""
    given = {key: arguments[f"machine_bundle_{key}"] for key in ("name", "cache", "roles", "variables", "files")}
    parameters = {key: arguments[f"machine_bundle_{key}"] for key in ("python_version", "platforms")}
    if any(isinstance(value, Unknown) for value in (*given.values(), *parameters.values())):
        return {}
    promise = {"machine_bundle_sha256": later("machine_bundle", given["name"], "sha")}
    folders, files = [Path(role) for role in given["roles"]], {name: Path(path) for name, path in given["files"].items()}
    if not all(path.exists() for path in (*folders, *files.values())):
        return promise  # the release in it is not built yet
    top = [roles / "machine_bundle/files" / name for name in AT_THE_TOP]
    variables = {**given["variables"], "machine_roles": [folder.name for folder in folders]}
    path = Path(given["cache"], file_name(given["name"], content(top, folders, variables, files), parameters))
    return {"machine_bundle_sha256": hashlib.sha256(path.read_bytes()).hexdigest()} if path.exists() else promise


def bake(arguments: Arguments) -> dict[str, dict[str, str]]:
    """What playbooks/bake.yml registers of the module `image_recipe`."""
    return {"bake": {"recipe": recipe([Path(role) for role in arguments["roles"]], arguments["ingredients"])}}


class NoSourceImageError(Exception):
    """The distribution publishes no image of that name here; the message says which was looked for."""


def source_images(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What playbooks/tasks/source_image.yml leaves, as far as it is used; nothing when it was not looked for.

    Raises NoSourceImageError when it was, and there is none.
    """
    if "source_images" not in found:
        return {}
    images = [{"image_id": image["ImageId"], "creation_date": image["CreationDate"]} for image in found["source_images"]]
    if not images:
        source = wanted["stack_source_image"]
        raise NoSourceImageError(
            f"stack_source_image: account {source['owner']} publishes no image {source['name']} in this region. "
            "Choose another stack_os or region, or name an image that is there"
        )
    return {"source_images": {"images": images}}
