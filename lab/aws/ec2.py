"""EC2 as it behaves: states take the time that the machine takes, images are made from a disk, an address keeps its MAC."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance, InstanceBackend

from ..image import DEBIAN_OWNER, MACHINE_IMAGE
from ..state import mac_address
from ._patch import wrap

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def set_state(instance: Any, name: str) -> None:
    """Move one of moto's instances to a state of the EC2 User Guide's "Instance lifecycle"."""
    instance._state.name, instance._state.code = name, STATES[name]


def container_image(ami_id: str, ami: Any | None, repository: str) -> str:
    """The container image that stands for an AMI: the machine image for a published one, a committed one otherwise."""
    if ami is not None and ami.owner_id == DEBIAN_OWNER:
        return MACHINE_IMAGE
    return f"{repository}/{ami_id}"


def install() -> None:
    @wrap(Instance, "__init__")
    def launched(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        set_state(self, "pending")

    @wrap(Instance, "start")
    def started(original: Any, self: Any) -> Any:
        if self._state.name == "stopping":
            raise EC2ClientError("IncorrectInstanceState", f"The instance '{self.id}' is not in a state from which it can be started.")
        previous = original(self)
        set_state(self, "pending")
        return previous

    @wrap(Instance, "stop")
    def stopped(original: Any, self: Any) -> Any:
        previous = original(self)
        set_state(self, "stopping")
        return previous

    @wrap(Instance, "terminate")
    def terminated(original: Any, self: Any) -> Any:
        before = self._state.name
        previous = original(self)
        set_state(self, "terminated" if before == "terminated" else "shutting-down")
        return previous

    @wrap(Instance, "reboot")
    def rebooted(original: Any, self: Any) -> None:
        original(self)
        self.reboot_wanted = True  # the EC2 service of the lab restarts the machine

    @wrap(InstanceBackend, "modify_instance_metadata_options")
    def modified(original: Any, self: Any, instance_id: str, **options: Any) -> Any:
        """What a request leaves out stays (ModifyInstanceMetadataOptions); moto forgets it."""
        kept = self.get_instance(instance_id).metadata_options
        names = {
            "hop_limit": "http_put_response_hop_limit",
            "http_protocol": "http_protocol_ipv6",
            "metadata_tags": "instance_metadata_tags",
        }
        given = {key: getattr(kept, names.get(key, key)) if value is None else value for key, value in options.items()}
        return original(self, instance_id=instance_id, **given)

    @wrap(NetworkInterface, "__init__")
    def attached(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.mac_address = mac_address(self.private_ip_address)

    @wrap(AmiBackend, "create_image")
    def created(original: Any, self: Any, *args: Any, **kwargs: Any) -> Ami:
        image: Ami = original(self, *args, **kwargs)
        image.state = "pending"  # until the lab has made it from the machine's disk
        return image
