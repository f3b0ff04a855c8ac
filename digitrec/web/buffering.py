"""Request bodies, received whole before a request takes a place, so that a stalled client blocks no other."""

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

TOO_SLOW = Problem(
    408, "too-slow", "the request did not arrive in time; send it at a stretch", {"Connection": "close"}
)


class Buffers:
    """The bodies of all requests, with a limit for each, for each client and for all together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held_for: Counter[Client] = Counter()

    @property
    def held(self) -> int:
        """Bytes in memory now."""
        return self._held_for.total()

    @asynccontextmanager
    async def body(self, client: Client, receive: Receive, deadline: float) -> AsyncIterator[Receive]:
        """Receive a whole request, count it until the end of the ``with``, and yield it as an ASGI receive.

        Args:
            client: the sender.
            receive: ASGI's, of a request of which nothing was read yet.
            deadline: the event loop's time by which the request must be complete.

        Raises:
            ProblemError: the request is too large, too slow, or more than may be held.
            ClientDisconnect: the client left.
        """
        size, pieces = 0, []
        try:
            async for piece in self._pieces(receive, deadline):
                size += len(piece)
                self._held_for[client] += len(piece)
                pieces.append(piece)
                self._check(client, size)
            messages: list[Message] = [{"type": "http.request", "body": b"".join(pieces), "more_body": False}]
            pieces.clear()

            async def received() -> Message:
                return messages.pop() if messages else await receive()

            yield received
        finally:
            self._held_for[client] -= size
            self._held_for += Counter()  # drops clients of whom nothing is held

    async def _pieces(self, receive: Receive, deadline: float) -> AsyncIterator[bytes]:
        """Yield what arrives; neither silence nor a trickle gets a body more time."""
        loop, size, more = asyncio.get_running_loop(), 0, True
        start = loop.time()
        while more:
            due = min(loop.time(), start + size / self._settings.upload_bytes_per_s)
            try:
                async with asyncio.timeout_at(min(deadline, due + self._settings.upload_grace_s)):
                    message = await receive()
            except TimeoutError as error:
                raise ProblemError(TOO_SLOW) from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            piece = message.get("body", b"")
            size += len(piece)
            yield piece

    def _check(self, client: Client, size: int) -> None:
        settings = self._settings
        if size > settings.max_body_bytes:
            raise ProblemError(problems.too_large(settings.max_body_bytes))
        if self.held > settings.max_buffered_bytes or self._held_for[client] > settings.max_client_bytes:
            raise ProblemError(problems.busy("too much is being sent at once; try again in a moment"))
