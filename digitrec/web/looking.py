"""Looks at a picture beside its reading: as it is read here, and why the network says what it says."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PIL import Image

from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.image.formats import kind
from digitrec.recognise.explain import Explanation, explain
from digitrec.web.clients import Client
from digitrec.web.problems import REFUSED
from digitrec.web.scheduling import Lanes, Turns

THUMBNAIL = 512
"""Longer side at most of a picture that is shown or kept, px."""
EXPLAINED = 1
"""Explanations under way at the same time: one asks the network 785 times, which takes 0.3 s (twice that
with a look inside two readings)."""


class Looks:
    """Opens pictures and explains readings, in turn for all clients."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._turns = Turns(EXPLAINED)
        self._thread = ThreadPoolExecutor(EXPLAINED, "digitrec-explain")

    async def thumbnail(self, client: Client, picture: bytes) -> Image.Image:
        """The picture upright and opaque, its pixels alone, at most `THUMBNAIL` px long.

        Raises:
            ImageError: it cannot be read here.
        """
        return await self._lanes.run(client, picture, None, partial(_thumbnail, picture))

    async def explain(
        self, client: Client, picture: bytes, engine: Engine, *, inside: bool = False, hiding: bool = True
    ) -> Explanation:
        """What led to the engine's answer; the engine reads 28x28 pixels on this machine.

        Args:
            client: who asks.
            picture: as it was sent.
            engine: whose answer is explained.
            inside: also look inside the network.
            hiding: hide the ink piece by piece, which takes nearly all of the time.

        Raises:
            ImageError: the picture cannot be read here.
            ProviderError: the engine gave no usable answer.
        """
        async with self._turns.turn(client):
            image = await self._lanes.run(client, picture, None, partial(_open, picture))
            work = partial(explain, image, engine, inside=inside, hiding=hiding)
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Let what is under way end."""
        self._thread.shutdown()


def _open(picture: bytes) -> DigitImage:
    if (found := kind(picture)) in REFUSED:
        raise ImageError(f"{found} is not read here; send a JPEG or a PNG")
    return DigitImage.open(picture)


def _thumbnail(picture: bytes) -> Image.Image:
    return _open(picture).thumbnail(THUMBNAIL)
