"""What the endpoints of one server share: its engines, limits and figures."""

from __future__ import annotations

from collections.abc import Sequence

from digitrec.errors import UnknownProvider
from digitrec.recognise.readers import Reader
from digitrec.web.buffering import Buffers
from digitrec.web.collecting import Collection
from digitrec.web.inference import Service
from digitrec.web.metrics import Metrics
from digitrec.web.scheduling import ConcurrencyLimit, Lanes
from digitrec.web.settings import Settings
from digitrec.web.spending import Spending


class State:
    """The state of one server."""

    def __init__(self, engines: Sequence[Reader], settings: Settings) -> None:
        """Offer these engines, at least one; the first is the default."""
        self.settings = settings
        self.metrics = Metrics()
        self.inside = ConcurrencyLimit(settings.max_requests)
        self.buffers = Buffers(settings)
        self.lanes = Lanes(settings.max_decoding_bytes)
        spending = Spending(settings.usd_per_client, settings.usd_per_day)
        services = [Service(one, settings, self.metrics, self.lanes, spending) for one in engines]
        self.services = {service.name: service for service in services}
        self.collection = None if settings.collect is None else Collection(settings.collect)

    def service(self, name: str | None) -> Service:
        """Return the engine of that name; the default for None.

        Raises:
            UnknownProvider: it is not on offer here.
        """
        name = next(iter(self.services)) if name is None else name
        if name not in self.services:
            raise UnknownProvider(
                f"this server does not offer that engine; it offers: {', '.join(self.services)}"
            )
        return self.services[name]

    def free(self) -> list[str]:
        """Return the names of the engines that are known to cost nothing."""
        return [name for name, service in self.services.items() if service.usd_per_picture == 0]

    def close(self) -> None:
        """Release the engines."""
        for service in self.services.values():
            service.close()
        self.lanes.close()
