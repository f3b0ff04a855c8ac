"""Some pictures at a time, given to anybody's executor, and what comes of them in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from digitrec.bulk import workers
from digitrec.bulk.reading import How, Opener, Stopped, while_possible
from digitrec.bulk.run import died, result
from digitrec.bulk.sources import deadly, portable
from digitrec.errors import DigitrecError
from digitrec.image import ImageSource
from digitrec.image.files import name_of
from digitrec.prediction import Outcome


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the pictures, as they are sent to a worker."""

    opener: Opener
    """Opens the reader in the process that reads."""
    run: str
    """For whom: all chunks of one `batch` are read by the same reader."""
    images: tuple[ImageSource, ...]
    """The pictures, each in a form that can be sent."""
    how: How
    """How each is read."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a chunk."""

    outcomes: list[Outcome]
    """Those of its first pictures, or of all."""
    stopped: DigitrecError | None = None
    """Why there are no more: it would be the same for all that follow."""


def read_chunk(chunk: Chunk) -> Read:
    """Read some pictures, in whichever process this is called."""
    outcomes: list[Outcome] = []
    with workers.opened(chunk.opener, chunk.run) as reader:
        try:
            outcomes.extend(while_possible(chunk.how.read(chunk.images, reader)))
        except Stopped as stopped:
            return Read(outcomes, stopped.why)
    return Read(outcomes)


@dataclass(frozen=True, slots=True)
class Chunks:
    """What is given to an executor, and how."""

    executor: Executor
    """Anybody's."""
    how: How
    """How each picture is read."""
    part: int
    """Pictures in a chunk, >= 1."""
    at_once: int
    """Chunks that are with the executor at the same time, >= 1."""

    def outcomes(
        self, images: Iterable[ImageSource], opener: AbstractContextManager[Opener]
    ) -> Iterator[Outcome]:
        """What comes of the pictures, in order; so many chunks are with the executor at the same time."""
        folder, run = str(Path.cwd()), os.urandom(8).hex()
        waiting = (portable(image, folder) for image in images)
        running: deque[tuple[Future[Read], Chunk]] = deque()
        with opener as opens:
            try:
                while True:
                    while len(running) < self.at_once and (some := tuple(islice(waiting, self.part))):
                        chunk = Chunk(opens, run, some, self.how)
                        running.append((self.executor.submit(read_chunk, chunk), chunk))
                    if not running:
                        return
                    for read in self._result(*running.popleft()):
                        yield from read.outcomes
                        if read.stopped is not None:
                            raise read.stopped
            finally:
                for future, _ in running:
                    future.cancel()

    def _result(self, future: Future[Read], chunk: Chunk) -> Iterator[Read]:
        """What came of a chunk; where a worker died of it and others live, picture by picture."""
        if not self._died(future):
            yield result(future, "digitrec.batch")
            return
        for image in chunk.images:
            alone = replace(chunk, images=(image,))
            future = self.executor.submit(read_chunk, alone)
            if self._died(future):
                future = self.executor.submit(read_chunk, replace(alone, images=(deadly(name_of(image)),)))
            yield result(future, "digitrec.batch")

    def _died(self, future: Future[Read]) -> bool:
        """Whether a worker died of it.

        Raises:
            DigitrecError: the executor died with it.
        """
        wait([future])
        if not died(future):
            return False
        if isinstance(error := future.exception(), BrokenExecutor):
            raise DigitrecError(
                "a process of the executor died, and the executor with it (of a picture, or of too little "
                "memory); the command `digitrec batch` finds out, and goes on"
            ) from error
        return True
