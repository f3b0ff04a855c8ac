"""What a million pictures and more would take: products of measured rates, rendered for docs/batch.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from digitrec.providers.aws import Aws
from digitrec.providers.azure import Azure
from digitrec.providers.google import Google

PLAN = "A plan on paper"
COUNTS = (1_000_000, 100_000_000, 10_000_000_000)
WORKERS = 100
SHARE = 0.05
"""Of the pictures that a cloud is asked about, where it is asked after the local engine."""
_UNITS = (("years", 365.25 * 86400), ("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def planned(measured: Mapping[str, Any]) -> list[str]:
    """The section of docs/batch.md, as lines.

    Args:
        measured: what `batch.py --part workers` kept: pictures in a second of processor time by one
            worker and by two, for each kind; when; at which commit.
    """
    rates = measured["rates"]
    digits, photos = rates["digits"][0], rates["photos"][0]
    assert Google.price is not None and Aws.price is not None, "they have list prices"
    google, usd = Google.rate * Google.batch, Google.price.usd
    rows = [
        ("digits, 2 cores", 2 * digits, 0.0, "cores"),
        (f"digits, {WORKERS} workers", WORKERS * digits, 0.0,
         f"the shared folder, which opens {_rounded(WORKERS * digits):,} small files a second; or use tars"),
        ("photos, 2 cores", 2 * photos, 0.0, "cores"),
        (f"photos, {WORKERS} workers", WORKERS * photos, 0.0,
         f"cores; at 200 kB each also {WORKERS * photos * 200_000 / 1e9:.1f} GB a second of reading"),
        (f"`google`, {Google.rate:.0f} requests of {Google.batch} a second", google, usd,
         "the money, then what the account may ask"),
        (f"`aws`, {Aws.rate:.0f} a second", Aws.rate, Aws.price.usd,
         "the same; with a higher quota, `[rates]` in the configuration"),
        (f"`azure`, {Azure.rate:.0f} a second", Azure.rate, 0.0, "the same; its price is your contract's"),
        (f"`google` for {SHARE:.0%}, after local", google / SHARE, usd * SHARE, "the money"),
    ]  # fmt: skip
    table = [
        f"| {what} | {' | '.join(_cell(count, rate, usd, what) for count in COUNTS)} | {limit} |"
        for what, rate, usd, limit in rows
    ]
    read = f"one worker read {digits:,.0f} PNG digits or {photos:,.0f} photos of `samples/` (JPEG, 600x800)"
    return [*_HEAD.format(read=read, **measured).splitlines(), *table, *_FOOT.splitlines()]


_HEAD = """\
Time = pictures / (what a worker reads x workers), or pictures / (calls a second). Measured on {day} by
`python bench/batch.py --part workers` at {commit}: {read}
in a second of its processor's time, rows written. A cloud is asked at the rate that digitrec keeps to by
default, whatever the number of workers, and at the list price without volume discounts
([providers.md](providers.md)).

| | a million | 100 million | 10,000 million | what limits |
|---|---:|---:|---:|---|
"""
_FOOT = """
So the CPU path is limited by reading files, and the clouds by what an account may ask: more workers make
them no quicker. A plan of 100 million lines is about 6 GB and its 100,000 parts are as many files; 10,000
million pictures are better given as 100 runs, one for each tar or prefix. These are products of figures,
not runs.
"""


def _cell(count: int, rate: float, usd: float, what: str) -> str:
    more = " more" if "after" in what else ""
    return _time(count / rate) + more + (f", {_money(count * usd)}" if usd else "")


def _time(seconds: float) -> str:
    """Two digits, in the unit that suits."""
    unit, size = next(it for it in _UNITS if seconds >= it[1] or it[1] == 1.0)
    return f"{_rounded(seconds / size):g} {unit}"


def _money(usd: float) -> str:
    return f"${usd / 1e6:g} million" if usd >= 1e6 else f"${usd:,.0f}"


def _rounded(value: float) -> float:
    """To two digits; a whole number where that is one."""
    found = float(f"{value:.2g}")
    return int(found) if found == int(found) else found
