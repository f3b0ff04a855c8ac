"""Request bodies, held whole before a request takes a place: one that falls silent costs nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from digitrec.web import problems
from digitrec.web.clients import Client
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.settings import Settings


class Buffers:
    """The bodies of all requests, with a bound for each, for each client and for all together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held_for: Counter[Client] = Counter()
        """Bytes that are held for each client that has a request under way."""
        self._arriving: dict[Client, dict[_Arrival, None]] = {}
        """Each client's bodies that are not there yet, the one that has been silent for longest first."""

    @property
    def held(self) -> int:
        """Bytes that are held at this moment."""
        return self._held_for.total()

    @asynccontextmanager
    async def body(self, client: Client, receive: Receive, deadline: float) -> AsyncIterator[Receive]:
        """The request as ``receive`` gives it, once all of it is there; held until the end of the ``with``.

        Args:
            client: who sends it.
            receive: ASGI's, of a request of which nothing was read yet.
            deadline: the event loop's time by which it must be there.

        Raises:
            ProblemError: it is too large, too slow, or more than can be held.
            ClientDisconnect: the client left.
        """
        arrival = _Arrival(client)
        self._arriving.setdefault(client, {})[arrival] = None
        try:
            try:
                await self._arrive(arrival, receive, deadline)
            finally:
                self._arrived(arrival)
            yield _replay(arrival.body, receive)
        finally:
            self._held_for[client] -= arrival.size
            if not self._held_for[client]:
                del self._held_for[client]

    async def _arrive(self, arrival: _Arrival, receive: Receive, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            async with arrival.clock:
                while True:
                    arrival.clock.reschedule(min(deadline, self._patience(arrival, start, loop.time())))
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    self._hold(arrival, message.get("body", b""))
                    if not message.get("more_body", False):
                        return
                    self._make_room(arrival)
        except TimeoutError as error:
            raise ProblemError(TOO_SLOW) from error

    def _patience(self, arrival: _Arrival, start: float, now: float) -> float:
        """Until when the next piece must come: neither silence nor a trickle wins a body more time."""
        settings = self._settings
        due = start + arrival.size / settings.upload_bytes_per_s
        return min(now, due) + settings.upload_grace_s

    def _hold(self, arrival: _Arrival, piece: bytes) -> None:
        settings, client = self._settings, arrival.client
        arrival.body += piece
        arrival.size += len(piece)
        self._held_for[client] += len(piece)
        if arrival.size > settings.max_body_bytes:
            raise ProblemError(too_large(settings))
        full = self.held > settings.max_buffered_bytes
        if full or self._held_for[client] > settings.max_client_bytes:
            raise ProblemError(problems.busy("too much is being sent at once; try again in a moment"))

    def _make_room(self, arrival: _Arrival) -> None:
        """Give up the client's body that has been silent for longest where it is sending too many."""
        mine = self._arriving.get(arrival.client, {})
        if arrival not in mine:  # given up before it had said more
            raise ProblemError(TOO_SLOW)
        mine[arrival] = mine.pop(arrival)
        if len(mine) > self._settings.max_client_uploads:
            silent = next(iter(mine))
            del mine[silent]
            if not silent.clock.expired():
                silent.clock.reschedule(0)

    def _arrived(self, arrival: _Arrival) -> None:
        mine = self._arriving.get(arrival.client, {})
        mine.pop(arrival, None)
        if not mine:
            self._arriving.pop(arrival.client, None)


class _Arrival:
    """One body on its way."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.clock = asyncio.timeout(None)
        self.body = bytearray()
        self.size = 0


TOO_SLOW = Problem(
    408, "too-slow", "the request did not arrive in time; send it at a stretch", {"Connection": "close"}
)


def too_large(settings: Settings) -> Problem:
    """What a client is told that sends more than it may."""
    limit = settings.max_body_bytes / 1_000_000
    return Problem(413, "too-large", f"the request is larger than {limit:g} MB; scale the picture down")


def _replay(body: bytearray, receive: Receive) -> Receive:
    """An ASGI ``receive`` that gives the whole body, and after it whatever comes; the body is emptied."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given, whole = True, bytes(body)
        body.clear()
        return {"type": "http.request", "body": whole, "more_body": False}

    return replayed
