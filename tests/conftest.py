"""Makes the project's module_utils importable under the name that modules use, `ansible.module_utils.stack`."""

from __future__ import annotations

from pathlib import Path

import ansible.module_utils

ROOT = Path(__file__).parents[1]
ansible.module_utils.__path__.append(str(ROOT / "plugins/module_utils"))
