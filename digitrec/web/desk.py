"""What the endpoints share: the engines on offer, the limits, the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digitrec.errors import UnknownProvider
from digitrec.recognise import readers
from digitrec.web.gate import Places
from digitrec.web.metrics import Metrics
from digitrec.web.reader import Reader
from digitrec.web.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """One server's state."""

    readers: dict[str, Reader]
    """The engines on offer by name, the default first; never empty."""
    settings: Settings
    """The limits."""
    metrics: Metrics
    """The figures."""
    places: Places
    """Who is inside."""

    @classmethod
    def open(cls, engines: Sequence[readers.Reader], settings: Settings) -> Desk:
        """A desk for these engines."""
        places = Places(settings.max_requests)
        metrics = Metrics(turned_away=lambda: places.turned_away)
        readers = [Reader(engine, settings, metrics) for engine in engines]
        return cls({reader.name: reader for reader in readers}, settings, metrics, places)

    def reader(self, name: str | None) -> Reader:
        """The engine of that name; the default for None.

        Raises:
            UnknownProvider: it is not on offer here.
        """
        if name is None:
            return next(iter(self.readers.values()))
        if name not in self.readers:
            raise UnknownProvider(
                f"this server does not offer that engine; it offers: {', '.join(self.readers)}"
            )
        return self.readers[name]

    def free(self) -> list[str]:
        """The engines that are known to cost nothing."""
        return [name for name, reader in self.readers.items() if reader.usd_per_picture == 0]

    def close(self) -> None:
        """Release the engines."""
        for reader in self.readers.values():
            reader.close()
