"""The workers of a Dask cluster, as `run.spread` wants its crew (the extra ``batch``)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from digitrec.bulk.run import Crew
from digitrec.errors import NotConfigured
from digitrec.providers.base import not_installed

CONNECT_S = 10
"""Seconds within which the scheduler must answer."""
LEAST = 8
"""A cluster is taken for so many workers at least, when parts are made and given out: so one that joins has
work at once, and a cluster that grows by its queue sees one. Each part costs Dask some 10 ms."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answered."""

    crew: Crew
    """Its workers."""
    host: str
    """The address of this machine on the way to its scheduler."""


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The cluster of a scheduler, for as long as this lasts; it may have no worker yet.

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
    try:
        get_address_host(address)  # a client that was never made whole would hang when it goes
        if address.startswith("tls://") and Security().get_connection_args("client")["ssl_context"] is None:
            raise ValueError("Dask's configuration names no keys")
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # out of reach, no address, no keys for tls
        raise NotConfigured(
            f"{address}: no Dask scheduler answers there ({type(error).__name__}); start one with "
            "`dask scheduler`, or correct the address"
        ) from error
    with client:

        def executor(count: int) -> Executor:
            given: Executor = client.get_executor(pure=False)  # a part that is read again is no repetition
            return given

        crew = Crew(executor, lambda: max(LEAST, len(client.nthreads())))
        yield Cluster(crew, get_ip(get_address_host(client.scheduler.address)))
