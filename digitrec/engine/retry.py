"""Which failures are worth asking again, how long to wait first, and which may have cost money."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    DigitrecError,
    NotConfigured,
    NotInstalled,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
    Unreachable,
)

RETRIED = (RateLimited, Unavailable, TimedOut)
"""Errors after which the same request may succeed.

Others need a person (`AuthFailed`), a new period (`QuotaExceeded`), or would come again (`Rejected`); after a
`BadAnswer` or a provider's own error the call may have been billed.
"""

FIRST_WAIT_S = 0.5
"""The wait before the second attempt is random, between 0 and this; it doubles for each further one."""
LONGEST_WAIT_S = 8.0
"""No random wait is longer than this."""


def is_retried(error: Exception) -> bool:
    """Whether `RETRIED` says to ask again after this error."""
    return isinstance(error, RETRIED)


def may_be_billed(error: DigitrecError) -> bool:
    """Whether the vendor may have done the work although its answer did not arrive.

    What was never sent is free: the transport records the first byte (``error.sent``); for a provider without
    such a record the class of the error says so. A status outside 200..299 is the vendor's own word that the
    call failed, and a failed call is not billed. Anything else may be.
    """
    if getattr(error, "sent", None) is False or isinstance(error, NotConfigured | NotInstalled | Unreachable):
        return False
    if isinstance(error, TimedOut):
        return True
    if isinstance(error, AuthFailed | QuotaExceeded | Rejected):
        return False
    if isinstance(error, BadAnswer):
        return not _is_refusal(error.status)
    return not isinstance(error, ProviderError) or error.status is None or _is_success(error.status)


def ends_order(error: DigitrecError) -> bool:
    """Whether an error of a poll says that nothing more will come of the order.

    That is a vendor's word that the operation itself failed (`Rejected` without an HTTP status), or that it
    is not there any more (404, 410). Anything else says something of the poll, and not of the order.
    """
    if not isinstance(error, Rejected):
        return False
    return error.status in (404, 410) or not _is_http(error.status)


def _is_http(status: object) -> bool:
    return isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600


def _is_success(status: object) -> bool:
    return isinstance(status, int) and 200 <= status < 300


def _is_refusal(status: object) -> bool:
    """Whether an HTTP status says that the work was not done."""
    return _is_http(status) and not _is_success(status)


def asked_wait_s(error: Exception) -> float:
    """Seconds that the provider asked to be left alone, >= 0; 0 where it said nothing of use."""
    said = getattr(error, "retry_after", None)
    if isinstance(said, bool) or not isinstance(said, int | float):
        return 0.0
    try:
        seconds = float(said)
    except OverflowError:
        return math.inf
    return seconds if seconds > 0 else 0.0  # no number is no wait


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
    return max(asked_wait_s(error), draw(0.0, bound))


class Backoff:
    """stamina's question after each failure: wait how long, or give up?"""

    def __init__(self, left_s: Callable[[], float]) -> None:
        """Give up where the wait would end after the deadline.

        Args:
            left_s: tells the seconds until the deadline, which waiting for a turn puts off.
        """
        self._left_s = left_s
        self._attempt = 0

    def __call__(self, error: Exception) -> float | bool:
        """Seconds to wait, or False to give up now: waiting for longer than there is helps nobody."""
        self._attempt += 1
        if not is_retried(error):
            return False
        wait = wait_s(error, self._attempt)
        return wait if wait < self._left_s() else False
