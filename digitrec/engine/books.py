"""The ledger and the queue that an engine's options mean."""

from __future__ import annotations

from pathlib import Path

from digitrec.engine import config
from digitrec.engine.asking import Options
from digitrec.engine.config import Config
from digitrec.engine.ledger import Ledger
from digitrec.engine.rate import Limiter
from digitrec.errors import NotConfigured


def books(options: Options, settings: Config, *, emulated: bool) -> tuple[Ledger, Limiter]:
    """Both, opened.

    Args:
        options: how an engine is asked.
        settings: the standing settings.
        emulated: an emulator is asked, which costs nothing of a month's budget.

    Raises:
        NotConfigured: there is a monthly budget and no ledger to keep it.
        LedgerError: the ledger cannot be opened.
    """
    ledger = Ledger(_path(options, settings, emulated), fresh=options.fresh)
    return ledger, Limiter(config.default_ledger().with_name("rate.sqlite"))


def _path(options: Options, settings: Config, emulated: bool) -> Path | None:
    if options.ledger == "default":
        return settings.ledger or config.default_ledger()
    if options.ledger != "none":
        return Path(options.ledger)
    if settings.per_month is not None and not emulated:
        raise NotConfigured("a monthly budget cannot be kept without the ledger; leave out --no-ledger")
    return None
