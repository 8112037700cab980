# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a playbook's run quicker without its knowing."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import connection_loader

DOCUMENTATION = r"""
name: warm
type: notification
short_description: Lets the warm process load while Ansible does
description:
  - Starts the process of the connection V(warm) with the playbook, so that it is ready when the first module is.
  - Takes what playbooks and roles have been read into out of the garbage collector's sight. It all stays until the end, and looking
    through it takes half a second of a C(site.yml) that has nothing to do.
"""


class CallbackModule(CallbackBase):
    """Needs no module and tells nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "warm"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: Any) -> None:
        warm = sys.modules[connection_loader.get("warm", class_only=True).__module__]
        name = warm.socket_name()
        if name is not None:
            with contextlib.suppress(OSError):  # the first module tries again, and tells
                warm.start(name, os.getpid())
        gc.freeze()
