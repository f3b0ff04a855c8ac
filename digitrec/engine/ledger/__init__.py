"""The ledger: every paid answer, once; what was spent, and what is unknown.

Its parts::

    records.py    Question, Entry: what was asked, what was answered; and both as JSON
    seal.py       a checksum for each call, and what is done about damaged ones
    recording.py  a ledger in a file of its own, to be answered from again
    database.py   the SQLite file: opened, migrated, its errors made plain
    repair.py     a damaged one: what can be read is saved, what is lost stays counted
    book.py       Ledger: find an answer, claim a call within the budget, record what came of it
    queries.py    what the ledger knows: recent calls, spending, export, clearing
"""

from __future__ import annotations

from digitrec.engine.ledger.book import Budget, Busy, Claim, Ledger, Verdict
from digitrec.engine.ledger.recording import read_recording
from digitrec.engine.ledger.records import Entry, Question

__all__ = ["Budget", "Busy", "Claim", "Entry", "Ledger", "Question", "Verdict", "read_recording"]
