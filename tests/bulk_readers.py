"""Readers that worker processes can open, for tests with several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from digitrec.answer import Answer, Candidate
from digitrec.engine import Engine
from digitrec.errors import ProviderError
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import FREE, BaseProvider


class Counting(BaseProvider):
    """Reads the brightness of a picture's corner; one brightness kills its process, another stops it."""

    wants = InputSpec(encoding="png")
    price = FREE
    name = "counting"

    def __init__(self, deadly: int | None, stopping: int | None, once: Path | None) -> None:
        self.signals = {deadly: signal.SIGKILL, stopping: signal.SIGSTOP}
        self.once = once

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls(None, None, None)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        value = image.picture().convert("L").getpixel((0, 0))
        if value in self.signals and (self.once is None or not self.once.exists()):
            if self.once is not None:
                self.once.touch()
            os.kill(os.getpid(), self.signals[value])
        return Answer((Candidate(str(value)[-1], 0.9),), raw={"process": os.getpid()})

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        return [self.read(image, timeout=timeout) for image in images]


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
