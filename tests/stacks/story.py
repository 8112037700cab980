"""What holds for every stack, told once; each stack's own tests call it at their beginning and end."""

from __future__ import annotations

import time

from tests.stacks.stack import Plan, Stack


def builds_and_keeps_its_promises(stack: Stack) -> None:
    """From an empty account to a site that verify.yml finds as it should be; the plan has foretold exactly what is made."""
    since = time.time()
    foretold = stack.plan()
    assert foretold.status == 2
    assert stack.mutations(since) == []
    stack.built()
    assert stands(stack) == made_of(foretold)
    one_variable_is_one_field(stack)
    verified = stack.play("playbooks/verify.yml")
    assert verified.status == 0, verified.output[-6000:]


def stands(stack: Stack) -> set[tuple[str, str]]:
    """(kind, key) of all that is the stack's, as the preview of its end tells it."""
    return stack.plan("-e", "want=absent").named("delete")


def made_of(plan: Plan) -> set[tuple[str, str]]:
    """(kind, key) of what a plan says that a run makes, without what lies in a repository or a bucket, and goes with that untold."""
    return {(kind, key) for kind, key in plan.named("create") if kind not in ("container_image", "release_object")}


def one_variable_is_one_field(stack: Stack) -> None:
    """The plan tells exactly what the changed variable changes, and nothing without it."""
    nothing_is_to_do(stack)
    changed = stack.plan("-e", '{"alb_idle_timeout": 77}')
    assert changed.status == 2
    assert changed.fields() == {("load_balancer", stack.wanted["alb_name"], "idle_timeout")}


def nothing_is_to_do(stack: Stack, *arguments: str) -> None:
    """The plan finds nothing: what AWS itself has done since, and what is somebody else's, is none of its business."""
    plan = stack.plan(*arguments)
    assert plan.status == 0, plan.changes


def a_second_run_is_quiet(stack: Stack, *arguments: str) -> str:
    """The plan is empty; going through every layer all the same changes nothing and sends no request that could. What the run has told."""
    since = time.time()
    run = stack.built("-e", "stack_pass_over=false", *arguments)
    assert "Nothing to do: " in run.output, run.output[:6000]
    assert run.changed == 0, run.output[-6000:]
    assert stack.mutations(since) == []
    return run.output


def is_destroyed_without_a_trace(stack: Stack) -> None:
    """No resource carries the stack's tags or name any more; running it again says so and sends nothing."""
    run = stack.play("playbooks/destroy.yml", "-e", f"confirm={stack.name}")
    assert run.status == 0, run.output[-6000:]
    assert f"Nothing of the stack {stack.name} is left." in run.output
    left = stack.tagged()
    assert left == [], left
    since = time.time()
    again = stack.play("playbooks/destroy.yml", "-e", f"confirm={stack.name}")
    assert again.status == 0, again.output[-6000:]
    assert again.changed == 0
    assert stack.mutations(since) == []
