"""Every cloud at the faults that the contract lacks: the right error after the right number of attempts.

Asked through the engine. The table is written by hand from what each vendor
means by its answer, not from our own tables.
"""

import pytest

from digitrec import errors
from digitrec.emulator import Emulator

from .common import CLOUDS, POLLED, Opened, asked

EXPECTED: dict[str, type[errors.ProviderError]] = {
    "400": errors.Rejected, "401": errors.AuthFailed, "403": errors.AuthFailed, "404": errors.Rejected,
    "413": errors.Rejected, "429": errors.RateLimited, "quota": errors.QuotaExceeded,
    "503": errors.Unavailable, "slow:seconds=3": errors.TimedOut, "hang": errors.TimedOut,
}  # fmt: skip
"""What each fault means at each cloud."""
OF_POLLS = {"endless-poll": errors.TimedOut, "failed-poll": errors.Rejected, "unknown-poll": errors.BadAnswer}
"""What the faults of polls mean."""
ASKED_AGAIN = (errors.RateLimited, errors.TimedOut, errors.Unavailable)
TIMES = {"slow:seconds=3": (10.0, 1.0), "hang": (10.0, 1.0), "endless-poll": (2.0, 10.0)}
"""Deadline and timeout of one attempt in seconds, for faults that use them up."""
FAULTS = {cloud: EXPECTED | (OF_POLLS if cloud in POLLED else {}) for cloud in CLOUDS}
CASES = [(cloud, *fault_and_error) for cloud in CLOUDS for fault_and_error in FAULTS[cloud].items()]


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize(("cloud", "fault", "expected"), CASES)
def test_a_fault_is_the_right_error_after_the_right_number_of_attempts(
    cloud: str, fault: str, expected: type[errors.ProviderError], emulator: Emulator, opened: Opened,
) -> None:  # fmt: skip
    timeout, attempt_timeout = TIMES.get(fault, (60.0, 30.0))
    provider = opened(cloud)
    emulator.set_faults(cloud, fault)
    before = emulator.calls(cloud)
    reply = asked(provider, timeout=timeout, attempt_timeout=attempt_timeout, attempts=2)
    calls, error = emulator.calls(cloud) - before, reply.outcome
    assert type(error) is expected
    if fault == "endless-poll":  # one order; the last poll may count as another attempt
        assert calls == 1
    else:
        assert calls == reply.attempts == (2 if expected in ASKED_AGAIN else 1)
    assert "\n" not in str(error)
    assert fault != "failed-poll" or str(error).endswith("; try again later"), "the vendor's own error"
