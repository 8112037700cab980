"""Pack an application and all its packages for its machines into one archive named by the hash of what went in.

Prints {"id", "path", "sha256", "built"}. The archive holds the application's files, its packages and `release.json`; it is
made beside its place and moved there when whole, so a build that was killed leaves nothing that looks finished.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import runtime_django
import runtime_node
from archive import digest, inputs, pack
from problem import BuildError

FORMAT = 1  # raise it when the same files would give another archive
RUNTIMES = {"django": runtime_django, "node": runtime_node}


def build(arguments: argparse.Namespace) -> dict[str, object]:
    """Build unless it is there already, or shall only be named."""
    source, cache, runtime = arguments.source.resolve(), arguments.cache.resolve(), RUNTIMES[arguments.runtime]
    for name, reason in runtime.REQUIRED.items():
        if not (source / name).is_file():
            raise BuildError(f"found no {name} in {source}; {reason}")
    files = list(inputs(source, arguments.exclude))
    parameters = {"format": FORMAT, "name": arguments.name, "runtime": arguments.runtime, **runtime.parameters(arguments)}
    identity = digest(source, files, parameters)
    path = cache / f"{arguments.name}-{identity}.tar.gz"
    built = not path.exists()
    if built and arguments.identify:
        return {"id": identity, "path": str(path), "sha256": None, "built": False}
    if built:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".build-") as name:
            scratch = Path(name)
            archive = scratch / path.name
            pack(archive, source, files, runtime.packages(source, scratch, arguments), {**parameters, "id": identity})
            archive.replace(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"id": identity, "path": str(path), "sha256": sha256, "built": built}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--runtime", choices=sorted(RUNTIMES), required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--python-version", default="3.11")
    parser.add_argument("--platform", action="append", default=[])
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--identify", action="store_true", help="build nothing; sha256 is null for what is not there")
    try:
        print(json.dumps(build(parser.parse_args())))
    except (BuildError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
