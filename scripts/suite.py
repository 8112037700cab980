"""The test runner behind `make test`: runs every part, keeps going after a failure, sums up.

The quick parts run side by side, then the others on two lanes. A part's output comes in one piece, at its end.

Usage: scripts/test [part or group ...]; without arguments everything runs.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BIN = PROJECT / ".venv" / "bin"
REPORTS = PROJECT / ".cache" / "test"

LANES = 2  # parts that are not quick wait more than they work: two at a time suit two cores
# ansible-lint alone starts Ansible sixty times: compiling it once, out of the way, halves the time of the quick parts.
COMPILED = {"PYTHONPYCACHEPREFIX": str(PROJECT / ".cache" / "pycache"), "PYTHONDONTWRITEBYTECODE": ""}
QUICK = ("lint", "docs", "scripts", "unit", "templates", "lab", "apps")


@dataclass(frozen=True)
class Part:
    """One command of the suite.

    `group` collects several under one name, `limit` is in seconds, `root` runs it by sudo where that is needed,
    `lab` names a lab that stands while it runs.
    """

    name: str
    group: str
    command: tuple[str, ...]
    limit: int = 300
    folder: Path = PROJECT
    root: bool = False
    lab: str = ""

    @property
    def report(self) -> Path:
        """Where pytest leaves its counts; other commands write none and count as one test."""
        return REPORTS / f"{self.name}.xml"


@dataclass(frozen=True)
class Result:
    """How a part went."""

    part: Part
    passed: int
    failed: int
    seconds: float


def pytest_part(name: str, path: str, *arguments: str, limit: int = 300, root: bool = False) -> Part:
    report = REPORTS / f"{name}.xml"
    return Part(name, name, ("pytest", path, "--quiet", f"--junit-xml={report}", *arguments), limit, root=root)


def parts() -> Iterator[Part]:
    """Every part, the quick ones first."""
    yield Part("ansible-lint", "lint", ("ansible-lint", "--offline"))  # checks every playbook's syntax too
    yield Part("ruff", "lint", ("ruff", "check", "."))
    yield Part("ruff-format", "lint", ("ruff", "format", "--check", "."))
    yield Part("mypy", "lint", ("mypy", "lab", "plugins", "scripts/suite.py", "scripts/role_docs.py", "scripts/load.py", "benchmarks"))
    yield Part("yamllint", "lint", ("yamllint", "--strict", "."))
    yield pytest_part("docs", "tests/docs")
    yield pytest_part("scripts", "tests/scripts")
    yield pytest_part("unit", "tests/unit")
    yield pytest_part("templates", "tests/templates")
    yield pytest_part("lab", "tests/lab", "-m", "not machines and not playbooks")
    for app in sorted((PROJECT / "examples" / "apps").glob("*/manage.py")):
        yield django_part(app.parent)
    for app in sorted((PROJECT / "examples" / "apps").glob("*/package.json")):
        yield Part(f"app-{app.parent.name}", "apps", ("npm", "test"), folder=app.parent)
    for app in sorted((PROJECT / "examples" / "apps").glob("*/main.go")):
        yield go_part(app.parent)
    yield pytest_part("playbooks", "tests/lab", "-m", "playbooks", "-o", "timeout=300", limit=2400)
    yield pytest_part("machines", "tests/lab", "-m", "machines", "-o", "timeout=300", limit=1800, root=True)
    for scenario in scenarios():
        command = ("molecule", "test", "--scenario-name", scenario)
        yield Part(f"molecule-{scenario}", "molecule", command, 600, root=True, lab="test-molecule")
    for path in sorted((PROJECT / "tests" / "stacks").glob("test_*.py")):
        name = path.stem.replace("test_", "stacks-")
        yield replace(pytest_part(name, str(path.relative_to(PROJECT)), "-o", "timeout=1800", limit=3000, root=True), group="stacks")


def django_part(app: Path) -> Part:
    """An application's own tests, with its own requirements in an environment that uv makes and keeps."""
    python = ("python", "-W", "error", "manage.py", "test")
    uv = (
        "uv",
        "run",
        "--no-project",
        "--isolated",
        "--python",
        str(BIN / "python"),
        "--with-requirements",
        "requirements.txt",
    )
    return Part(f"app-{app.name}", "apps", (*uv, *python), folder=app)


def go_part(app: Path) -> Part:
    """An application's own tests, in the image that builds it: no Go and no database is installed on this machine for them."""
    return Part(f"app-{app.name}", "images", (str(PROJECT / "scripts" / "test-image"), str(app)), 600, root=True, lab="test-images")


def scenarios() -> list[str]:
    return sorted(path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml"))


def chosen(names: Iterable[str]) -> list[Part]:
    """The parts that the names ask for: parts, groups, or `check` for all quick ones. No name asks for everything."""
    every = list(parts())
    wanted = {name for given in names for name in (QUICK if given == "check" else (given,))}
    unknown = wanted - {part.name for part in every} - {part.group for part in every}
    if unknown:
        sys.exit(f"error: no part or group is called {', '.join(sorted(unknown))}; scripts/test --list shows them")
    return [part for part in every if not wanted or part.name in wanted or part.group in wanted]


def run(part: Part) -> Result:
    """Run a part; say when it begins, and all that it said when it ends. After Ctrl-C none is run any more."""
    if _interrupted.is_set():
        return Result(part, 0, 1, 0.0)
    print(f"... {part.name} begins", flush=True)
    part.report.unlink(missing_ok=True)
    started = time.monotonic()
    status, output = execute(part)
    seconds = time.monotonic() - started
    passed, failed = counts(part, status)
    verdict = f"    {part.name}: {'passed' if status == 0 else 'FAILED'} in {seconds:.1f} s"
    print("\n".join([f"\n==> {part.name}: {' '.join(part.command)}", output.rstrip(), verdict]), flush=True)
    return Result(part, passed, failed, seconds)


_running: set[subprocess.Popen[bytes]] = set()  # the commands of all lanes
_interrupted = threading.Event()


@contextmanager
def ended_with_us() -> Iterator[None]:
    """Ctrl-C reaches the main thread alone: what the lanes run is ended, they begin no further part, and end their labs."""
    try:
        yield
    except KeyboardInterrupt:
        _interrupted.set()
        for process in list(_running):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def execute(part: Part) -> tuple[int, str]:
    """(status, output) of the command, in a session of its own: past its limit it ends with all that it started."""
    environment = os.environ | COMPILED | {"PATH": f"{BIN}:{os.environ['PATH']}", "ANSIBLE_FORCE_COLOR": "false"}
    if part.lab:
        environment["LAB_NAME"] = part.lab
    command = [*(as_root(environment) if part.root else []), str(BIN / part.command[0]), *part.command[1:]]
    with tempfile.TemporaryFile("w+", errors="replace") as file:
        process = subprocess.Popen(command, cwd=part.folder, env=environment, stdout=file, stderr=file, start_new_session=True)
        _running.add(process)
        try:
            status = process.wait(timeout=part.limit)
        except subprocess.TimeoutExpired:
            print(f"    {part.name} is past its limit of {part.limit} s and is ended", flush=True)
            status = 1
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            _running.discard(process)
        file.seek(0)
        return status, file.read()


def as_root(environment: dict[str, str]) -> list[str]:
    """What stands before a command that needs root: nothing for root itself, else sudo with what it would drop."""
    if os.geteuid() == 0:
        return []
    kept = [f"{name}={environment[name]}" for name in ("PATH", "LAB_NAME", "LAB_HOME") if name in environment]
    return ["sudo", "env", *kept, "PYTHONPYCACHEPREFIX=/var/cache/hastack"]


@contextmanager
def lab(name: str) -> Iterator[None]:
    """A lab of that name stands in the meantime and leaves nothing; what it says when it does not start is shown. No name: no lab."""
    if name:
        status, output = execute(Part("lab", "", ("python", "-m", "lab", "up"), root=True, lab=name))
        if status:
            print(f"\n==> the lab {name} did not start\n{output.rstrip()}", flush=True)
    try:
        yield
    finally:
        if name:
            execute(Part("lab", "", ("python", "-m", "lab", "down", "--forget"), root=True, lab=name))


def counts(part: Part, status: int) -> tuple[int, int]:
    """(passed, failed); a part that failed without a failing test (no test collected, say) counts as one failure."""
    if not part.report.exists():
        return (1, 0) if status == 0 else (0, 1)
    suite = next(ElementTree.parse(part.report).iter("testsuite"))
    total, failures, errors, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return max(total - failed - skipped, 0), max(failed, int(status != 0))


def run_all(wanted: list[Part]) -> list[Result]:
    """The quick parts side by side; then the others on the lanes."""
    with ThreadPoolExecutor(os.cpu_count()) as pool, ended_with_us():
        results = list(pool.map(run, [part for part in wanted if part.group in QUICK]))
    with ThreadPoolExecutor(LANES) as pool, ended_with_us():
        return results + [result for done in pool.map(run_on_one_lab, jobs(wanted)) for result in done]


def jobs(wanted: list[Part]) -> list[list[Part]]:
    """The parts that are not quick, those of one lab together, the longest first so that the lanes end at about the same time."""
    slow = [part for part in wanted if part.group not in QUICK]
    grouped = [list(group) for lab_name, group in itertools.groupby(slow, key=lambda part: part.lab) if lab_name]
    return sorted([*grouped, *([part] for part in slow if not part.lab)], key=lambda job: -sum(part.limit for part in job))


def run_on_one_lab(job: list[Part]) -> list[Result]:
    with lab(job[0].lab):
        return [run(part) for part in job]


def table(results: list[Result], seconds: float) -> str:
    """What each part counted and how long it took; the last line is the whole run, in which parts overlap."""
    width = max(len(result.part.name) for result in results)
    rows = [f"{'part':<{width}}  passed  failed      time"]
    rows += [f"{r.part.name:<{width}}  {r.passed:>6}  {r.failed:>6}  {r.seconds:>6.1f} s" for r in results]
    rows.append(f"{'all':<{width}}  {'':>6}  {'':>6}  {seconds:>6.1f} s")
    return "\n".join(rows)


def main(names: list[str]) -> int:
    if "--list" in names:
        print(f"{'part':<32}group\n" + "\n".join(f"{part.name:<32}{part.group}" for part in parts()))
        return 0
    REPORTS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    results = run_all(chosen(names))
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    print(f"\n{table(results, time.monotonic() - started)}\n\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
