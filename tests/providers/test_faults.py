"""Every cloud, every fault: the right error, in one attempt, in time, with a message that says what to do.

The table is written by hand from what each vendor means by its answer, not from our own tables.
What came out is printed after the last one.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from digitrec.emulator import Emulator
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
from digitrec.image import PreparedImage
from digitrec.providers.base import Provider

CLOUDS = ("google", "aws", "azure", "azure-analysis")
R, A, Q, L = Rejected, AuthFailed, QuotaExceeded, RateLimited
T, U, B = TimedOut, Unavailable, BadAnswer

#                          google  aws  azure  azure-analysis
EXPECTED: dict[str, tuple[type[ProviderError] | None, ...]] = {
    "400":                    (R,   R,   R,   R),
    "401":                    (A,   A,   A,   A),
    "403":                    (A,   A,   A,   A),
    "404":                    (R,   R,   R,   R),
    "413":                    (R,   R,   R,   R),
    "429":                    (L,   L,   L,   L),
    "429:after=3":            (L,   L,   L,   L),
    "quota":                  (Q,   Q,   Q,   Q),
    "500":                    (U,   U,   U,   U),
    "502":                    (U,   U,   U,   U),
    "503":                    (U,   U,   U,   U),
    "503:after=3":            (U,   U,   U,   U),
    "504":                    (U,   U,   U,   U),
    "slow:seconds=3":         (T,   T,   T,   T),
    "hang":                   (T,   T,   T,   T),
    "reset":                  (U,   U,   U,   U),
    "cut-off":                (B,   B,   B,   B),
    "html":                   (B,   B,   B,   B),
    "empty":                  (B,   B,   B,   B),
    "no-field":               (B,   B,   B,   B),
    "endless-poll":        (None, None,  T, None),
}  # fmt: skip
"""What each fault means at each cloud; None: it cannot happen there."""

TO_DO: dict[type[ProviderError], str] = {
    Rejected: "send another image|check the endpoint",
    AuthFailed: "check GOOGLE_API_KEY|check AWS_ACCESS_KEY_ID|check VISION_KEY",
    QuotaExceeded: "wait for the next period or raise the quota",
    RateLimited: "slow down, then try again",
    TimedOut: "try again, or allow more with --timeout",
    Unavailable: "try again later",
    BadAnswer: "check the endpoint and any proxy",
}
"""What each message must tell the reader to do."""

TIMEOUT_S = 0.6
CASES = [
    (cloud, fault, error)
    for fault, row in EXPECTED.items()
    for cloud, error in zip(CLOUDS, row, strict=True)
    if error is not None
]


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], str]]:
    """What came out, printed at the end."""
    seen: dict[tuple[str, str], str] = {}
    yield seen
    plugins = request.config.pluginmanager
    capture: Any = plugins.getplugin("capturemanager")
    terminal: Any = plugins.getplugin("terminalreporter")
    with capture.global_and_fixture_disabled():
        terminal.write_line(f"\n{'fault':<18}" + "".join(f"{cloud:<16}" for cloud in CLOUDS))
        for fault in EXPECTED:
            cells = [seen.get((cloud, fault), "-") for cloud in CLOUDS]
            terminal.write_line(f"{fault:<18}" + "".join(f"{cell:<16}" for cell in cells))


@pytest.mark.parametrize(
    ("cloud", "fault", "expected"), CASES, ids=lambda value: str(getattr(value, "__name__", value))
)
def test_a_fault_is_the_right_error_after_one_attempt(
    cloud: str,
    fault: str,
    expected: type[ProviderError],
    emulator: Emulator,
    opened: Callable[..., Provider],
    prepared: Callable[[Provider], PreparedImage],
    secrets: Sequence[str],
    table: dict[tuple[str, str], str],
) -> None:
    provider = opened(cloud)
    emulator.set_faults(cloud, fault)
    before, start = emulator.calls(cloud), time.monotonic()
    with pytest.raises(ProviderError) as caught:
        provider.read(prepared(provider), timeout=TIMEOUT_S)
    took, attempts = time.monotonic() - start, emulator.calls(cloud) - before
    table[cloud, fault] = type(caught.value).__name__
    assert type(caught.value) is expected
    assert attempts == expected_attempts(cloud, fault)
    assert took < 10 * TIMEOUT_S, "bounded by our timeout, not by the SDK's minutes"
    assert any(what in str(caught.value) for what in TO_DO[expected].split("|"))
    assert "\n" not in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert not [key for key in secrets if key in shown]


def expected_attempts(cloud: str, fault: str) -> int:
    """One; but with an API key, Google's transport itself asks twice more after a 401."""
    return 3 if (cloud, fault) == ("google", "401") else 1


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("status", ["429", "503"])
def test_the_wait_that_a_vendor_asks_for_is_handed_on(
    cloud: str,
    status: str,
    emulator: Emulator,
    opened: Callable[..., Provider],
    prepared: Callable[[Provider], PreparedImage],
) -> None:
    provider = opened(cloud)
    emulator.set_faults(cloud, f"{status}:after=3")
    with pytest.raises((RateLimited, Unavailable)) as caught:
        provider.read(prepared(provider), timeout=TIMEOUT_S)
    assert getattr(caught.value, "retry_after", None) == 3
