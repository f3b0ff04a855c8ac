"""A cloud that costs money and counts every call, for tests of ledger and budget."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from digitrec.answer import Answer, Candidate
from digitrec.engine import Engine, Options, Reply
from digitrec.engine.config import Config
from digitrec.engine.ledger import Call, Ledger, recent, spending
from digitrec.errors import ProviderError
from digitrec.image import ImageRef, InputSpec, PreparedImage
from digitrec.providers.base import BaseProvider, Price

PRICE = 0.001
SPEC = InputSpec("png", preparation="plain")


class PaidCloud(BaseProvider):
    """A provider that reads the image's number; its first calls follow a script."""

    wants = SPEC
    price: Price | None = Price(PRICE, "made up")

    def __init__(
        self, *, script: Mapping[int, Iterable[ProviderError | float]] | None = None,
        counter: Path | None = None, delay_s: float = 0.0, batch: int = 1, name: str = "paid",
        endpoint: str = "https://paid.example",
    ) -> None:  # fmt: skip
        """Store the script.

        Args:
            script: by an image's number, the results of its first calls: an error, or seconds to hang.
            counter: a file to which each call in any process adds a line.
            delay_s: seconds that every request takes.
            batch: maximum number of images in a request.
            name: the provider's name.
            endpoint: the provider's address.
        """
        self.name = name
        self.endpoint = endpoint
        self.batch = batch
        self.requests: list[list[int]] = []
        self._script = {number: list(steps) for number, steps in (script or {}).items()}
        self._counter = counter
        self._delay_s = delay_s

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls()

    @property
    def calls(self) -> list[int]:
        """The number of every image in a request, in order."""
        return [number for request in self.requests for number in request]

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        (outcome,) = self.read_many([image], timeout=timeout)
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        numbers = [int(image.data) for image in images]
        self.requests.append(numbers)
        if self._counter is not None:
            count(self._counter, numbers)
        time.sleep(self._delay_s)
        return [self._outcome(number) for number in numbers]

    def _outcome(self, number: int) -> Answer | ProviderError:
        steps = self._script.get(number, [])
        step = steps.pop(0) if steps else 0.0
        if isinstance(step, ProviderError):
            return step
        time.sleep(step)
        return answer(number)


def answer(number: int) -> Answer:
    return Answer((Candidate(str(number), 0.9),), None, {"read": number}, "paid-1")


def image(number: int) -> PreparedImage:
    return PreparedImage(str(number).encode(), "image/png", SPEC, ImageRef(f"{number}.png", f"sha-{number}"))


def options(folder: Path, **changed: Any) -> Options:
    settings: dict[str, Any] = {"ledger": folder / "ledger.sqlite", "config": Config(), **changed}
    return Options(**{f"_{it}" if it in {"config", "run"} else it: value for it, value in settings.items()})


def ask(cloud: PaidCloud, folder: Path, *numbers: int, **how: Any) -> list[Reply]:
    """Ask about the images with a new engine whose ledger is in the folder."""
    with Engine(cloud, options(folder, **how)) as engine:
        return engine.ask([image(number) for number in numbers])


def recorded(folder: Path) -> list[Call]:
    """Return the calls in the folder's ledger, the newest first."""
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        return recent(ledger)


def spent(folder: Path) -> float:
    """Return the US dollars that the folder's ledger counts for this month and the first provider."""
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        return spending(ledger)[0].usd


def count(counter: Path, numbers: Iterable[int]) -> None:
    """Add a line for each number, in one write: several processes may count at once."""
    file = os.open(counter, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, "".join(f"{number}\n" for number in numbers).encode())
    os.close(file)


def counted(counter: Path) -> list[int]:
    """Every call so far, by the number of its image."""
    return [int(line) for line in counter.read_text().split()] if counter.exists() else []
