"""The ledger: every paid answer, once; what was spent, and what is unknown.

Its parts::

    records.py    Question, Entry: what was asked, what was answered; and both as JSON
    database.py   the SQLite file: opened, migrated, its errors made plain
    repair.py     copies what can be read of a damaged file into a new one
    book.py       Ledger: find an answer, claim a call within the budget, record its result
    queries.py    what the ledger knows: recent calls, spending, export, clearing
"""

from __future__ import annotations

from digitrec.engine.ledger.book import Budget, Claim, Ledger, Verdict
from digitrec.engine.ledger.records import Entry, Question

__all__ = ["Budget", "Claim", "Entry", "Ledger", "Question", "Verdict"]
