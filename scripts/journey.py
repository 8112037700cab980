"""Walk a recorded journey of a user's with many clients at once, and print as JSON how it went. Called by scripts/load.py.

A journey is a file: {"times": 100, "steps": [{"path": "/shops", "expect": "a text of the page"}, ...]}. A client keeps its connection, as
a browser does, for the steps `times` over, then comes back as a new one, until the time is up. A step has failed that is not answered by
200 with the text in it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

TIMEOUT = 30.0
PAUSE = 0.2  # seconds before somebody who was not answered tries again


@dataclass(frozen=True)
class Step:
    """One page: where it is, and a text by which it is known."""

    path: str
    expect: str = ""


@dataclass(frozen=True)
class Journey:
    """What a user does, and how often before he goes."""

    times: int
    steps: tuple[Step, ...]


class JourneyError(Exception):
    """The file is no journey; the message says what was found and expected."""


@dataclass
class Walked:
    """What one client has seen: milliseconds of each answered step, steps that failed, and the first failure in words."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0
    first_failure: str = ""

    def fail(self, words: str) -> None:
        self.failed += 1
        self.first_failure = self.first_failure or words


@dataclass(frozen=True)
class Report:
    """All clients together."""

    requests: int
    failed: int
    seconds: float
    p95_ms: int | None
    first_failure: str


def journey_of(text: str) -> Journey:
    """A journey from its file's text. Raises JourneyError."""
    try:
        found = json.loads(text)
        journey = Journey(int(found["times"]), tuple(Step(**step) for step in found["steps"]))
    except (ValueError, KeyError, TypeError) as error:
        raise JourneyError(
            f'it is no journey ({error!r}); expected {{"times": 100, "steps": [{{"path": "/", "expect": "text"}}]}}'
        ) from error
    if journey.times < 1 or not journey.steps:
        raise JourneyError("it has no steps, or is walked no time")
    return journey


def report_of(walks: Sequence[Walked], seconds: float) -> Report:
    times = sorted(time for walked in walks for time in walked.milliseconds)
    failed = sum(walked.failed for walked in walks)
    first = next((walked.first_failure for walked in walks if walked.first_failure), "")
    p95 = round(times[max(0, -(-len(times) * 95 // 100) - 1)]) if times else None
    return Report(len(times) + failed, failed, round(seconds, 3), p95, first)


def walk(journey: Journey, address: str, port: int, host: str, source: str, until: float) -> Walked:
    """One client, until the time is up (monotonic clock)."""
    walked = Walked()
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT, source_address=(source, 0) if source else None)
        try:
            for step in journey.steps * journey.times:
                if time.monotonic() >= until:
                    break
                began = time.monotonic()
                connection.request("GET", step.path, headers={"Host": host, "Accept": "text/html"})
                answer = connection.getresponse()
                body = answer.read().decode(errors="replace")
                if answer.status != 200 or step.expect not in body:
                    walked.fail(f"{step.path}: {answer.status}" + (f" without {step.expect!r}" if answer.status == 200 else ""))
                else:
                    walked.milliseconds.append(1000 * (time.monotonic() - began))
        except (OSError, http.client.HTTPException) as error:
            walked.fail(f"{step.path}: {error!r}")
            time.sleep(PAUSE)
        finally:
            connection.close()
    return walked


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("address")
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--host", required=True)
    parser.add_argument("--source", default="")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args(arguments)
    try:
        journey = journey_of(options.file.read_text())
    except (OSError, JourneyError) as error:
        print(f"journey: {options.file}: {error}", file=sys.stderr)
        return 1
    began = time.monotonic()
    walks: list[Walked] = []

    def client() -> None:
        walks.append(walk(journey, options.address, options.port, options.host, options.source, began + options.seconds))

    threads = [threading.Thread(target=client) for _ in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(asdict(report_of(walks, time.monotonic() - began))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
