"""A provider with scripted answers, and a picture to ask it about."""

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
"""The answer of a `FakeProvider` to one image: a text, a whole answer, or an error to raise."""


class FakeProvider(BaseProvider):
    """Returns the lines of a script, one for each image, repeated from the top; thread-safe.

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
        """Keep the script.

        Args:
            script: at least one line; a text "7" becomes one word with a score of 0.9, an empty text no
                word.
            latency_s: seconds before each line, >= 0; above the timeout it raises TimedOut.
            price, endpoint, wants, name: as `digitrec.providers.base.Provider` says.
        """
        self.name, self.wants, self.price, self.endpoint = name, wants, price, endpoint
        self.images: list[PreparedImage] = []
        self._script = list(script)
        self._latency_s = latency_s
        self._lock = threading.Lock()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Return a fake that answers "7"."""
        return cls()

    @property
    def calls(self) -> int:
        """How many images it has read so far."""
        return len(self.images)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Return or raise the next line of the script."""
        with self._lock:
            line = self._script[len(self.images) % len(self._script)]
            self.images.append(image)
        time.sleep(min(self._latency_s, timeout))
        if self._latency_s > timeout:
            raise TimedOut(f"the fake needs {self._latency_s:g} s; allow it more time")
        if isinstance(line, DigitrecError):
            raise line
        if isinstance(line, Answer):
            return line
        return Answer((Candidate(line, 0.9),) if line else (), raw={"text": line})


def drawn_seven() -> DigitImage:
    """Return a clean dark 7 on white, 96x96 pixels."""
    pixels = np.full((96, 96), 255, np.uint8)
    pixels[20:30, 28:68] = 0
    for row in range(30, 80):
        left = 60 - (row - 30) // 2
        pixels[row, left : left + 9] = 0
    return DigitImage.open(pixels)
