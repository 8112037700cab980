"""The test runner: it counts what failed, ends what hangs, and refuses what it does not know."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import suite

JUNIT = '<testsuites><testsuite tests="7" failures="{failures}" errors="{errors}" skipped="1"/></testsuites>'


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(suite, "REPORTS", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("failures", "errors", "status", "expected"), [(0, 0, 0, (6, 0)), (2, 1, 1, (3, 3)), (0, 0, 2, (6, 1))])
def test_counts_come_from_pytests_report(reports: Path, failures: int, errors: int, status: int, expected: tuple[int, int]) -> None:
    (reports / "unit.xml").write_text(JUNIT.format(failures=failures, errors=errors))
    assert suite.counts(suite.pytest_part("unit", "tests/unit"), status) == expected


@pytest.mark.parametrize(("status", "expected"), [(0, (1, 0)), (2, (0, 1))])
def test_a_command_without_report_is_one_test(status: int, expected: tuple[int, int]) -> None:
    assert suite.counts(suite.Part("ruff", "lint", ("ruff",)), status) == expected


def test_no_test_collected_is_a_failure() -> None:
    assert suite.counts(suite.pytest_part("unit", "tests/nothing"), 5) == (0, 1)


def test_an_old_report_is_not_counted(reports: Path) -> None:
    (reports / "unit.xml").write_text(JUNIT.format(failures=0, errors=0))
    result = suite.run(suite.pytest_part("unit", "tests/nothing"))
    assert (result.passed, result.failed) == (0, 1)


def test_a_part_past_its_limit_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = f"suite-child-{tmp_path.name}"
    hanging = f"import subprocess; subprocess.run(['sleep', '60'], executable='sleep', env={{'MARK': '{mark}'}})"
    result = suite.run(suite.Part("hanging", "hanging", ("python", "-c", hanging), limit=1))
    assert (result.passed, result.failed) == (0, 1)
    assert result.seconds < 10
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if carries(p, mark)]
    assert left == []


def test_ctrl_c_ends_what_the_lanes_run_and_they_begin_nothing_more(tmp_path: Path) -> None:
    mark = f"suite-child-{tmp_path.name}"
    program = f"""
import sys; sys.path.insert(0, "scripts")
import suite
hanging = ("python", "-c", "import subprocess; subprocess.run(['sleep', '60'], env={{'MARK': '{mark}'}}, executable='sleep')")
suite.parts = lambda: iter([suite.Part(name, "slow", hanging) for name in ("first", "second", "third")])
suite.main([])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=suite.PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    began = time.monotonic()
    while not any(carries(p, mark) for p in Path("/proc").glob("[0-9]*/environ")):
        assert time.monotonic() < began + 20
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "third begins" not in output
    assert [p for p in Path("/proc").glob("[0-9]*/environ") if carries(p, mark)] == []


def carries(environ: Path, mark: str) -> bool:
    try:
        return mark.encode() in environ.read_bytes()
    except OSError:
        return False


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(SystemExit, match="no part or group is called nonsense"):
        suite.chosen(["nonsense"])


def test_check_is_the_quick_parts() -> None:
    groups = {part.group for part in suite.chosen(["check"])}
    assert groups == set(suite.QUICK)
    assert {part.group for part in suite.chosen([])} > groups


def test_a_failure_ends_the_run_non_zero_but_not_early(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good = suite.Part("good", "some", ("python", "-c", ""))
    bad = suite.Part("bad", "some", ("python", "-c", "raise SystemExit(3)"))
    monkeypatch.setattr(suite, "parts", lambda: iter([bad, good]))
    assert suite.main([]) == 1
    assert capsys.readouterr().out.endswith("1 passed, 1 failed\n")


def test_parts_of_one_lab_stay_together_and_the_longest_job_begins() -> None:
    machines = suite.Part("machines", "machines", ("pytest",), limit=900, root=True)
    roles = [suite.Part(f"molecule-{name}", "molecule", ("molecule",), limit=600, root=True, lab="roles") for name in ("base", "nginx")]
    stack = suite.Part("stacks-uda", "stacks", ("pytest",), limit=3000, root=True)
    assert suite.jobs([suite.Part("ruff", "lint", ("ruff",)), machines, *roles, stack]) == [[stack], roles, [machines]]


def test_the_runner_lists_its_parts() -> None:
    listed = subprocess.run(["scripts/test", "--list"], cwd=suite.PROJECT, check=True, capture_output=True, text=True)
    assert "ansible-lint" in listed.stdout
