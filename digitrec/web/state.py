"""The application's state, which its endpoints share: the engines on offer, the limits, the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digitrec.errors import UnknownProvider
from digitrec.recognise.readers import Reader
from digitrec.web.buffering import Buffers
from digitrec.web.collecting import Collection
from digitrec.web.inference import Service
from digitrec.web.looking import Looks
from digitrec.web.metrics import Metrics
from digitrec.web.scheduling import ConcurrencyLimit, Lanes
from digitrec.web.settings import Settings
from digitrec.web.spending import Spending


@dataclass(frozen=True, slots=True)
class AppState:
    """One server's state."""

    services: dict[str, Service]
    """The engines on offer by name, the default first; never empty."""
    settings: Settings
    """The limits."""
    metrics: Metrics
    """The figures."""
    inside: ConcurrencyLimit
    """The requests at work."""
    lanes: Lanes
    """Where pictures are decoded and prepared."""
    buffers: Buffers
    """What is held of all requests."""
    looks: Looks
    """Pictures and explanations to look at."""
    collection: Collection | None
    """What visitors have labelled, where that is kept."""

    @classmethod
    def open(cls, engines: Sequence[Reader], settings: Settings) -> AppState:
        """The state of a server for these engines, the first of them the default."""
        inside = ConcurrencyLimit(settings.max_requests)
        metrics = Metrics()
        lanes = Lanes(settings.max_decoding_bytes)
        spending = Spending(settings.usd_per_client, settings.usd_per_day)
        services = [Service(engine, settings, metrics, lanes, spending) for engine in engines]
        by_name = {service.name: service for service in services}
        collection = None if settings.collect is None else Collection(settings.collect)
        looks = Looks(lanes)
        return cls(by_name, settings, metrics, inside, lanes, Buffers(settings), looks, collection)

    def service(self, name: str | None) -> Service:
        """The engine of that name; the default for None.

        Raises:
            UnknownProvider: it is not on offer here.
        """
        if name is None:
            return next(iter(self.services.values()))
        if name not in self.services:
            raise UnknownProvider(
                f"this server does not offer that engine; it offers: {', '.join(self.services)}"
            )
        return self.services[name]

    def free(self) -> list[str]:
        """The engines that are known to cost nothing."""
        return [name for name, service in self.services.items() if service.usd_per_picture == 0]

    def close(self) -> None:
        """Release the engines."""
        for service in self.services.values():
            service.close()
        self.looks.close()
        self.lanes.close()
