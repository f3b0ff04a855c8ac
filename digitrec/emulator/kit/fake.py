"""A provider that says what it was told to say, and a picture to ask it about."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from digitrec.answer import Answer, Candidate
from digitrec.errors import DigitrecError, TimedOut
from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.providers.base import FREE, BaseProvider, Price

Line = str | Answer | DigitrecError
"""What a `FakeProvider` says to one image: a text, a whole answer, or an error to raise."""


class FakeProvider(BaseProvider):
    """Says the lines of a script, one for each image, and from the top again; safe across threads.

    >>> fake = FakeProvider(["7", TimedOut("too slow"), Answer()])
    """

    def __init__(
        self,
        script: Sequence[Line] = ("7",),
        *,
        latency_s: float = 0.0,
        price: Price | None = FREE,
        endpoint: str | None = None,
        wants: InputSpec = InputSpec(encoding="png"),
        name: str = "fake",
    ) -> None:
        """Learn the script.

        Args:
            script: at least one line; a text "7" is answered as one word with a score of 0.9, an empty
                one with no word.
            latency_s: seconds before each line, >= 0; with more than the timeout it is TimedOut instead.
            price, endpoint, wants, name: as `digitrec.providers.base.Provider` says.
        """
        self.name, self.wants, self.price, self.endpoint = name, wants, price, endpoint
        self.images: list[PreparedImage] = []
        self._script = list(script)
        self._latency_s = latency_s
        self._lock = threading.Lock()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """One that says "7"."""
        return cls()

    @property
    def calls(self) -> int:
        """How many images it was asked about so far."""
        return len(self.images)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """The next line of the script."""
        with self._lock:
            line = self._script[len(self.images) % len(self._script)]
            self.images.append(image)
        time.sleep(min(self._latency_s, timeout))
        if self._latency_s > timeout:
            raise TimedOut("the fake was told to be slow; allow it more time")
        if isinstance(line, DigitrecError):
            raise line
        if isinstance(line, Answer):
            return line
        return Answer((Candidate(line, 0.9),) if line else (), raw={"text": line})


def drawn_seven() -> DigitImage:
    """A clean dark 7 on white, 96x96."""
    pixels = np.full((96, 96), 255, np.uint8)
    pixels[20:30, 28:68] = 0
    for row in range(30, 80):
        left = 60 - (row - 30) // 2
        pixels[row, left : left + 9] = 0
    return DigitImage.open(pixels)
