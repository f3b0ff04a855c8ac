"""Retried failures, their waits, and failures that may have cost money."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from paid_cloud import PRICE, PaidCloud, answer, ask, image, options, spent

from digitrec import errors
from digitrec.answer import Answer
from digitrec.engine import Engine, request
from digitrec.engine.config import Config
from digitrec.engine.request import FOREVER_S, LONGEST_WAIT_S, RETRIED, asked_wait_s, may_be_billed, wait_s
from digitrec.image import PreparedImage

# error, is it repeated, may it have been billed
TABLE = [
    (errors.RateLimited("slow down", status=429), True, False),
    (errors.RateLimited("slow down", status="ThrottlingException", retry_after=2.0), True, False),
    (errors.Unavailable("broken", status=503), True, False),
    (errors.Unavailable("connection reset"), True, True),
    (errors.Unreachable("connection refused"), True, False), (errors.TimedOut("nobody answered"), True, True),
    (errors.QuotaExceeded("the day's calls are spent", status=403), False, False),
    (errors.AuthFailed("wrong key", status=401), False, False),
    (errors.Rejected("not an image", status=400), False, False),
    (errors.BadAnswer("HTML", status=200), False, True), (errors.BadAnswer("HTML"), False, True),
    (errors.BadAnswer("HTML", status=503), False, False), (errors.LedgerError("full"), False, True),
    (errors.NotConfigured("no key"), False, False), (errors.NotInstalled("no SDK"), False, False),
    (errors.ProviderError("a stranger's own"), False, True),
    *((errors.ProviderError("a stranger's own", status=status), False, True) for status in (200, 299)),
    *((errors.ProviderError("a stranger's own", status=it), False, False) for it in (199, 300, 500, "Bad")),
    *((errors.BadAnswer("HTML", status=status), False, False) for status in (100, 199, 300, 599)),
    *((errors.BadAnswer("HTML", status=status), False, True) for status in (99, 299, 600, True, "Odd")),
]  # fmt: skip


@pytest.mark.parametrize(("error", "repeated", "billed"), TABLE, ids=lambda it: type(it).__name__)
def test_table(error: errors.DigitrecError, repeated: bool, billed: bool) -> None:
    assert isinstance(error, RETRIED) is repeated
    assert may_be_billed(error) is billed


def test_the_random_wait_doubles_up_to_a_bound() -> None:
    longest = [wait_s(errors.Unavailable("x"), nth, lambda low, high: high) for nth in (1, 2, 3, 9999)]
    assert longest == [0.5, 1.0, 2.0, LONGEST_WAIT_S]
    assert wait_s(errors.Unavailable("x"), 5, lambda low, high: low) == 0.0


def test_the_wait_is_never_shorter_than_the_provider_asked() -> None:
    assert wait_s(errors.RateLimited("x", retry_after=3.0), 1) == 3.0
    assert wait_s(errors.Unavailable("x", retry_after=20.0), 1) == 20.0
    assert wait_s(errors.RateLimited("x", retry_after=0.1), 4, lambda low, high: high) == 4.0


@pytest.mark.parametrize(("said", "wait"), [
    (2, 2.0), (0.25, 0.25), (0, 0.0), (-3.0, 0.0), (float("nan"), 0.0), (float("inf"), FOREVER_S),
    (10**400, FOREVER_S), (True, 0.0), ("3", 0.0), (None, 0.0),
])  # fmt: skip
def test_what_the_provider_asks_for_is_a_number_of_seconds_or_nothing(said: object, wait: float) -> None:
    error = errors.RateLimited("x")
    error.retry_after = said  # type: ignore[assignment]
    assert asked_wait_s(error) == wait
    assert asked_wait_s(ZeroDivisionError()) == 0.0


def test_the_longest_wait_that_is_asked_for_holds_for_a_whole_batch(tmp_path: Path) -> None:
    busy = errors.Unavailable("x", status=503)
    faults = [busy, errors.RateLimited("x", retry_after=500), busy]
    cloud = PaidCloud(script={number: [error] for number, error in enumerate(faults)}, batch=3)
    assert [reply.outcome for reply in ask(cloud, tmp_path, 0, 1, 2)] == faults  # 500 s are too long
    assert cloud.requests == [[0, 1, 2]]


def test_no_wait_follows_the_last_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(request, "wait_s", lambda error, attempt: waits.append(attempt) or 0.0)
    (reply,) = ask(PaidCloud(script={1: [errors.Unavailable("x", status=503)]}), tmp_path, 1)
    assert (reply.outcome, waits) == (answer(1), [1])


def test_an_error_of_another_image_does_not_replace_an_images_own(tmp_path: Path) -> None:
    busy, unset = (
        errors.Unavailable("busy", status=503, retry_after=0.5), errors.NotConfigured("set ACME_KEY"),
    )  # fmt: skip

    class Cloud(PaidCloud):
        def read(self, image: PreparedImage, *, timeout: float) -> Answer:
            if image.data == b"2":
                time.sleep(0.1)
                raise unset
            return super().read(image, timeout=timeout)

    replies = ask(Cloud(script={1: [busy]}), tmp_path, 1, 2, 3, concurrency=2)
    assert [reply.outcome for reply in replies] == [busy, unset, unset]


@pytest.mark.parametrize(
    ("how", "option"), [({"attempts": 1}, "--attempt-timeout"), ({"timeout": 0.2}, "--timeout")]
)
def test_what_was_too_short_is_named(tmp_path: Path, how: dict[str, Any], option: str) -> None:
    (reply,) = ask(PaidCloud(script={1: [1.0]}), tmp_path, 1, attempt_timeout=0.2, **how)
    assert isinstance(reply.outcome, errors.TimedOut) and f" {option}" in str(reply.outcome)


class Limited(PaidCloud):
    """A provider with orders; it rejects calls above its rate limit."""

    poll_s = 0.01

    def __init__(self, *steps: Any, calls: int = 10**6, per_s: float = 1.0) -> None:
        super().__init__()
        self.orders: list[int] = []
        self.polls: list[str] = []
        self.refused = 0
        self._steps = list(steps)
        self._calls, self._per_s = calls, per_s
        self._times: list[float] = []
        self._lock = threading.Lock()

    def _count(self) -> None:
        with self._lock:
            now = time.monotonic()
            self._times = [at for at in self._times if at > now - self._per_s]
            if len(self._times) >= self._calls:
                self.refused += 1
                raise errors.RateLimited("too fast", status=429, retry_after=self._per_s)
            self._times.append(now)

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        self._count()
        self.orders.append(int(image.data))
        return f"order-{int(image.data)}"

    def poll(self, token: str, *, timeout: float) -> Any:
        self._count()
        self.polls.append(token)
        step = self._steps.pop(0) if self._steps else answer(int(token.removeprefix("order-")))
        if isinstance(step, BaseException):
            raise step
        return step


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("failure", [
    errors.AuthFailed("x", status=401), errors.QuotaExceeded("x", status=403),
    errors.Rejected("x", status=400), errors.BadAnswer("x", status=200), errors.NotConfigured("x"),
    errors.TimedOut("x"), errors.Unavailable("x", status=503),
    errors.RateLimited("x", status=429, retry_after=500), ValueError("a bug"), "7",
    Answer(raw=7),  # type: ignore[arg-type]
], ids=repr)  # fmt: skip
def test_an_order_outlives_every_failure_of_a_poll(tmp_path: Path, failure: Any) -> None:
    (reply,) = ask(Limited(*[failure] * 5), tmp_path, 7)
    assert isinstance(reply.outcome, Exception)
    assert reply.cost_usd == PRICE
    later = Limited()
    (reply,) = ask(later, tmp_path, 7)
    assert (reply.outcome, later.orders, later.polls, reply.cost_usd) == (answer(7), [], ["order-7"], 0.0)
    assert spent(tmp_path) == PRICE


@pytest.mark.parametrize("end", [errors.Rejected("x", status=it) for it in (None, "InvalidImage", 404, 410)])
def test_an_order_that_is_over_is_placed_anew_by_a_later_run(tmp_path: Path, end: errors.Rejected) -> None:
    (reply,) = ask(Limited(end), tmp_path, 7)
    assert (reply.outcome, reply.cost_usd) == (end, PRICE)
    later = Limited()
    assert ask(later, tmp_path, 7)[0].outcome == answer(7)
    assert later.orders == [7]
    assert spent(tmp_path) == 2 * PRICE


@pytest.mark.usefixtures("no_waits")
def test_a_poll_that_fails_is_repeated_and_the_order_is_not(tmp_path: Path) -> None:
    cloud = Limited(errors.Unavailable("x", status=503), errors.TimedOut("x"))
    (reply,) = ask(cloud, tmp_path, 7)
    assert (cloud.orders, cloud.polls) == ([7], ["order-7"] * 3)
    assert (reply.outcome, reply.attempts, reply.cost_usd) == (answer(7), 3, PRICE)


def test_what_is_not_ready_in_time_is_fetched_by_a_later_run(tmp_path: Path) -> None:
    (reply,) = ask(Limited(*[None] * 1000), tmp_path, 7, timeout=1.0)
    assert isinstance(reply.outcome, errors.TimedOut)
    assert (reply.outcome.provider, reply.cost_usd) == ("paid", PRICE)
    patient = Limited(60.0, 60.0)
    assert isinstance(ask(patient, tmp_path, 8, timeout=1.0)[0].outcome, errors.TimedOut)
    assert patient.polls == ["order-8"], "it asked to wait for longer than the timeout"
    (reply,) = ask(patient, tmp_path, 8, timeout=1.0, ledger="none")
    assert "costs again" in str(reply.outcome)
    later = Limited()
    with Engine(later, options(tmp_path)) as engine:
        assert engine.estimate([image(7), image(9)]).cost_usd == PRICE
    assert ask(later, tmp_path, 7)[0].outcome == answer(7)
    assert later.orders == []


def test_a_time_too_short_to_fetch_orders_nothing(tmp_path: Path) -> None:
    cloud = Limited()
    cloud.poll_s = 1.0
    (reply,) = ask(cloud, tmp_path, 7, timeout=0.9)
    assert isinstance(reply.outcome, errors.TimedOut)
    assert reply.outcome.provider == "paid"
    assert (cloud.orders, reply.attempts, reply.cost_usd) == ([], 0, 0.0)
    assert spent(tmp_path) == 0


@pytest.mark.parametrize("token", ["", None, 7, b"x"])
def test_an_order_without_a_number_is_a_bug_and_may_have_cost(tmp_path: Path, token: Any) -> None:
    cloud = Limited()
    cloud.start = lambda image, *, timeout: token  # type: ignore[method-assign]
    (reply,) = ask(cloud, tmp_path, 7)
    assert "this is a bug in it" in str(reply.outcome)
    assert (cloud.polls, reply.cost_usd) == ([], PRICE)


def test_every_request_waits_for_its_turn_and_a_vendors_limit_is_kept(tmp_path: Path) -> None:
    """The free tier's recipe, eighty times as fast: 20 calls in 0.75 s."""
    cloud = Limited(calls=20, per_s=0.75)
    replies = ask(cloud, tmp_path, *range(24), config=Config(rates={"paid": 20 / 0.75 * 0.9}), timeout=20.0)
    assert [reply.outcome for reply in replies] == [answer(number) for number in range(24)]
    assert sorted(cloud.orders) == list(range(24))
    assert len(cloud.polls) == 24
    assert spent(tmp_path) == pytest.approx(24 * PRICE)
