"""What the ledger knows: recent calls, spending, every answer; and how to clear it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Row
from typing import Literal

from digitrec.engine.ledger.book import Ledger, to_entry
from digitrec.engine.ledger.records import Entry

State = Literal["asking", "answered", "failed", "unknown", "cleared", "lost"]
UNUSABLE = "unusable answer"
"""Shown instead of an error's class if the stored answer is unusable."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the ledger."""

    asked_at: datetime
    """When, in UTC."""
    provider: str
    """Name of the engine."""
    endpoint: str | None
    """Where it was asked."""
    emulated: bool
    """True when an emulator answered."""
    image_sha256: str | None
    """SHA-256 of the image as it came in."""
    state: State
    """"asking" now; "answered"; "failed": no answer; "unknown": cut off, the answer and its cost are
    not known; "cleared": the answer was cleared, the cost still counts; "lost": a damaged ledger was
    repaired, and this call could not be read; it counts as paid."""
    cost_usd: float | None
    """US dollars that the budget counts for it; None: unknown."""
    error: str | None
    """Class of the error of a failed call; `UNUSABLE` where the answer cannot be used: it is asked again."""
    text: str | None
    """What was read, as the provider spelled it, words separated by spaces; None where nothing was."""


def recent(ledger: Ledger, *, limit: int = 20, provider: str | None = None) -> list[Call]:
    """Return at most ``limit`` calls, newest first, of one provider or of all.

    Raises:
        LedgerError: the file cannot be read.
    """
    ledger.sweep()
    return [_call(row) for row in ledger.database.read(_RECENT, (provider, limit))]


def _call(row: Row) -> Call:
    entry = to_entry(row) if row["state"] == "answered" else None
    unusable = row["state"] == "answered" and entry is None
    text = "" if entry is None else " ".join(candidate.text for candidate in entry.answer.candidates)
    return Call(
        datetime.fromtimestamp(row["asked_at"], UTC), row["provider"], row["endpoint"], bool(row["emulated"]),
        row["image_sha256"], row["state"], row["cost_usd"], UNUSABLE if unusable else row["error"],
        text or None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spending:
    """What one provider cost in one month."""

    month: str
    """Calendar month in UTC, as 2026-11."""
    provider: str
    """Name of the engine."""
    emulated: bool
    """True: nothing was really spent; the figures are what the vendor would have charged."""
    calls: int
    """Calls that were sent, >= 0."""
    usd: float
    """US dollars of the calls whose price is known, those with unknown outcome included."""
    unpriced: int
    """Calls of unknown price; their cost comes on top."""
    unknown: int
    """Calls cut off before their outcome was known; counted as paid."""


def spending(ledger: Ledger) -> list[Spending]:
    """Return the spending by month and provider, newest month first.

    Raises:
        LedgerError: the file cannot be read.
    """
    ledger.sweep()
    return [
        Spending(**{**row, "emulated": bool(row["emulated"]), "usd": round(row["usd"], 9)})
        for row in map(dict, ledger.database.read(_SPENDING))
    ]


def entries(ledger: Ledger, *, provider: str | None = None) -> Iterator[Entry]:
    """Every answer, oldest first, of one provider or of all.

    Answers that cannot be used are left out, with a warning that says how many they are.

    Raises:
        LedgerError: the file cannot be read.
    """
    ledger.database.check()
    last = unusable = 0
    while rows := ledger.database.read(_PAGE, (last, provider)):
        for row in rows:
            entry = to_entry(row)
            unusable += entry is None
            if entry is not None:
                yield entry
        last = rows[-1]["id"]
    if unusable:
        some = "1 unusable answer is" if unusable == 1 else f"{unusable} unusable answers are"
        log.warning("%s left out: invalid in the engine's protocol; asking again costs money", some)


def clear(
    ledger: Ledger,
    *,
    provider: str | None = None,
    before: datetime | None = None,
    emulated: bool | None = None,
) -> int:
    """Forget answers, so that they would be bought again; what they cost stays spent.

    Args:
        ledger: the ledger.
        provider: only this engine's; None: all.
        before: only those asked before; None: all.
        emulated: only those of emulators, or only real ones; None: both.

    Returns:
        How many answers were forgotten.

    Raises:
        LedgerError: the file cannot be written; nothing was forgotten.
    """
    until = float("inf") if before is None else before.timestamp()
    with ledger.database.transaction() as sqlite:
        return sqlite.execute(_CLEAR, (provider, until, emulated)).rowcount


_RECENT = "SELECT * FROM calls WHERE provider = coalesce(?, provider) ORDER BY id DESC LIMIT ?"
_SPENDING = """SELECT strftime('%Y-%m', asked_at, 'unixepoch') AS month, provider, emulated,
               count(*) AS calls, total(cost_usd) AS usd, count(*) - count(cost_usd) AS unpriced,
               sum(state = 'unknown') AS unknown
               FROM calls GROUP BY month, provider, emulated ORDER BY month DESC, provider, emulated"""
_PAGE = """SELECT * FROM calls WHERE id > ? AND state = 'answered' AND provider = coalesce(?, provider)
           ORDER BY id LIMIT 500"""
_CLEAR = """UPDATE calls SET state = 'cleared', answer = NULL WHERE state = 'answered'
            AND provider = coalesce(?, provider) AND asked_at < ? AND emulated = coalesce(?, emulated)"""
