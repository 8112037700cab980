"""Applies layouts and rulesets to the kernel: namespaces by `ip`, rules by `nft`, sockets that are born inside a namespace."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import LabError

NAMESPACES = Path("/run/netns")


def namespaces(prefix: str) -> set[str]:
    """Names of the network namespaces that begin with `prefix`."""
    return {path.name for path in NAMESPACES.glob(f"{prefix}*")} if NAMESPACES.is_dir() else set()


@contextmanager
def new_namespace(name: str, sysctls: Mapping[str, str]) -> Iterator[None]:
    """Make a namespace and let the caller fill it; one that could not be filled is taken away again, so that none stands half made."""
    _run(["ip", "netns", "add", name])
    try:
        inside(name, lambda: _set_sysctls(sysctls))
        yield
    except BaseException:
        delete_namespace(name)
        raise


def delete_namespace(name: str) -> None:
    if (NAMESPACES / name).exists():
        _run(["ip", "netns", "delete", name])


def delete_link(namespace: str, name: str) -> None:
    """Take a link away that may still stand there: the kernel ends those of a deleted namespace some time later."""
    _run(["ip", "-n", namespace, "link", "delete", name], may_fail=True)


def configure(namespace: str, lines: Iterable[str]) -> None:
    """Run `ip` commands inside a namespace, in one process."""
    text = "".join(f"{line}\n" for line in lines)
    if text:
        _run(["ip", "-n", namespace, "-batch", "-"], stdin=text)


def set_addresses(namespace: str, wanted: Mapping[str, str]) -> None:
    """Make the addresses on the devices named in `wanted` (address/prefix -> device) exactly those, adding before removing."""
    listed = json.loads(_run(["ip", "-n", namespace, "-j", "-4", "addr", "show"]))
    found = {
        f"{info['local']}/{info['prefixlen']}": link["ifname"]
        for link in listed
        if link["ifname"] != "lo"
        for info in link.get("addr_info", [])
    }
    configure(namespace, [f"addr add {address} dev {dev}" for address, dev in wanted.items() if address not in found])
    configure(namespace, [f"addr del {address} dev {dev}" for address, dev in found.items() if address not in wanted])


def apply_rules(namespace: str, ruleset: str) -> None:
    """Load an nft file inside a namespace."""
    _run(["nsenter", f"--net={NAMESPACES / namespace}", "nft", "-f", "-"], stdin=ruleset)


def inside[Result](namespace: str, action: Callable[[], Result]) -> Result:
    """Call `action` in a thread that has moved into the namespace; sockets that it makes stay there.

    setns(2) moves one thread only, so the rest of the process stays where it is. Raises what `action` raises.
    """
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            descriptor = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.setns(descriptor, os.CLONE_NEWNET)
            finally:
                os.close(descriptor)
            outcome.append(action())
        except BaseException as error:  # handed to the caller's thread below
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _set_sysctls(sysctls: Mapping[str, str]) -> None:
    for name, value in sysctls.items():
        path = Path("/proc/sys", *name.split("."))
        if path.exists():  # a kernel without IPv6 has none of its settings
            path.write_text(value)


def _run(command: list[str], stdin: str | None = None, *, may_fail: bool = False) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603 a list of our own, no shell
    if done.returncode and not may_fail:
        raise LabError(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}\n{stdin or ''}".strip())
    return done.stdout
