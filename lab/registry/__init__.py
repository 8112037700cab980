"""The lab's container registry: what `docker push` and `podman pull` speak to, in front of the repositories of the lab's ECR."""

from __future__ import annotations

from .api import Registry
from .blobs import Blobs
from .public import Layout

__all__ = ["Blobs", "Layout", "Registry"]
