# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack costs by the month, now and after a run. Pure: resources and prices in, plain values out.

A resource whose number a scaler chooses has a range, from its smallest number to its largest.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from .billed import HOURS, Part, UntoldError, parts
from .model import Resource, Unknown
from .prices import Prices, UnknownPriceError

Identity = tuple[str, str]


@dataclass(frozen=True)
class Amount:
    """Dollars a month, at the smallest number and at the largest."""

    low: float = 0
    high: float = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.low - other.low, self.high - other.high)

    def told(self) -> dict[str, float]:
        return {"min": round(self.low, 2), "max": round(self.high, 2)}


def estimate(
    wanted: Iterable[Resource], found: Iterable[Resource], pruned: Container[str], region: str, prices: Prices, today: date
) -> dict[str, Any]:
    """The monthly cost in US dollars, of 730 hours.

    `pruned` are the kinds of which a run takes away what is not wanted; of others it stays and goes on costing, as what is foreign does.
    What is found by its name alone counts where one of that name is wanted, and what is borrowed where the stack wants something of it.
    Returns `{currency, hours, region, date, source, sources, now, after, difference, resources, unknown, warnings, not_counted}`: amounts
    are `{min, max}`; `resources` are those that cost something, each with kind, key, name, now, after, difference and the parts of what
    it costs after (or, when it goes, now); `unknown` says in words what is not in the sums for want of a price; `sources` are the public
    copies of AWS's price list that confirm the prices used.
    """
    want = list(wanted)
    ours = {identity(item) for item in want}
    now = {identity(item): item for item in found if not (item.borrowed or item.by_name) or identity(item) in ours}
    after = afterwards(want, now, pruned)
    notes = Notes()
    bills = [billed(side, region, prices, notes) for side in (now, after)]
    resources = [entry(key, (now, after), bills) for key in sorted({*bills[0], *bills[1]})]
    sums = [sum((total(items) for items in bill.values()), Amount()) for bill in bills]
    return {
        "currency": "USD",
        "hours": HOURS,
        "region": region,
        "date": prices.dated.isoformat(),
        "source": prices.source,
        "sources": sorted(notes.sources),
        "now": sums[0].told(),
        "after": sums[1].told(),
        "difference": (sums[1] - sums[0]).told(),
        "resources": resources,
        "unknown": [f"{why}: {', '.join(names)}" for why, names in notes.unknown.items()],
        "warnings": list(filter(None, [prices.stale(today)])),
        "not_counted": list(prices.not_counted),
    }


@dataclass(frozen=True)
class Notes:
    """What is noted while resources are billed: by reason, what cannot be told; and what confirms the prices."""

    unknown: dict[str, list[str]] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)

    def untold(self, item: Resource, error: Exception) -> None:
        names = self.unknown.setdefault(str(error), [])
        if (name := f"{item.kind} {item.title}") not in names:
            names.append(name)


def identity(item: Resource) -> Identity:
    return item.kind, item.key


def afterwards(wanted: list[Resource], now: Mapping[Identity, Resource], pruned: Container[str]) -> dict[Identity, Resource]:
    """What stands when a run is done. A field that is not wanted, or known only then, stays as it is."""
    result = {key: item for key, item in now.items() if item.foreign or item.kind not in pruned}
    for item in wanted:
        standing = now.get(identity(item))
        if standing is None:
            result[identity(item)] = item
        else:
            known = {name: value for name, value in item.fields.items() if not isinstance(value, Unknown)}
            result[identity(item)] = replace(standing, fields={**item.fields, **standing.fields, **known})
    return result


Bill = dict[Identity, list[tuple[str, Amount]]]


def billed(resources: Mapping[Identity, Resource], region: str, prices: Prices, notes: Notes) -> Bill:
    """What each resource costs, part by part; what cannot be told goes to the notes."""
    result: Bill = {}
    for key, item in resources.items():
        try:
            listed = list(parts(item, resources, prices.multi_az_times))
        except UntoldError as error:
            notes.untold(item, error)
            continue
        for part in listed:
            names = (part.price, *part.instead)
            try:
                amount = charged(part, [prices.of(region, *words) for words in names])
            except UnknownPriceError as error:
                notes.untold(item, error)
                continue
            notes.sources.update(prices.confirmed_by(region, *words) for words in names)
            result.setdefault(key, []).append((part.what, amount))
    return result


def charged(part: Part, prices: list[float]) -> Amount:
    """The smallest number at the lowest price, and the largest at the highest."""
    times = HOURS if part.price[0].endswith("_hour") else 1
    return Amount(part.low * min(prices) * times, part.high * max(prices) * times)


def total(items: Iterable[tuple[str, Amount]]) -> Amount:
    return sum((amount for _, amount in items), Amount())


def entry(key: Identity, sides: tuple[Mapping[Identity, Resource], ...], bills: list[Bill]) -> dict[str, Any]:
    """One resource that costs something."""
    now, after = (total(bill.get(key, [])) for bill in bills)
    item = sides[1].get(key) or sides[0][key]
    return {
        "kind": item.kind,
        "key": item.key,
        "name": item.title,
        "now": now.told(),
        "after": after.told(),
        "difference": (after - now).told(),
        "parts": [{"what": what, **amount.told()} for what, amount in bills[1].get(key) or bills[0][key]],
    }


def as_text(cost: Mapping[str, Any]) -> Iterator[str]:
    """The estimate in a few lines, for people: what changes it by kind, what is not in it, and warnings."""
    yield line(cost)
    kinds: dict[str, list[Amount]] = {}
    for item in cost["resources"]:
        if item["difference"] != Amount().told():
            kinds.setdefault(item["kind"], []).append(Amount(item["difference"]["min"], item["difference"]["max"]))
    for kind, amounts in kinds.items():
        count = f" ({len(amounts)})" if len(amounts) > 1 else ""
        yield f"  {kind}{count}: {dollars(sum(amounts, Amount()).told(), sign=True)}"
    for words in cost["unknown"]:
        yield f"  not counted: {words}"
    for words in cost["warnings"]:
        yield f"  {words}"


def line(cost: Mapping[str, Any]) -> str:
    """The estimate in one line. It says that it is an estimate, of list prices of which day, and whether something is not in it."""
    rest = f"; {len(cost['unknown'])} not counted for want of a price" if cost["unknown"] else ""
    known = f"estimate from list prices of {cost['region']} as checked on {cost['date']}, without traffic and other use"
    return f"Cost by the month: {short(cost)} ({known}{rest})"


def short(cost: Mapping[str, Any]) -> str:
    """`now 0.00 USD, after 40.00 to 60.00 USD, difference +40.00 to +60.00 USD`; of what stays the same only that."""
    if cost["now"] == cost["after"]:
        return f"{dollars(cost['now'])}, no difference"
    now, after, difference = (dollars(cost[side], sign=side == "difference") for side in ("now", "after", "difference"))
    return f"now {now}, after {after}, difference {difference}"


def dollars(amount: Mapping[str, float], *, sign: bool = False) -> str:
    """`12.30 USD`, or `12.30 to 24.60 USD`."""
    form = "+.2f" if sign else ".2f"
    ends = list(dict.fromkeys(f"{amount[end]:{form}}" for end in ("min", "max")))
    return f"{' to '.join(ends)} USD"
