"""The lab's own exception."""

from __future__ import annotations


class LabError(Exception):
    """Something a person can mend; the message says what was found, what was expected and what to do."""
