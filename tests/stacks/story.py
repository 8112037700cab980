"""What holds for every stack, told once; each stack's own tests call it at their beginning and end."""

from __future__ import annotations

import time

from tests.stacks.stack import Stack


def builds_and_keeps_its_promises(stack: Stack) -> None:
    """From an empty account to a site that verify.yml finds as it should be."""
    stack.built()
    verified = stack.play("playbooks/verify.yml")
    assert verified.status == 0, verified.output[-6000:]


def a_second_run_is_quiet(stack: Stack) -> None:
    """Nothing changes, and no request that could change something is sent."""
    since = time.time()
    run = stack.built()
    assert run.changed == 0, run.output[-6000:]
    assert stack.mutations(since) == []


def is_destroyed_without_a_trace(stack: Stack) -> None:
    """No resource carries the stack's tags or name any more; running it again says so and sends nothing."""
    run = stack.play("playbooks/destroy.yml", "-e", f"confirm={stack.name}")
    assert run.status == 0, run.output[-6000:]
    assert f"Nothing of the stack {stack.name} is left." in run.output
    assert stack.tagged() == []
    since = time.time()
    again = stack.play("playbooks/destroy.yml", "-e", f"confirm={stack.name}")
    assert again.status == 0, again.output[-6000:]
    assert again.changed == 0
    assert stack.mutations(since) == []
