"""A migration that fails until the file that its environment names is there, and tries to write where it may not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

try:
    Path("/srv/probe/evil").write_text("")
    print("wrote beside itself")
except OSError as error:
    print(f"refused: {error.strerror}")
if not Path(os.environ["PROBE_DATABASE"]).exists():
    sys.exit("the database does not answer")
print("migrated")
