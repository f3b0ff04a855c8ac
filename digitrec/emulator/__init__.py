"""The vendors' wire protocols on 127.0.0.1, with an engine of this machine behind them and faults on demand.

    >>> from digitrec.emulator import Emulator
    >>> with Emulator(["google"]) as emulator:  # doctest: +SKIP
    ...     print(emulator.endpoints["google"])
    http://127.0.0.1:40321

What an emulator reads says nothing about a vendor's accuracy, and every answer carries its mark:
the header ``X-Digitrec-Emulator``, a model version that starts with ``emulated-``, and the address
``/_emulator``, which `is_emulator` asks. The names below are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitrec.emulator.credentials import Credentials as Credentials
    from digitrec.emulator.emulator import VENDORS as VENDORS
    from digitrec.emulator.emulator import Emulator as Emulator
    from digitrec.emulator.emulator import environment as environment
    from digitrec.emulator.emulator import serve as serve
    from digitrec.emulator.faults import Fault as Fault
    from digitrec.emulator.picture import Picture as Picture
    from digitrec.emulator.picture import Word as Word
    from digitrec.emulator.server import Counts as Counts
    from digitrec.engine.detect import is_emulator as is_emulator

_HOME = {
    "VENDORS": "digitrec.emulator.emulator",
    "Counts": "digitrec.emulator.server",
    "Credentials": "digitrec.emulator.credentials",
    "Emulator": "digitrec.emulator.emulator",
    "Fault": "digitrec.emulator.faults",
    "Picture": "digitrec.emulator.picture",
    "Word": "digitrec.emulator.picture",
    "environment": "digitrec.emulator.emulator",
    "is_emulator": "digitrec.engine.detect",
    "serve": "digitrec.emulator.emulator",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (names come from the table above)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'digitrec.emulator' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
