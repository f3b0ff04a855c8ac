"""Every cloud at the faults that the contract lacks: the right error after the right number of attempts.

Asked through the engine. The table is written by hand from what each vendor
means by its answer, not from our own tables.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from digitrec.emulator import Emulator
from digitrec.engine import Engine, Options
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)

from .common import CLOUDS, Opened, Prepared

R, A, Q, L = Rejected, AuthFailed, QuotaExceeded, RateLimited
T, U, B = TimedOut, Unavailable, BadAnswer

#                          google aws textract azure azure-analysis azure-document openai
EXPECTED: dict[str, tuple[type[ProviderError] | None, ...]] = {
    "400":                    (R, R, R, R, R, R, R),
    "401":                    (A, A, A, A, A, A, A),
    "403":                    (A, A, A, A, A, A, A),
    "404":                    (R, R, R, R, R, R, R),
    "413":                    (R, R, R, R, R, R, R),
    "429":                    (L, L, L, L, L, L, L),
    "quota":                  (Q, Q, Q, Q, Q, Q, Q),
    "503":                    (U, U, U, U, U, U, U),
    "slow:seconds=3":         (T, T, T, T, T, T, T),
    "hang":                   (T, T, T, T, T, T, T),
    "empty":                  (B, B, B, B, B, B, B),
    "no-field":               (B, B, B, B, B, B, B),
    "endless-poll":        (None, None, None, T, None, T, None),
    "failed-poll":            (None, None, None, R, None, R, None),
    "unknown-poll":           (None, None, None, B, None, B, None),
}  # fmt: skip
"""The error for each fault of each cloud; None: the fault does not exist there."""


ATTEMPTS: dict[type[ProviderError], int] = {
    Rejected: 1,
    AuthFailed: 1,
    QuotaExceeded: 1,
    RateLimited: 2,
    TimedOut: 2,
    Unavailable: 2,
    BadAnswer: 1,
}
"""Requests for each fault if two attempts are allowed."""

TIMES = {"slow:seconds=3": (10.0, 1.0), "hang": (10.0, 1.0), "endless-poll": (2.0, 10.0)}
"""Deadline and timeout of one attempt in seconds, for faults that use them up."""
CASES = [
    (cloud, fault, error)
    for fault, row in EXPECTED.items()
    for cloud, error in zip(CLOUDS, row, strict=True)
    if error is not None
]


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Between attempts."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.mark.parametrize(
    ("cloud", "fault", "expected"), CASES, ids=lambda value: str(getattr(value, "__name__", value))
)
def test_a_fault_is_the_right_error_after_the_right_number_of_attempts(
    cloud: str,
    fault: str,
    expected: type[ProviderError],
    emulator: Emulator,
    opened: Opened,
    prepared: Prepared,
) -> None:
    timeout, attempt_timeout = TIMES.get(fault, (60.0, 30.0))
    options = Options(timeout=timeout, attempt_timeout=attempt_timeout, attempts=2, ledger="none")
    engine = Engine(opened(cloud), options)
    emulator.set_faults(cloud, fault)
    before = emulator.calls(cloud)
    (reply,) = engine.ask([prepared(engine.provider)])
    calls, error = emulator.calls(cloud) - before, reply.outcome
    assert isinstance(error, ProviderError)
    assert type(error) is expected
    if fault == "endless-poll":  # ordered once; a last look before the deadline may be another attempt
        assert calls == 1
    else:
        assert calls == reply.attempts == ATTEMPTS[expected]
    assert "\n" not in str(error)
