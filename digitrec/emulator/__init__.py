"""Emulate the vendors' APIs on 127.0.0.1, with a local engine and injected faults.

    >>> from digitrec.emulator import Emulator
    >>> with Emulator(["google"]) as emulator:  # doctest: +SKIP
    ...     print(emulator.endpoints["google"])
    http://127.0.0.1:40321

What an emulator reads says nothing about a vendor's accuracy, and every answer carries its mark:
the header ``X-Digitrec-Emulator``, a model version that starts with ``emulated-``, and the address
``/_emulator``, which `is_emulator` asks.
"""

from __future__ import annotations

from digitrec.emulator.emulator import VENDORS, Emulator, environment, serve
from digitrec.emulator.faults import Fault
from digitrec.emulator.picture import Picture, Word
from digitrec.emulator.server import Counts
from digitrec.engine.detect import is_emulator

__all__ = [
    "VENDORS", "Counts", "Emulator", "Fault", "Picture", "Word", "environment", "is_emulator",
    "serve",
]  # fmt: skip
