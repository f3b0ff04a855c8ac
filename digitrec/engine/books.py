"""Ledger, rate limit and recording, as the options choose them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from digitrec.engine import config
from digitrec.engine.asking import Options
from digitrec.engine.config import Config
from digitrec.engine.ledger import Ledger
from digitrec.engine.ledger.recording import Recorder
from digitrec.engine.rate import Limiter
from digitrec.errors import NotConfigured


@dataclass(frozen=True, slots=True)
class Books:
    """What is open while a provider is asked."""

    ledger: Ledger
    """Where calls and answers are kept."""
    limiter: Limiter
    """The queue of turns."""
    recorder: Recorder | None = None
    """The recording that is made; None: no recording."""

    def close(self) -> None:
        """Close everything.

        Raises:
            LedgerError: an answer could not be written into the recording; it is in the ledger.
        """
        self.ledger.close()
        self.limiter.close()
        if self.recorder is not None:
            self.recorder.close()


def open_books(options: Options, settings: Config, *, emulated: bool) -> Books:
    """Open ledger, rate limit and recording.

    Args:
        options: how an engine is asked.
        settings: the configuration.
        emulated: whether an emulator is asked, which costs nothing of a month's budget.

    Raises:
        NotConfigured: there is a monthly budget and no ledger to keep it.
        LedgerError: the ledger or the recording cannot be opened.
    """
    recorder = None if options.record is None else Recorder(options.record)
    if options._owner is not None:
        from digitrec.engine.far import far_books  # few keep their books elsewhere

        return Books(*far_books(options._owner), recorder)
    ledger = Ledger(_path(options, settings, emulated), fresh=options.fresh)
    return Books(ledger, Limiter(config.default_ledger().with_name("rate.sqlite")), recorder)


def _path(options: Options, settings: Config, emulated: bool) -> Path | None:
    if options.ledger == "default":
        return settings.ledger or config.default_ledger()
    if options.ledger != "none":
        return Path(options.ledger)
    if settings.per_month is not None and not emulated:
        raise NotConfigured("a monthly budget cannot be kept without the ledger; leave out --no-ledger")
    return None
