"""Which failures to retry, how long to wait first, and which may have cost money."""

from __future__ import annotations

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

FREE = (NotConfigured, NotInstalled, Unreachable, AuthFailed, QuotaExceeded, Rejected)
"""Errors of calls that were not sent, or that the vendor refused."""
FIRST_WAIT_S = 0.5
"""The wait before the second attempt is random, between 0 and this; it doubles for each further one."""
LONGEST_WAIT_S = 8.0
"""No random wait is longer than this."""
FOREVER_S = 1e9
"""Longest wait that a provider may ask for, in seconds."""


def may_be_billed(error: DigitrecError) -> bool:
    """Whether the vendor may have done the work although its answer did not arrive.

    What was never sent is free: the transport records the first byte (``error.sent``); for a provider without
    such a record the class of the error says so. A status outside 200..299 is the vendor's own word that the
    call failed, and a failed call is not billed. Anything else may be.
    """
    if getattr(error, "sent", None) is False or isinstance(error, FREE):
        return False
    if isinstance(error, TimedOut) or not isinstance(error, ProviderError):
        return True
    if isinstance(error, BadAnswer) and not _is_http(error.status):
        return True
    return error.status is None or error.status in range(200, 300)


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


def asked_wait_s(error: Exception) -> float:
    """Seconds that the provider asked to be left alone, >= 0; 0 where it said nothing of use."""
    said = getattr(error, "retry_after", None)
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return 0.0
    return float(min(said, FOREVER_S))


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
