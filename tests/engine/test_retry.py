"""Which failures are repeated, how long the wait is, and which may have cost money."""

from __future__ import annotations

import pytest

from digitrec import errors
from digitrec.engine.retry import LONGEST_WAIT_S, RETRIED, Backoff, is_retried, may_be_billed, wait_s
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

# error, is it repeated, may it have been billed
TABLE = [
    (RateLimited("slow down", status=429), True, False),
    (RateLimited("slow down", status="ThrottlingException", retry_after=2.0), True, False),
    (Unavailable("broken", status=503), True, False),
    (Unavailable("connection reset"), True, True),
    (Unreachable("connection refused"), True, False),
    (TimedOut("nobody answered"), True, True),
    (QuotaExceeded("the day's calls are spent", status=403), False, False),
    (AuthFailed("wrong key", status=401), False, False),
    (Rejected("not an image", status=400), False, False),
    (BadAnswer("HTML", status=200), False, True),
    (ProviderError("a stranger's own"), False, True),
]


@pytest.mark.parametrize(("error", "repeated", "billed"), TABLE, ids=lambda it: type(it).__name__)
def test_table(error: ProviderError, repeated: bool, billed: bool) -> None:
    assert is_retried(error) is repeated
    assert may_be_billed(error) is billed


def test_every_provider_error_is_in_the_table() -> None:
    ours = {it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, ProviderError)}
    assert ours == set(RETRIED)


def test_a_programming_error_is_not_repeated() -> None:
    assert not is_retried(ZeroDivisionError())


def test_the_random_wait_doubles_up_to_a_bound() -> None:
    longest = [wait_s(Unavailable("x"), attempt, lambda low, high: high) for attempt in (1, 2, 3, 9)]
    assert longest == [0.5, 1.0, 2.0, LONGEST_WAIT_S]
    assert wait_s(Unavailable("x"), 5, lambda low, high: low) == 0.0


def test_the_wait_is_never_shorter_than_the_provider_asked() -> None:
    assert wait_s(RateLimited("x", retry_after=3.0), 1) == 3.0
    assert wait_s(Unavailable("x", retry_after=20.0), 1) == 20.0
    assert wait_s(RateLimited("x", retry_after=0.1), 4, lambda low, high: high) == 4.0


def test_it_gives_up_where_the_wait_would_pass_the_deadline() -> None:
    backoff = Backoff(lambda: 60.0)
    assert backoff(RateLimited("x", retry_after=30.0)) == 30.0
    assert backoff(RateLimited("x", retry_after=90.0)) is False
    assert backoff(AuthFailed("x")) is False
