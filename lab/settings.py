"""Where a lab keeps its things and which ports it answers on; all of it follows from the lab's name."""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

ACCOUNT_ID = "123456789012"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"  # AWS's documentation example; long enough not to be masked inside Ansible's output
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 the documentation example, no secret

OPERATOR_ADDRESS = "203.0.113.10"  # the operator's computer, as security groups see it (TEST-NET-3)
STRANGER_ADDRESS = "198.51.100.10"  # somebody else on the internet (TEST-NET-2)
API_ADDRESS = "198.18.0.1"  # where machines find the AWS API: *.amazonaws.com resolves to it
S3_ADDRESS = "198.18.0.2"  # S3's own address, so that a route can tell it from the rest: it is all of S3's prefix list
DEFAULT_PORT = 4600


@dataclass(frozen=True)
class Settings:
    """A lab's name, its directory and its two loopback ports.

    `pace` is how many seconds of AWS's time the lab lets pass in one: alarm periods, cooldowns and warm-ups are shorter by that factor.
    """

    name: str
    home: Path
    pace: float = 1.0

    @property
    def directory(self) -> Path:
        return self.home / "labs" / self.name

    @property
    def api_port(self) -> int:
        """4600 for the lab `default`; for others a port that follows from the name, so that no register is needed."""
        return DEFAULT_PORT if self.name == "default" else 20000 + 2 * (zlib.crc32(self.name.encode()) % 5000)

    @property
    def proxy_port(self) -> int:
        return self.api_port + 1

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self.proxy_port}"

    @property
    def first_published_port(self) -> int:
        """Load balancers are published from here upwards: 8080 for the lab `default`."""
        return 8080 if self.name == "default" else 30000 + 4 * (zlib.crc32(self.name.encode()) % 5000)

    @property
    def pid_file(self) -> Path:
        return self.directory / "lab.pid"

    @property
    def log_file(self) -> Path:
        return self.directory / "lab.log"

    @property
    def request_log(self) -> Path:
        return self.directory / "requests.jsonl"

    @property
    def state_file(self) -> Path:
        return self.directory / "state.pickle"

    @property
    def credentials_file(self) -> Path:
        """Keys of the account's users, one section each, as AWS's tools read them; made with the first user."""
        return self.directory / "credentials.ini"

    @property
    def image_repository(self) -> str:
        """Prefix of the container images that stand for this lab's AMIs and saved machines."""
        return f"localhost/hastack/{self.name}"

    def machine_directory(self, machine_id: str) -> Path:
        return self.directory / "machines" / machine_id

    def namespace(self, what: str) -> str:
        """Name of a network namespace: `internet`, a VPC's id or a machine's id.

        No lab's name has a dot in it, so those of the lab `a` are never taken for those of the lab `a-b`.
        """
        return f"lab-{self.name}.{what}"

    def environment(self) -> dict[str, str]:
        """What a shell needs for `ansible-playbook` to reach this lab."""
        return {
            "LAB_NAME": self.name,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "LAB_PROXY_URL": self.proxy_url,
            "LAB_CREDENTIALS_FILE": str(self.credentials_file),
        }


def load(name: str | None = None) -> Settings:
    """Settings of the lab `name`, else of LAB_NAME, else of `default`.

    LAB_HOME moves the directory of all labs, LAB_PACE (1) sets the pace.
    Raises LabError for a name that cannot be part of a network namespace's name, and for a pace that is no number from 1 to 60.
    """
    chosen = name or os.environ.get("LAB_NAME") or "default"
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", chosen):
        raise LabError(f"LAB_NAME is '{chosen}': expected 1 to 20 lower-case letters, digits or hyphens, beginning with a letter")
    return Settings(chosen, Path(os.environ.get("LAB_HOME", "/var/lib/hastack")), pace(os.environ.get("LAB_PACE") or "1"))


def pace(text: str) -> float:
    """A pace from its text. Beyond 60 a minute of alarms would be shorter than the second in which the lab looks around."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= 60:
        raise LabError(f"LAB_PACE is '{text}': expected a number from 1 (as on AWS) to 60 (a minute of alarms in a second)")
    return number


def write_secret(path: Path, content: str, *, for_caller: bool = False) -> None:
    """Write a file that its owner alone may read: root, or with `for_caller` who called sudo, as whom the playbooks run."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content)
    if for_caller and "SUDO_UID" in os.environ and os.geteuid() == 0:
        os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))
