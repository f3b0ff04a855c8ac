"""A clock that stands still until a test moves it."""

from dataclasses import dataclass


@dataclass
class Clock:
    now: float = 1000.0
    """Seconds since 1970, as from `time.time`."""

    def __call__(self) -> float:
        return self.now
