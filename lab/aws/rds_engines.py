"""What RDS offers: engines with their versions and defaults, and how much storage there may be. Pure.

Versions are a choice of those that AWS lists (Amazon RDS release notes). The lab runs Debian 12's PostgreSQL 15 and MariaDB 10.11 for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from moto.rds.exceptions import InvalidParameterCombination, InvalidParameterValue


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine of RDS."""

    title: str
    versions: tuple[str, ...]
    default: str
    license: str
    major_parts: int = 1  # how many numbers of a version name the major one: 15, but 8.0

    def major(self, version: str) -> str:
        return ".".join(version.split(".")[: self.major_parts])


ENGINES = {
    "postgres": Engine("PostgreSQL", ("15.4", "15.5", "15.6", "15.7", "15.8", "15.10", "15.12"), "15.12", "postgresql-license"),
    "mysql": Engine(
        "MySQL Community Edition", ("8.0.40", "8.0.41", "8.0.42", "8.0.43", "8.4.5", "8.4.6"), "8.0.43", "general-public-license", 2
    ),
    "mariadb": Engine("MariaDB Community Edition", ("10.6.22", "10.11.11", "10.11.13", "11.4.7"), "10.11.13", "general-public-license", 2),
}
STORAGE = {  # GiB, for each of these engines (RDS API Reference, CreateDBInstance, AllocatedStorage)
    "standard": (5, 3072), "gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536),
}  # fmt: skip


def version(engine: str, asked: str | None) -> str:
    """The full version: of a major version the newest minor one, of nothing the default. Raises what AWS answers for an unknown one."""
    offered = ENGINES[engine]
    if not asked:
        return offered.default
    matching = [number for number in offered.versions if f"{number}.".startswith(f"{asked}.")]
    if not matching:
        raise InvalidParameterCombination(f"Cannot find version {asked} for {engine}: the lab runs {', '.join(offered.versions)}.")
    return offered.default if offered.default in matching else matching[-1]


def family(engine: str, number: str) -> str:
    """The parameter group family of a version, such as mysql8.0."""
    return f"{engine}{ENGINES[engine].major(number)}"


def check_storage(engine: str, kind: str, size: int) -> None:
    """Raise what AWS answers when this kind of storage does not come in this size."""
    if kind not in STORAGE:
        raise InvalidParameterValue(f"Invalid storage type: {kind}")
    least, most = STORAGE[kind]
    if not least <= size <= most:
        raise InvalidParameterValue(
            f"Invalid storage size for engine name {engine} and storage type {kind}: {size}. It is {least} to {most} GiB."
        )


def described(engine: str | None, number: str | None, default_only: bool) -> list[dict[str, str]]:
    """The answer of DescribeDBEngineVersions, which moto lacks."""
    return [
        {
            "Engine": name,
            "EngineVersion": found,
            "DBParameterGroupFamily": family(name, found),
            "DBEngineDescription": offered.title,
            "DBEngineVersionDescription": f"{offered.title} {found}",
            "MajorEngineVersion": offered.major(found),
            "Status": "available",
        }
        for name, offered in ENGINES.items()
        for found in offered.versions
        if engine in (None, name) and (not number or f"{found}.".startswith(f"{number}."))
        and (not default_only or found == offered.default)
    ]  # fmt: skip
