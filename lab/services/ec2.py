"""EC2 instances: a systemd machine per instance, its states, images made from its disk."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from .. import state
from ..aws.ec2 import container_image, set_state
from ..engine.base import Engine, Status
from ..errors import LabError
from ..settings import Settings
from ..world import Machine, World
from .base import Published

LOG = logging.getLogger(__name__)
DOWN = ("stopping", "stopped")
GONE = ("shutting-down", "terminated")


def saved_image(settings: Settings, instance_id: str) -> str:
    """Name of the image that keeps an instance's disk while the lab is down."""
    return f"{settings.image_repository}/saved-{instance_id}"


class Instances:
    """The service `ec2`."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._committed = {image for image in engine.images() if "/ami-" in image}

    def machines(self) -> Iterable[Machine]:
        saved = self._engine.images()
        for instance in instances():
            if instance.state in GONE or not instance.nics:
                continue
            image = saved_image(self._settings, instance.id)
            if image not in saved:
                ami = instance.ec2_backend.amis.get(instance.image_id)
                image = container_image(instance.image_id, ami, self._settings.image_repository)
            yield Machine(
                id=instance.id,
                kind="instance",
                image=image,
                interfaces=tuple(state.interface(eni) for _index, eni in sorted(instance.nics.items())),
                hostname=instance.private_dns_name.split(".")[0],
                running=instance.state not in DOWN,
            )

    def reconciled(self, world: World, standing: Mapping[str, Status]) -> None:
        for instance in instances():
            _settle(instance, standing.get(instance.id))
        self._make_images()

    def tick(self) -> bool:
        for instance in instances():
            if getattr(instance, "reboot_wanted", False):
                instance.reboot_wanted = False
                if instance.state == "running":
                    self._engine.restart(instance.id)
        return any(instance.state in ("pending", "stopping", "shutting-down") for instance in instances())

    def published(self) -> dict[str, Published]:
        return {}

    def _make_images(self) -> None:
        images = {image.id: image for backend in state.ec2() for image in list(backend.amis.values())}
        for image in images.values():
            if image.state == "pending":
                image.state = "available" if self._commit(image) else "failed"
        kept = {f"{self._settings.image_repository}/{image_id}" for image_id in images}
        for gone in self._committed - kept:
            self._engine.remove_image(gone)
        self._committed &= kept

    def _commit(self, image: Any) -> bool:
        name = f"{self._settings.image_repository}/{image.id}"
        try:
            self._engine.commit(image.instance_id, name)
        except LabError as error:
            LOG.error("image %s could not be made: %s", image.id, error)
            return False
        self._committed.add(name)
        return True


def instances() -> list[Any]:
    """Every instance of every account and region, as moto holds it."""
    return [instance for backend in state.ec2() for instance in list(backend.all_instances())]


def _settle(instance: Any, status: Status | None) -> None:
    """Move an instance out of a passing state once its machine has got there."""
    if instance.state == "pending" and status == "running":
        set_state(instance, "running")
    elif instance.state == "stopping" and status in ("stopped", None):
        set_state(instance, "stopped")
    elif instance.state == "shutting-down" and status is None:
        set_state(instance, "terminated")
