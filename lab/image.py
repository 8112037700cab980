"""The machine images, built once from Debian's packages and kept: what EC2's Debian AMI and the lab's own services boot from.

`MACHINE_IMAGE` stands for Debian's official AMI: systemd, sshd, sudo, Python, user `admin`, and a boot service that does
cloud-init's part. `SERVICES_IMAGE` adds haproxy (load balancers), PostgreSQL and MariaDB (databases).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .engine.podman import configuration
from .errors import LabError

SUITE = "bookworm"
FILES = Path(__file__).parent / "image"  # copied over the root directory
# fmt: off
MACHINE_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo", "python3", "python3-apt", "iproute2", "iputils-ping",
    "curl", "ca-certificates", "procps", "logrotate", "netbase", "tzdata", "less",
)
# fmt: on
SERVICES_PACKAGES = ("haproxy", "postgresql", "mariadb-server-core", "mariadb-client-core", "mariadb-backup", "ssl-cert")

# mmdebstrap's customize hooks; $1 is the new root directory.
MACHINE_HOOKS = (
    "copy-in {files}/. /",
    'mkdir -p "$1/usr/local/share/ca-certificates" && cp {certificate} "$1/usr/local/share/ca-certificates/lab.crt"',
    'chroot "$1" update-ca-certificates',
    'chroot "$1" useradd --create-home --shell /bin/bash --groups sudo admin',
    'chmod 0440 "$1/etc/sudoers.d/90-admin"',
    'rm -f "$1"/etc/ssh/ssh_host_*; : > "$1/etc/machine-id"; rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
    'chroot "$1" systemctl enable ec2-init.service',
)

Progress = Callable[[str], None]


def _key(*parts: str) -> str:
    content = [part.encode() for part in parts] + [path.read_bytes() for path in sorted(FILES.rglob("*")) if path.is_file()]
    return hashlib.sha256(b"\0".join(content)).hexdigest()[:12]


# It names no signal to stop with: what applications build from it is ended by SIGTERM, as what is built from Debian's own image.
MACHINE_CONFIGURATION = ("--change", 'CMD ["/sbin/init"]')
MACHINE_RECIPE = (SUITE, *MACHINE_PACKAGES, *MACHINE_HOOKS, *MACHINE_CONFIGURATION)
MACHINE_IMAGE = f"localhost/hastack/machine:{_key(*MACHINE_RECIPE)}"
SERVICES_IMAGE = f"localhost/hastack/services:{_key(*MACHINE_RECIPE, *SERVICES_PACKAGES)}"


DEBIAN_OWNER = "136693071363"  # the account that publishes Debian's official images (Debian Wiki, Cloud/AmazonEC2Image)


def published_image() -> dict[str, Any]:
    """The image that an account of the lab finds where Debian's official one is on AWS, in the form of MOTO_AMIS_PATH."""
    return {
        "ami_id": f"ami-0{MACHINE_IMAGE.rsplit(':', 1)[1]}0000",
        "name": "debian-12-amd64-20250101-0000",
        "description": "Debian 12 (the lab's machine image)",
        "owner_id": DEBIAN_OWNER,
        "public": True,
        "virtualization_type": "hvm",
        "architecture": "x86_64",
        "state": "available",
        "image_type": "machine",
        "hypervisor": "xen",
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "sriov": "simple",
        "creation_date": "2025-01-01T00:00:00.000Z",
    }


def build(home: Path, certificate: Path, say: Progress) -> None:
    """Build whichever image is missing. `certificate` is the lab's CA, which machines trust as they trust Amazon's.

    Raises LabError with the failing command's last lines.
    """
    environment = os.environ | configuration(home)
    if not _exists(MACHINE_IMAGE, environment):
        say("building the machine image from Debian's packages (once, about a minute)")
        _build_machine(certificate, environment)
    if not _exists(SERVICES_IMAGE, environment):
        say("building the services image: haproxy, PostgreSQL and MariaDB (once, about a minute)")
        _build_services(environment)


def export(home: Path, image: str, directory: Path) -> None:
    """Write an image as a new folder in the OCI image layout. Raises LabError."""
    _run(["podman", "save", "--quiet", "--format", "oci-dir", "--output", str(directory), image], os.environ | configuration(home))


def _exists(image: str, environment: dict[str, str]) -> bool:
    return subprocess.run(["podman", "image", "exists", image], env=environment, check=False).returncode == 0  # noqa: S603, S607 no shell; `up` has looked for podman on the PATH


def _build_machine(certificate: Path, environment: dict[str, str]) -> None:
    hooks = [hook.format(files=FILES, certificate=certificate) for hook in MACHINE_HOOKS]
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory, "machine.tar")
        _run(
            ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={','.join(MACHINE_PACKAGES)}",
             *(f"--customize-hook={hook}" for hook in hooks), SUITE, str(archive)],
            environment,
        )  # fmt: skip
        _run(
            ["podman", "import", "--quiet", *MACHINE_CONFIGURATION, str(archive), MACHINE_IMAGE],
            environment,
        )  # fmt: skip


def _build_services(environment: dict[str, str]) -> None:
    """The servers without their Debian units: the lab starts them itself, one per machine."""
    recipe = "\n".join(
        [
            f"FROM {MACHINE_IMAGE}",
            "RUN install -d /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf"
            " && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
            f" {' '.join(SERVICES_PACKAGES)} && apt-get clean && rm -rf /var/lib/apt/lists/*"
            " && useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin mysql",  # Debian's unit package would make it
        ]
    )
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "Containerfile").write_text(recipe)
        _run(["podman", "build", "--quiet", "--network=host", "--tag", SERVICES_IMAGE, directory], environment)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 a list of our own, no shell
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise LabError(f"`{command[0]} {command[1]}` ended with {done.returncode}:\n{tail}")
