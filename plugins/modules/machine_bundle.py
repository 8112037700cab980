#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module machine_bundle: the archive by which a plain machine configures itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_bundle
short_description: Pack roles, variables and Ansible itself for a machine that configures itself
description:
  - Makes one archive of a playbook, the roles that it runs, their variables, further files and Ansible's wheels for the machine's Python.
  - Its name is the hash of what goes in; an archive that stands is not made again, and equal content gives equal bytes.
options:
  name:
    description: What the archive's name begins with.
    type: str
    required: true
  cache:
    description: Folder that keeps the archives.
    type: path
    required: true
  playbook:
    description: Files at the top of the bundle, C(requirements.txt) among them.
    type: list
    elements: path
    required: true
  roles:
    description: Folders of the roles. Their READMEs stay out.
    type: list
    elements: path
    required: true
  variables:
    description: Variables of the play on the machine. No secret belongs in them.
    type: dict
    default: {}
  files:
    description: Files that the roles copy to the machine; the name that a role asks for and the path here.
    type: dict
    default: {}
  python_version:
    description: Python version of the machine.
    type: str
    required: true
  platforms:
    description: Wheel platforms that the machine can use.
    type: list
    elements: str
    required: true
author:
  - hastack
"""

EXAMPLES = r"""
- name: Make the bundle
  machine_bundle:
    name: inventory
    cache: .cache/bundles
    playbook: [roles/machine_bundle/files/machine.yml, roles/machine_bundle/files/requirements.txt]
    roles: [roles/base, roles/nginx]
    python_version: "3.11"
    platforms: [manylinux2014_x86_64]
  register: bundle
"""

RETURN = r"""
path:
  description: The archive.
  type: str
  returned: always
sha256:
  description: Hash of the archive's bytes; empty in check mode when it is not there yet.
  type: str
  returned: always
"""

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.stack.bundle import archive, content, file_name


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "cache": {"type": "path", "required": True},
            "playbook": {"type": "list", "elements": "path", "required": True},
            "roles": {"type": "list", "elements": "path", "required": True},
            "variables": {"type": "dict", "default": {}},
            "files": {"type": "dict", "default": {}},
            "python_version": {"type": "str", "required": True},
            "platforms": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    playbook, roles = ([Path(path) for path in wanted[name]] for name in ("playbook", "roles"))
    extra = {name: Path(path) for name, path in wanted["files"].items()}
    missing = [str(path) for path in (*playbook, *roles, *extra.values()) if not path.exists()]
    if missing:
        module.fail_json(msg=f"no such file or folder: {', '.join(missing)}. Give what the machine is made from")
    found = content(playbook, roles, wanted["variables"], extra)
    name = file_name(wanted["name"], found, {key: wanted[key] for key in ("python_version", "platforms")})
    path = Path(wanted["cache"], name)
    stands = path.exists()
    if not stands and not module.check_mode:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".build-") as scratch:
            whole = Path(scratch, name)
            whole.write_bytes(archive(found | wheels(module, Path(scratch), found["requirements.txt"])))
            whole.replace(path)  # whole or not at all, should the run be killed
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    module.exit_json(changed=not stands, path=str(path), sha256=sha256)


def wheels(module: Any, scratch: Path, requirements: bytes) -> dict[str, bytes]:
    """The wheels for the machine, which need not be like this one; each is one that the requirements' hashes name."""
    wanted, folder = scratch / "requirements.txt", scratch / "wheelhouse"
    wanted.write_bytes(requirements)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-deps", "--require-hashes", "--implementation=cp"]
    command += [f"--python-version={module.params['python_version']}"]
    command += [f"--platform={platform}" for platform in module.params["platforms"]]
    status, _output, errors = module.run_command([*command, "--dest", str(folder), "--requirement", str(wanted)])
    if status:
        module.fail_json(msg=f"pip could not get Ansible's wheels for Python {module.params['python_version']}:\n{errors}")
    return {f"wheelhouse/{wheel.name}": wheel.read_bytes() for wheel in folder.iterdir()}


if __name__ == "__main__":
    main()
