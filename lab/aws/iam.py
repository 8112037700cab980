"""IAM as it behaves: a list below a path holds what is below that path."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

from ._patch import wrap


def install() -> None:
    @wrap(IamResponse, "list_instance_profiles")
    def listed(_original: Any, self: Any) -> Any:
        """moto tells all of them, whatever PathPrefix says."""
        prefix = self._get_param("PathPrefix") or "/"
        return ActionResult({"InstanceProfiles": [p for p in self.backend.get_instance_profiles() if p.path.startswith(prefix)]})
