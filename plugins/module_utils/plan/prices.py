# SPDX-License-Identifier: GPL-3.0-or-later
"""List prices by region, with their date. What the table does not have is not guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.json")
FRESH = timedelta(days=180)  # about six months


class UnknownPriceError(Exception):
    """The table has no such price; the message names it."""


@dataclass(frozen=True)
class Prices:
    """A table of prices.

    `regions`: by region and by words that lead to a price, such as `instance_hour t3.micro`, the price in US dollars with the key of what
    confirms it; `sources`: those keys in words, each with its date; `dated`: the day on which the table was held against them.
    """

    dated: date
    source: str
    regions: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, str]
    multi_az_times: float = 2
    not_counted: tuple[str, ...] = ()

    def of(self, region: str, *words: str) -> float:
        """The price that these words lead to, in US dollars. Raises UnknownPriceError, which names it."""
        return float(self._found(region, words)[0])

    def confirmed_by(self, region: str, *words: str) -> str:
        """What confirms that price: a public copy of AWS's price list, with its date."""
        return self.sources[self._found(region, words)[1]]

    def _found(self, region: str, words: Sequence[str]) -> tuple[float, str]:
        if region not in self.regions:
            raise UnknownPriceError(f"no prices for the region {region or 'that is not told'}")
        place: Any = self.regions[region]
        for word in words:
            if not isinstance(place, Mapping) or word not in place:
                raise UnknownPriceError(f"no price for {' '.join(words)} in {region}")
            place = place[word]
        price, source = place
        return price, source

    def stale(self, today: date) -> str:
        """A warning when the table is old, else nothing."""
        age = today - self.dated
        if age <= FRESH:
            return ""
        return f"The prices were checked on {self.dated}, {age.days} days ago: look at AWS's price pages before relying on them"


def table(path: Path = TABLE) -> Prices:
    """The project's own table."""
    told = json.loads(path.read_text())
    return Prices(
        date.fromisoformat(told["date"]),
        told["source"],
        told["regions"],
        told["sources"],
        told["multi_az_times"],
        tuple(told["not_counted"]),
    )
