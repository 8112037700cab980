"""A recorded journey: its file, what a walk through it counts, and what scripts/load makes of it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import journey
import load
import pytest

APPS = Path(__file__).parents[2] / "examples/apps"


class Site(http.server.BaseHTTPRequestHandler):
    """/good has the text, /other has not, /none is not there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = {"/good": b"a sushi bar", "/other": b"a bar"}.get(self.path, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Silent."""


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def walked(tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int, *steps: dict[str, str]) -> dict[str, Any]:
    file = tmp_path / "journey.json"
    file.write_text(json.dumps({"times": 2, "steps": steps}))
    assert journey.main([str(file), "127.0.0.1", "--port", str(port), "--host", "site", "--clients", "2", "--seconds", "0.3"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_steps_that_show_their_text_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int) -> None:
    told = walked(tmp_path, capsys, port, {"path": "/good", "expect": "sushi"}, {"path": "/other"})
    assert (told["failed"], told["first_failure"]) == (0, "")
    traffic = load.traffic_of_journey(json.dumps(told))
    assert traffic.per_second > 10
    assert traffic.p95_ms is not None


@pytest.mark.parametrize(
    ("step", "words"), [({"path": "/other", "expect": "sushi"}, "/other: 200 without 'sushi'"), ({"path": "/none"}, "/none: 404")]
)
def test_a_step_without_its_text_or_200_has_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int, step: dict[str, str], words: str
) -> None:
    told = walked(tmp_path, capsys, port, {"path": "/good"}, step)
    assert told["first_failure"] == words
    assert told["requests"] > told["failed"] > 0


def test_a_site_that_does_not_answer_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = walked(tmp_path, capsys, 1, {"path": "/good"})
    with pytest.raises(load.LoadError, match="no step of the journey was answered: /good: ConnectionRefusedError"):
        load.traffic_of_journey(json.dumps(told))


@pytest.mark.parametrize(
    "text", ["no json", '{"steps": []}', '{"times": 0, "steps": [{"path": "/"}]}', '{"times": 1, "steps": [{"way": "/"}]}']
)
def test_a_file_that_is_no_journey_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "journey.json"
    file.write_text(text)
    assert journey.main([str(file), "127.0.0.1", "--host", "site"]) == 1
    assert str(file) in capsys.readouterr().err


def test_the_recorded_journeys_can_be_read() -> None:
    files = list(APPS.glob("*/journey.json"))
    assert files
    assert all(journey.journey_of(file.read_text()).times == 100 for file in files)
