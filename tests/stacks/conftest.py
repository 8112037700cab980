"""A lab of its own for each module of tests, which names its stack as STACK, and its lab as LAB where that is another name.

What lab/fixtures lays down for the stack is there. With OPERATOR a module names who runs its playbooks, an IAM user with the policy of
that name from docs/policies; else the inventory says it. With PACE time passes faster for what waits on minutes of measurements.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

import pytest

from lab import lifecycle, settings, users
from tests.stacks.stack import PROJECT, Stack

pytest.register_assert_rewrite("tests.stacks.story")  # so that its checks say what differs, as those of the tests do


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    name: str = request.module.STACK
    lab = settings.load(f"test-{getattr(request.module, 'LAB', name).replace('_', '-')}")
    lab = replace(lab, pace=getattr(request.module, "PACE", lab.pace))
    lifecycle.down(lab, forget=True, say=print)
    lifecycle.up(lab, print)
    if find_spec(f"lab.fixtures.{name}"):
        importlib.import_module(f"lab.fixtures.{name}").apply(lab)
    operator: str | None = getattr(request.module, "OPERATOR", None)
    if operator:
        users.create(lab, operator, (PROJECT / "docs/policies" / f"{operator}.json").read_text())
    yield Stack(lab, name, operator)
    print("".join(lab.log_file.read_text().splitlines(keepends=True)[-100:]))  # shown when a test has failed
    lifecycle.down(lab, forget=True, say=print)
