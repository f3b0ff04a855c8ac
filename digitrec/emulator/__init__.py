"""Emulate the vendors' APIs on 127.0.0.1, with a local engine and injected faults.

    >>> from digitrec.emulator import Emulator
    >>> with Emulator(["google"]) as emulator:  # doctest: +SKIP
    ...     print(emulator.endpoints["google"])
    http://127.0.0.1:40321

An emulator's answers say nothing about a vendor's accuracy, and every answer is marked: by the header
``X-Digitrec-Emulator``, by a model version that starts with ``emulated-``, and by the address
``/_emulator``, which `is_emulator` requests.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

from digitrec.emulator.faults import Fault
from digitrec.emulator.reading import Picture, Read, Word, open_reader
from digitrec.emulator.server import Counts, Server
from digitrec.emulator.vendors.aws import Aws, AwsTextract
from digitrec.emulator.vendors.azure import Azure, AzureAnalysis, AzureDocument, AzureVendor
from digitrec.emulator.vendors.base import Vendor
from digitrec.emulator.vendors.google import Google
from digitrec.emulator.vendors.openai import OpenAi
from digitrec.engine.detect import is_emulator
from digitrec.errors import CannotListen, UnknownProvider

__all__ = ["VENDORS", "Counts", "Emulator", "Fault", "Picture", "Word", "environment", "is_emulator", "serve"]

_ALL: tuple[type[Vendor], ...] = (Google, Aws, AwsTextract, Azure, AzureAnalysis, AzureDocument, OpenAi)
VENDORS: Mapping[str, type[Vendor]] = {vendor.name: vendor for vendor in _ALL}
"""The vendors by name."""


def environment(vendor: str, endpoint: str) -> dict[str, str]:
    """Return the variables through which programs find a vendor's emulator, with keys that it accepts."""
    return {name: value.format(endpoint) for name, value in VENDORS[vendor].variables.items()}


class Emulator:
    """The APIs of one or more vendors on 127.0.0.1, during a ``with`` block.

    with Emulator(["aws"], engine="local") as emulator:
        client = boto3.client("rekognition", endpoint_url=emulator.endpoints["aws"], ...)
        ...
        assert emulator.calls("aws") == 1
    """

    def __init__(
        self,
        vendors: Iterable[str] = tuple(VENDORS),
        *,
        engine: str | Read = "local",
        faults: Iterable[str] = (),
        keys: Collection[str] | None = None,
        port: int = 0,
    ) -> None:
        """Bind the ports and open the engine; ``with`` or `start` starts the answers.

        Args:
            vendors: names from `VENDORS`.
            engine: reads the pictures: "local", or a function from a `Picture` to its `Word` objects.
            faults: the faults as for `Fault.parse`, for every vendor to which they apply.
            keys: the only keys that the vendors accept, for AWS key ids; None: any key (Google: also no key).
            port: port of the first vendor, followed by those of the others; 0: any free ports.

        Raises:
            UnknownProvider: no vendor has this name.
            NotConfigured, ModelError: the engine cannot be used.
            CannotListen: a port cannot be used.
            ValueError: a fault is invalid.
            TypeError: ``keys`` is one text, or ``engine`` cannot be called.
        """
        if isinstance(keys, str) or not (isinstance(engine, str) or callable(engine)):
            raise TypeError(f"keys must be a set of texts, and engine 'local' or a function, got {engine!r}")
        names = list(dict.fromkeys(vendors))
        unknown = [name for name in names if name not in VENDORS]
        if unknown or not names:
            what = f"no vendor is called {unknown[0]!r}" if unknown else "no vendor was named"
            raise UnknownProvider(f"{what}; there are: {', '.join(VENDORS)}")
        reader, label = open_reader(engine), engine if isinstance(engine, str) else "function"
        emulated = [VENDORS[name](label, reader, keys) for name in names]
        given = [Fault.parse(text) for text in faults]
        self._servers: dict[str, Server] = {}
        for place, vendor in enumerate(emulated):
            met = [fault for fault in given if vendor.may_meet(fault.kind)]
            self._servers[vendor.name] = self._bind(vendor, port + place if port else 0, met)
        resource = [server for server in self._servers.values() if isinstance(server.vendor, AzureVendor)]
        for server in resource:
            server.resource = resource

    def _bind(self, vendor: Vendor, port: int, faults: Sequence[Fault]) -> Server:
        try:
            return Server(vendor, port, faults)
        except (OSError, OverflowError) as error:
            self.stop()
            why = getattr(error, "strerror", None) or str(error)
            raise CannotListen(f"port {port} of 127.0.0.1 cannot be used ({why}); choose another") from error

    @property
    def endpoints(self) -> dict[str, str]:
        """The address of each vendor, such as {"google": "http://127.0.0.1:8001"}."""
        return {name: server.endpoint for name, server in self._servers.items()}

    def calls(self, vendor: str) -> int:
        """Return the number of requests to a vendor so far, without polls and the control endpoint."""
        return self.counts(vendor).calls

    def counts(self, vendor: str) -> Counts:
        """Return a vendor's counters."""
        return self._servers[vendor].counts()

    def set_faults(self, vendor: str, *faults: str) -> None:
        """Replace a vendor's faults (see `Fault.parse`); without arguments remove all faults.

        Raises:
            ValueError: a fault is invalid, or does not apply to this vendor.
        """
        server = self._servers[vendor]
        given = [Fault.parse(text) for text in faults]
        for fault in given:
            if not server.vendor.may_meet(fault.kind):
                raise ValueError(f"{vendor} is not polled, so it has no {fault.kind}")
        server.set_faults(given)

    def start(self) -> None:
        """Start to answer; do nothing if it was started before."""
        for server in self._servers.values():
            server.start()

    def stop(self) -> None:
        """Stop at once, even during hanging requests, and free the ports."""
        for server in self._servers.values():
            server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(vendors: Sequence[str] = tuple(VENDORS), *, say: Callable[[str], None], **options: Any) -> None:
    """Run an `Emulator` until Ctrl-C.

    Args:
        vendors, options: as for `Emulator`.
        say: prints a line: the addresses, and the variables to set.

    Raises:
        DigitrecError, ValueError: as for `Emulator`.
    """
    with Emulator(vendors, **options) as emulator:
        try:
            variables = {"NO_PROXY": "127.0.0.1"}
            for name, endpoint in emulator.endpoints.items():
                say(f"{name}: {endpoint}")
                variables |= environment(name, endpoint) | variables
            say("digitrec answers, not the vendors: this does not show their accuracy. Stop with Ctrl-C.")
            say("")
            for variable, value in variables.items():
                say(f"export {variable}={value}")
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            say("stopped")
