"""Retried failures, their waits, and failures that may have cost money."""

from __future__ import annotations

import pytest

from digitrec.engine.retry import (
    FOREVER_S,
    LONGEST_WAIT_S,
    RETRIED,
    asked_wait_s,
    may_be_billed,
    wait_s,
)
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    DigitrecError,
    LedgerError,
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
    (BadAnswer("HTML"), False, True),
    (BadAnswer("HTML", status=503), False, False),
    (ProviderError("a stranger's own"), False, True),
    (NotConfigured("no key"), False, False),
    (NotInstalled("no SDK"), False, False),
    (LedgerError("full"), False, True),
    *((ProviderError("a stranger's own", status=status), False, True) for status in (200, 299)),
    *((ProviderError("a stranger's own", status=status), False, False) for status in (199, 300, 500, "Bad")),
    *((BadAnswer("HTML", status=status), False, False) for status in (100, 199, 300, 599)),
    *((BadAnswer("HTML", status=status), False, True) for status in (99, 299, 600, True, "Odd")),
]


@pytest.mark.parametrize(("error", "repeated", "billed"), TABLE, ids=lambda it: type(it).__name__)
def test_table(error: DigitrecError, repeated: bool, billed: bool) -> None:
    assert isinstance(error, RETRIED) is repeated
    assert may_be_billed(error) is billed


def test_the_random_wait_doubles_up_to_a_bound() -> None:
    longest = [wait_s(Unavailable("x"), attempt, lambda low, high: high) for attempt in (1, 2, 3, 9)]
    assert longest == [0.5, 1.0, 2.0, LONGEST_WAIT_S]
    assert wait_s(Unavailable("x"), 5, lambda low, high: low) == 0.0


def test_the_wait_is_never_shorter_than_the_provider_asked() -> None:
    assert wait_s(RateLimited("x", retry_after=3.0), 1) == 3.0
    assert wait_s(Unavailable("x", retry_after=20.0), 1) == 20.0
    assert wait_s(RateLimited("x", retry_after=0.1), 4, lambda low, high: high) == 4.0


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (2, 2.0), (0.25, 0.25), (0, 0.0), (-3.0, 0.0), (float("nan"), 0.0), (float("inf"), FOREVER_S),
        (10**400, FOREVER_S), (True, 0.0), ("3", 0.0), (None, 0.0),
    ],
)  # fmt: skip
def test_what_the_provider_asks_for_is_a_number_of_seconds_or_nothing(said: object, wait: float) -> None:
    error = RateLimited("x")
    error.retry_after = said  # type: ignore[assignment]
    assert asked_wait_s(error) == wait
    assert asked_wait_s(ZeroDivisionError()) == 0.0
