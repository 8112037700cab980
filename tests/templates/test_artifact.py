"""The program that packs an application."""

from __future__ import annotations

import argparse
import importlib.util
import json
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "roles/artifact/files/build_artifact.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_artifact", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = load()


def fake_download(_requirements: Path, wheelhouse: Path, _python_version: str, _platforms: list[str]) -> None:
    (wheelhouse / "django-5.2-py3-none-any.whl").write_bytes(b"wheel")


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(program, "download_wheels", fake_download)
    source = tmp_path / "source"
    for name, text in {
        "requirements.txt": "Django==5.2",
        "manage.py": "",
        "uda/wsgi.py": "app = 1",
        "static/x.css": "",
        "uda/static/y.css": "",
    }.items():
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return source


def build(source: Path, **changed: Any) -> dict[str, Any]:
    arguments = {
        "name": "uda",
        "source": source,
        "cache": source.parent / "cache",
        "python_version": "3.11",
        "platform": ["manylinux2014_x86_64"],
        "exclude": [".*", "__pycache__", "/static"],
    }
    result: dict[str, Any] = program.build(argparse.Namespace(**arguments | changed))
    return result


def test_what_is_in_it(application: Path) -> None:
    built = build(application)
    with tarfile.open(built["path"]) as tar:
        names = tar.getnames()
        release = tar.extractfile("release.json")
        assert release
        assert json.load(release) == {
            "format": 1, "name": "uda", "python_version": "3.11", "platforms": ["manylinux2014_x86_64"], "id": built["id"],
        }  # fmt: skip
    wheel = "wheelhouse/django-5.2-py3-none-any.whl"
    assert names == ["manage.py", "requirements.txt", "uda/wsgi.py", "uda/static/y.css", wheel, "release.json"]


def test_nothing_is_built_twice(application: Path) -> None:
    first, second = build(application), build(application)
    assert (first["built"], second["built"]) == (True, False)
    assert first["path"] == second["path"]


def test_equal_inputs_give_equal_bytes(application: Path) -> None:
    one, other = build(application), build(application, cache=application.parent / "other")
    assert Path(one["path"]).read_bytes() == Path(other["path"]).read_bytes()


@pytest.mark.parametrize("name", [".git/HEAD", "__pycache__/x.pyc", "uda/__pycache__/x.pyc", "static/z.css"])
def test_what_stays_out_changes_nothing(application: Path, name: str) -> None:
    before = build(application)["id"]
    (application / name).parent.mkdir(parents=True, exist_ok=True)
    (application / name).write_text("x")
    assert build(application)["id"] == before


def test_everything_else_changes_the_id(application: Path) -> None:
    seen = {build(application)["id"], build(application, python_version="3.13")["id"], build(application, platform=["any"])["id"]}
    (application / "uda/wsgi.py").write_text("app = 2")
    seen.add(build(application)["id"])
    (application / "manage.py").chmod(0o755)
    seen.add(build(application)["id"])
    (application / "uda/wsgi.py").rename(application / "uda/asgi.py")
    seen.add(build(application)["id"])
    assert len(seen) == 6


def test_a_build_that_fails_leaves_nothing(application: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_arguments: object) -> None:
        raise program.BuildError("no such wheel")

    monkeypatch.setattr(program, "download_wheels", failing)
    with pytest.raises(program.BuildError):
        build(application)
    assert list((application.parent / "cache").iterdir()) == []


def test_an_application_without_requirements_is_told(tmp_path: Path) -> None:
    with pytest.raises(program.BuildError, match=r"found no requirements\.txt"):
        build(tmp_path)
