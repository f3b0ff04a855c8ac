"""Readers that worker processes can open, for tests with several processes."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine
from digitrec.image import PreparedImage


class Counting(FakeProvider):
    """Reads the brightness of a picture's corner; one brightness kills its process, another stops it."""

    def __init__(self, deadly: int | None, stopping: int | None, once: Path | None) -> None:
        super().__init__(name="counting")
        self.signals = {deadly: signal.SIGKILL, stopping: signal.SIGSTOP}
        self.once = once

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        value = image.picture().convert("L").getpixel((0, 0))
        if value in self.signals and (self.once is None or not self.once.exists()):
            if self.once is not None:
                self.once.touch()
            os.kill(os.getpid(), self.signals[value])
        return Answer((Candidate(str(value)[-1], 0.9),), raw={"process": os.getpid()})


@dataclass(frozen=True)
class Open:
    """Opens one in each process."""

    deadly: int | None = None
    """The brightness that kills its process."""
    stopping: int | None = None
    """The brightness that stops its process."""
    once: Path | None = None
    """The first kill or stop creates this file; while it exists, no other follows."""

    @contextmanager
    def __call__(self) -> Iterator[Engine]:
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()), "Ctrl-C shows a traceback"
        with Engine(Counting(self.deadly, self.stopping, self.once)) as engine:
            yield engine
