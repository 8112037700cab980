"""Words of haproxy.cfg that all its parts use."""

from __future__ import annotations

# haproxy's nbsrv() is 0 in a worker that a reload lets come to its end, whatever its servers are; this backend has one that always works.
WORKING = "lab_working"
NOT_ENDING = f"{{ nbsrv({WORKING}) gt 0 }}"
SERVER = "awselb/2.0"


def quoted(text: str, raw: bool = True) -> str:
    """A word of haproxy.cfg. Between double quotes haproxy reads `\\r` and `\\n`; `raw` text is taken as it is, also in several lines."""
    if raw:
        return "'" + text.replace("'", "'\\''").replace("\n", "'\"\\n\"'").replace("\r", "'\"\\r\"'") + "'"
    return '"' + text.replace('"', '\\"') + '"'
