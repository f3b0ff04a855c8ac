"""Which failures are worth asking again, how long to wait first, and which may have cost money."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
    Unreachable,
)

RETRIED: Mapping[type[ProviderError], bool] = {
    RateLimited: True,  # asked too fast: the same request is welcome later
    Unavailable: True,  # out of reach or broken for the moment
    Unreachable: True,  # a network comes back
    TimedOut: True,  # another attempt may be quicker, while the deadline allows one
    QuotaExceeded: False,  # a day's or month's allowance does not come back within a deadline
    AuthFailed: False,  # only a person can correct a key
    Rejected: False,  # the same image would be refused again
    BadAnswer: False,  # the call may have been billed, and what sits in between would answer the same
    ProviderError: False,  # a stranger's own error: we know nothing about it
}
"""Whether a failed call is repeated; the nearest class counts."""

FIRST_WAIT_S = 0.5
"""The wait before the second attempt is random, between 0 and this; it doubles for each further one."""
LONGEST_WAIT_S = 8.0
"""No random wait is longer than this."""


def is_retried(error: Exception) -> bool:
    """Whether `RETRIED` says to ask again after this error."""
    return next((RETRIED[kind] for kind in type(error).__mro__ if kind in RETRIED), False)


def may_be_billed(error: ProviderError) -> bool:
    """Whether the vendor may have done the work although its answer did not arrive.

    A status is the vendor's own word that the call failed, and a failed call is not billed. Without
    one the connection broke or nobody answered in time, unless there never was a connection; a
    `BadAnswer` did answer, with something.
    """
    if isinstance(error, Unavailable):
        return error.status is None and not isinstance(error, Unreachable)
    return isinstance(error, TimedOut | BadAnswer)


def wait_s(error: Exception, attempt: int, draw: Callable[[float, float], float] = random.uniform) -> float:
    """How many seconds to wait after an attempt failed.

    Full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): random
    between 0 and an exponentially growing bound, but never less than the provider asked for.

    Args:
        error: what the attempt ended with; its ``retry_after`` is honoured.
        attempt: which attempt that was, from 1.
        draw: gives a random number between its two arguments.
    """
    bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1))
    return max(getattr(error, "retry_after", None) or 0.0, draw(0.0, bound))


class Backoff:
    """stamina's question after each failure: wait how long, or give up?"""

    def __init__(self, deadline: float) -> None:
        """Give up where the wait would end after ``deadline``, in seconds of `time.monotonic`."""
        self._deadline = deadline
        self._attempt = 0

    def __call__(self, error: Exception) -> float | bool:
        """Seconds to wait, or False to give up now: waiting for longer than there is helps nobody."""
        self._attempt += 1
        if not is_retried(error):
            return False
        wait = wait_s(error, self._attempt)
        return wait if time.monotonic() + wait < self._deadline else False
