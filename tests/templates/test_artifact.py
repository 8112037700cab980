"""The program that packs an application."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILES = Path(__file__).parents[2] / "roles/artifact/files"


def load(name: str) -> ModuleType:
    """A module of the program, which finds its neighbours because they are in one folder."""
    sys.path.insert(0, str(FILES))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FILES))


program, node, django, problem = (load(name) for name in ("build_artifact", "runtime_node", "runtime_django", "problem"))


def fake_wheels(_source: Path, scratch: Path, _arguments: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    wheel = scratch / "django-5.2-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    yield f"wheelhouse/{wheel.name}", wheel


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(django, "packages", fake_wheels)
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
        "runtime": "django",
        "source": source,
        "cache": source.parent / "cache",
        "python_version": "3.11",
        "platform": ["manylinux2014_x86_64"],
        "exclude": [".*", "__pycache__", "/static"],
        "identify": False,
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
            "format": 1, "name": "uda", "runtime": "django", "python_version": "3.11", "platforms": ["manylinux2014_x86_64"],
            "id": built["id"],
        }  # fmt: skip
    wheel = "wheelhouse/django-5.2-py3-none-any.whl"
    assert names == ["manage.py", "requirements.txt", "uda/wsgi.py", "uda/static/y.css", wheel, "release.json"]


def test_nothing_is_built_twice(application: Path) -> None:
    first, second = build(application), build(application)
    assert (first["built"], second["built"]) == (True, False)
    assert first["path"] == second["path"]
    assert first["sha256"] == second["sha256"] == hashlib.sha256(Path(first["path"]).read_bytes()).hexdigest()


def test_one_that_is_only_named_is_not_built_and_has_its_hash_when_it_stands(application: Path) -> None:
    named = build(application, identify=True)
    assert (named["sha256"], named["built"], Path(named["path"]).exists()) == (None, False, False)
    built = build(application)
    assert build(application, identify=True) == built | {"built": False}
    assert built["path"] == named["path"]


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
    def failing(*_arguments: object) -> Iterator[tuple[str, Path]]:
        raise problem.BuildError("no such wheel")

    monkeypatch.setattr(django, "packages", failing)
    with pytest.raises(problem.BuildError):
        build(application)
    assert list((application.parent / "cache").iterdir()) == []


@pytest.mark.parametrize(("runtime", "words"), [("django", r"found no requirements\.txt"), ("node", r"found no package\.json")])
def test_an_application_that_pins_nothing_is_told(tmp_path: Path, runtime: str, words: str) -> None:
    with pytest.raises(problem.BuildError, match=words):
        build(tmp_path, runtime=runtime)


@pytest.fixture
def node_application(tmp_path: Path) -> Path:
    """An application whose one package is a file beside it, so that npm asks no registry."""
    source = tmp_path / "source"
    source.mkdir()
    package = {"name": "shop", "version": "1.0.0", "dependencies": {"paint": "1.0.0"}}
    (source / "package.json").write_text(json.dumps(package))
    with tarfile.open(source / "paint-1.0.0.tgz", "w:gz") as tar:
        for name, text in {
            "package.json": json.dumps(
                {"name": "paint", "version": "1.0.0", "bin": "cli.js", "scripts": {"install": f"touch {tmp_path}/script-ran"}}
            ),
            "cli.js": "#!/usr/bin/env node\n",
        }.items():
            (tmp_path / name).write_text(text)
            tar.add(tmp_path / name, f"package/{name}")
    entry = {"version": "1.0.0", "resolved": f"file:{source}/paint-1.0.0.tgz", "hasInstallScript": True}
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package, "node_modules/paint": entry}}
    (source / "package-lock.json").write_text(json.dumps(lock))
    (source / "server.js").write_text("")
    return source


def test_node_modules_are_those_of_the_lock_and_no_script_of_theirs_runs(node_application: Path, tmp_path: Path) -> None:
    built = build(node_application, runtime="node", exclude=["*.tgz"])
    with tarfile.open(built["path"]) as tar:
        names = tar.getnames()
        release = tar.extractfile("release.json")
        assert release
        assert json.load(release)["runtime"] == "node"
    own = ["package-lock.json", "package.json", "server.js"]
    assert names == [*own, "node_modules/paint/cli.js", "node_modules/paint/package.json", "release.json"]
    assert not (tmp_path / "script-ran").exists()
    assert sorted(path.name for path in node_application.iterdir()) == [*own[:1], own[1], "paint-1.0.0.tgz", own[2]]


def test_a_lock_that_does_not_fit_is_told(node_application: Path) -> None:
    package = json.loads((node_application / "package.json").read_text())
    package["dependencies"]["paint"] = "2.0.0"
    (node_application / "package.json").write_text(json.dumps(package))
    with pytest.raises(problem.BuildError, match="npm could not install what"):
        build(node_application, runtime="node")
