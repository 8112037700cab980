"""What went wrong, for the person who reads it."""

from __future__ import annotations


class BuildError(Exception):
    """What was found, what was expected, what to do."""
