"""A filter as Ansible finds it, for the tests of filters."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

FILTERS = Path(__file__).parents[2] / "plugins/filter"


def load(file: str, name: str) -> Any:
    """A filter as Ansible finds it."""
    specification = importlib.util.spec_from_file_location(f"filter_{file}", FILTERS / f"{file}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.FilterModule().filters()[name]
