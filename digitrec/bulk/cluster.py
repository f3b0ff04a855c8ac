"""The workers of a Dask cluster as a crew (the extra ``batch``)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any

from digitrec.errors import DigitrecError, NotConfigured
from digitrec.providers.base import not_installed

CONNECT_S = 10
"""Seconds within which the scheduler must answer when the batch begins."""
ANSWER_S = 30
"""The same later."""
WORKERLESS_S = 1800.0
"""Longest time without any worker, in seconds: an autoscaler may have to start machines."""
LEAST = 8
"""Workers that a cluster is taken to have at least when parts are made and given out: one that joins finds
work, and a cluster that grows with its queue sees a queue. Each part costs Dask some 10 ms."""
_LOGGERS = ("distributed", "tornado", "asyncio")
"""Loggers to which Dask writes tracebacks when its scheduler stops."""


class Cluster:
    """A cluster whose scheduler answered."""

    def __init__(self, client: Any, address: str, host: str) -> None:
        self.executor: Executor = client.get_executor(pure=False)  # a part may be read twice
        """Gives tasks to its workers."""
        self.host = host
        """The address of this machine on the way to the scheduler."""
        self._client, self._address = client, address
        self._seen = time.monotonic()

    def workers(self) -> int:
        """Return how many workers there are, `LEAST` at least.

        Raises:
            DigitrecError: the scheduler does not answer, or there was no worker for `WORKERLESS_S`.
        """
        try:
            if self._client.status != "running":
                raise OSError(self._client.status)
            count = len(self._client.sync(self._client.scheduler.ncores, callback_timeout=ANSWER_S))
        except Exception as error:  # of Dask, tornado or asyncio
            raise DigitrecError(
                f"the Dask scheduler at {self._address} stopped responding; start it again and rerun with "
                "--resume"
            ) from error
        if count:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > WORKERLESS_S:
            raise DigitrecError(
                f"the Dask cluster at {self._address} has had no worker for {WORKERLESS_S / 60:.0f} minutes; "
                "start workers and rerun with --resume"
            )
        return max(LEAST, count)


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler of a cluster, which may have no worker yet.

    Args:
        address: such as ``tcp://10.0.0.7:8786``; for ``tls://`` Dask's own configuration names the keys.

    Raises:
        NotInstalled: without the extra ``batch``.
        NotConfigured: no scheduler answers there.
    """
    try:
        from distributed import Client, Security
        from distributed.comm import get_address_host
        from distributed.utils import get_ip
    except ImportError as error:
        raise not_installed("--scheduler", "batch") from error
    with _quiet():
        try:
            get_address_host(address)  # with a wrong address the client could not be closed
            keys = Security().get_connection_args("client")["ssl_context"]
            if address.startswith("tls://") and keys is None:
                raise ValueError("Dask's configuration names no keys")
            client = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:  # out of reach, not an address, no keys for tls
            raise NotConfigured(
                f"{address}: no Dask scheduler answers there ({type(error).__name__}); start one with "
                "`dask scheduler`, or correct the address"
            ) from error
        try:
            yield Cluster(client, address, get_ip(get_address_host(address)))
        finally:
            with suppress(Exception):  # the scheduler may be gone
                client.close(timeout=CONNECT_S)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the loggers that would print tracebacks beside our one line.

    Each has a level of its own, which Dask sets when it is imported.
    """
    known = [*_LOGGERS, *logging.root.manager.loggerDict]
    loggers = [logging.getLogger(name) for name in known if name.partition(".")[0] in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
